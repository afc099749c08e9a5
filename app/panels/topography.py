"""Values over the head: interpolated between many electrodes, or as colours of a few."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip
from scipy.interpolate import RBFInterpolator

from app import theme
from app.panels.head import MANY, Head
from app.panels.ramp import LEFT_OUT, Ramp, image_of
from pipeline.montage import Position
from pipeline.types import Array

# Fewer electrodes say nothing about the places between them.
FEWEST_INTERPOLATED = 16
GRID = 44
# Smooths noise of single electrodes a little; the electrodes themselves show their own values.
SMOOTHING = 0.01


def interpolation(places: Array) -> NDArray[np.float32]:
    """(GRID * GRID, n) weights that take values at `places`, (n, 2) on the unit disc, to a square around it.

    Thin-plate splines, rows from the front to the back, columns from left to right.
    """
    across = (np.arange(GRID) + 0.5) / GRID * 2 - 1
    grid = np.stack(np.meshgrid(across, -across), axis=-1).reshape(-1, 2)
    spline = RBFInterpolator(places, np.eye(len(places)), smoothing=SMOOTHING)
    return np.asarray(spline(grid), np.float32)


class Topography(Head):
    """A head coloured by one value an electrode; NaN draws it hollow.

    `clicked` names an electrode ("" beside all). Colours go over `range_` of `ramp`; `tell` says what an electrode of
    this number is to tell where the mouse rests. Thread: main only.
    """

    clicked = Signal(str)

    def __init__(self, ramp: Ramp, tell: Callable[[int], str]) -> None:
        super().__init__()
        self._ramp, self._tell = ramp, tell
        self.range_ = (0.0, 1.0)
        self._names: tuple[str, ...] = ()
        self._values = np.empty(0)
        self._marked: frozenset[str] = frozenset()
        self._selected = ""
        self._weights: NDArray[np.float32] | None = None
        self._weights_of: tuple[str, ...] = ()

    def set_electrodes(self, names: Sequence[str], positions: Mapping[str, Position]) -> None:
        """Start anew: `names` in the order of the values to come; without a position they are not drawn."""
        self._names = tuple(names)
        self._values = np.full(len(names), np.nan)
        self._marked, self._selected = frozenset(), ""
        self._weights, self._weights_of = None, ()
        self.set_places({name: positions[name] for name in names if name in positions})

    def set_values(
        self,
        values: Array,
        range_: tuple[float, float],
        marked: frozenset[str] = frozenset(),
    ) -> None:
        """The newest: (n_names,), NaN for those left out."""
        self._values, self.range_, self._marked = values, range_, marked
        self.update()

    def select(self, name: str) -> None:
        """Emphasise one electrode; "" none."""
        if name != self._selected:
            self._selected = name
            self.update()

    def shares(self) -> dict[str, float]:
        """Where the drawn electrodes' values lie in the range; those left out are missing."""
        low, high = self.range_
        pairs = zip(self._names, ((self._values - low) / (high - low)).tolist(), strict=True)
        return {name: share for name, share in pairs if share == share and name in self._places}

    def event(self, event: QEvent) -> bool:
        """Resting on an electrode tells its numbers."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            name = self.electrode_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self._tell(self._names.index(name)) if name else "", self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Choose an electrode."""
        self.clicked.emit(self.electrode_at(event.position()) or "")

    @property
    def _radius_px(self) -> float:
        return self._unit_px * (0.052 if len(self._places) > MANY else 0.08)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Head, the field between the electrodes, electrodes."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_head(painter)
        shares = self.shares()
        if len(shares) >= FEWEST_INTERPOLATED:
            self._paint_field(painter, shares)
        hollow = [name for name in self._places if name not in shares]
        for name in (*hollow, *sorted(shares, key=lambda n: (n in self._marked, n == self._selected))):
            self._paint_electrode(painter, name, shares.get(name))
        painter.end()

    def _paint_field(self, painter: QPainter, shares: Mapping[str, float]) -> None:
        names = tuple(shares)
        if self._weights is None or names != self._weights_of:
            self._weights = interpolation(np.array([self._places[name] for name in names]))
            self._weights_of = names
        field = self._weights @ np.array(list(shares.values()), np.float32)
        image = image_of(self._ramp.rgb(field.reshape(GRID, GRID)))
        box = QRectF(self._to_px(-1, 1), self._to_px(1, -1))
        painter.save()
        path = QPainterPath()
        path.addEllipse(box)
        painter.setClipPath(path)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(box, image)
        painter.restore()
        painter.setPen(QPen(theme.colour(theme.LINE), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(box)

    def _paint_electrode(self, painter: QPainter, name: str, share: float | None) -> None:
        centre, radius = self._to_px(*self._places[name]), self._radius_px
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if share is None:
            painter.setPen(QPen(theme.colour(LEFT_OUT), 1.2))
            painter.drawEllipse(centre, radius, radius)
            return
        if name in self._marked:
            painter.setPen(QPen(theme.colour(theme.GROUND), 1))
            painter.setBrush(theme.colour(theme.TEXT))
            painter.drawEllipse(centre, radius + 2.2, radius + 2.2)
        painter.setPen(QPen(theme.colour(theme.GROUND, 0.75), 1))
        painter.setBrush(self._ramp.colour(share))
        painter.drawEllipse(centre, radius, radius)
        if name == self._selected:
            painter.setPen(QPen(theme.colour(theme.TEXT), 1.4))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(centre, radius + 5, radius + 5)
