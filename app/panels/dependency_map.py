"""What a dependency map is painted with: maps beside each other, and the parts of the object under them."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import theme
from app.mapping import NO_CONTROL, Mapped, PartMapped
from app.panels.picture_pair import fitted, paint_missing
from app.panels.ramp import DIVERGING, SEQUENTIAL, Ramp, image_of, round_above
from pipeline.reconstruction import Picture
from pipeline.types import Array

MOST_MAP_PX, LEAST_MAP_PX, GAP_PX = 118, 84, 8
TITLE_PX, SCALE_PX = 17, 26
ROW_PX, NAME_PX, KEY_PX = 19, 84, 18
MOST_ROWS, LEAST_ROWS = 7, 2
CONTROL, SPREAD = "Another trial's EEG", "± over seeds"
# The scale of the spread ends above this share of the picture: a single place would flatten it everywhere else.
MOST_OF_IT = 0.98
# So that equal maps do not divide by nothing.
LEAST_SPREAD = 0.01


def overlaid(picture: Picture, index: Array) -> Picture:
    """The index in colours over the picture in grey: the larger it is, the more of its colour."""
    return _coloured(picture, np.abs(index), DIVERGING, (index + 1) / 2)


def _coloured(picture: Picture, strength: Array, ramp: Ramp, shares: Array) -> Picture:
    grey = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    share = 0.25 + 0.6 * strength[:, :, None]
    return np.asarray((1 - share) * grey + share * ramp.rgb(shares), dtype=np.uint8)


class Maps(QWidget):
    """The map, its control and its spread over the same picture, each over its scale; or why there is none.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumHeight(TITLE_PX + LEAST_MAP_PX + SCALE_PX)
        self.setMaximumHeight(TITLE_PX + MOST_MAP_PX + SCALE_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.images: tuple[QImage | None, ...] = ()
        self.titles = ("", CONTROL, SPREAD)
        self.most_spread = 1.0
        self.why_not = ""

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As large as it becomes."""
        return QSize(3 * MOST_MAP_PX + 2 * GAP_PX, TITLE_PX + MOST_MAP_PX + SCALE_PX)

    def say(self, why_not: str) -> None:
        """No map, and why."""
        self.images, self.why_not = (), why_not
        self.update()

    def set_mapped(self, mapped: Mapped) -> None:
        """The maps of a trial."""
        picture, index = mapped.picture, mapped.index
        if picture is None or index is None or mapped.spread is None:
            self.say(f"Trial {mapped.trial + 1}: {mapped.error}")
            return
        self.titles = (f"Trial {mapped.trial + 1}, its EEG", CONTROL, SPREAD)
        self.most_spread = round_above(max(float(np.quantile(mapped.spread, MOST_OF_IT)), LEAST_SPREAD))
        spread = np.minimum(mapped.spread / self.most_spread, 1.0)
        self.images = (
            image_of(overlaid(picture, index)),
            None if mapped.control is None else image_of(overlaid(picture, mapped.control)),
            image_of(_coloured(picture, spread, SEQUENTIAL, spread)),
        )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """One of both."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.setFont(theme.font(8.5))
        if not self.images:
            paint_missing(painter, QRectF(self.rect()), self.why_not)
        else:
            self._paint_maps(painter)
        painter.end()

    def _paint_maps(self, painter: QPainter) -> None:
        side = min((self.width() - 2 * GAP_PX) / 3, self.height() - TITLE_PX - SCALE_PX)
        apart = (self.width() - side) / 2
        for number, (title, image) in enumerate(zip(self.titles, self.images, strict=True)):
            box = QRectF(number * apart, TITLE_PX, side, side)
            painter.setPen(theme.colour(theme.MUTED))
            painter.drawText(QPointF(box.left(), 11), title)
            if image is None:
                paint_missing(painter, box, NO_CONTROL)
            else:
                painter.drawImage(fitted(box, image), image)
        top = TITLE_PX + side + 4
        ends = ("−1 picture", "0", "turn +1")
        paint_scale(painter, QRectF(0, top, apart + side, SCALE_PX - 4), DIVERGING, ends)
        ends = ("0", "", f"≥ {self.most_spread:g}")
        paint_scale(painter, QRectF(2 * apart, top, side, SCALE_PX - 4), SEQUENTIAL, ends)


def paint_scale(painter: QPainter, box: QRectF, ramp: Ramp, words: tuple[str, str, str]) -> None:
    """A ramp over what its left end, its middle and its right end stand for."""
    painter.fillRect(QRectF(box.left(), box.top(), box.width(), 6), ramp.gradient(box.left(), box.right()))
    painter.setPen(theme.colour(theme.MUTED))
    under = QRectF(box.left(), box.top() + 7, box.width(), box.height() - 7)
    aligned = (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight)
    for word, align in zip(words, aligned, strict=True):
        painter.drawText(under, align | Qt.AlignmentFlag.AlignTop, word)


class Bars(QWidget):
    """A part a row: to the left what hangs on the picture's stream, to the right on the turn's.

    A line over the bar's end is the deviation over seeds, a diamond the control. Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.parts: tuple[PartMapped, ...] = ()
        self.none = ""
        self.set_parts((), "")

    def set_parts(self, parts: Sequence[PartMapped], none: str) -> None:
        """Averages by part; where not all fit, those in the middle are left out. `none`: what else to say."""
        self.none = none
        self.parts = tuple(sorted(parts, key=lambda part: -part.index))
        self.setToolTip("\n".join(_told(part) for part in self.parts))
        self.setMinimumHeight(KEY_PX + ROW_PX * min(len(self.parts), LEAST_ROWS))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """A row for each part, as far as they are few."""
        return QSize(3 * NAME_PX, KEY_PX + ROW_PX * min(len(self.parts), MOST_ROWS))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Bars from the middle, and what their marks mean."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.tabular(8.5))
        if not self.parts:
            painter.setPen(theme.colour(theme.FAINT))
            painter.drawText(QPointF(0, 12), self.none)
        else:
            rows = shown(self.parts, (self.height() - KEY_PX) // ROW_PX)
            for number, part in enumerate(rows):
                self._paint_part(painter, part, 2.0 + number * ROW_PX)
            self._paint_key(painter, len(rows), 2.0 + len(rows) * ROW_PX)
        painter.end()

    def _paint_part(self, painter: QPainter, part: PartMapped, top: float) -> None:
        half = (self.width() - NAME_PX) / 2 - 4
        middle, mid_y = NAME_PX + half + 2, top + (ROW_PX - 3) / 2
        painter.setPen(theme.colour(theme.MUTED))
        elided = painter.fontMetrics().elidedText(part.name, Qt.TextElideMode.ElideRight, NAME_PX - 6)
        painter.drawText(QPointF(0, top + 12), elided)
        left = min(middle, middle + part.index * half)
        painter.fillRect(
            QRectF(left, top + 2, abs(part.index) * half, ROW_PX - 7), DIVERGING.colour((part.index + 1) / 2)
        )
        painter.fillRect(QRectF(middle - 0.5, top - 1, 1, ROW_PX), theme.colour(theme.LINE))
        painter.setPen(QPen(theme.colour(theme.TEXT), 1.4))
        ends = [middle + half * np.clip(part.index + side * part.spread, -1, 1) for side in (-1, 1)]
        painter.drawLine(QPointF(ends[0], mid_y), QPointF(ends[1], mid_y))
        if part.control is not None:
            paint_diamond(painter, QPointF(middle + part.control * half, mid_y))

    def _paint_key(self, painter: QPainter, n_shown: int, top: float) -> None:
        if rest := len(self.parts) - n_shown:
            painter.setPen(theme.colour(theme.FAINT))
            painter.drawText(QPointF(0, top + 12), f"… {rest} more")
        under = QRectF(NAME_PX, top, self.width() - NAME_PX, KEY_PX)
        painter.setPen(theme.colour(theme.FAINT))
        painter.drawText(under, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "−1")
        painter.drawText(under, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, "+1")
        painter.drawText(QPointF(NAME_PX + 50, top + 12), SPREAD)
        painter.setPen(QPen(theme.colour(theme.TEXT), 1.4))
        painter.drawLine(QPointF(NAME_PX + 28, top + 8), QPointF(NAME_PX + 44, top + 8))
        if any(part.control is not None for part in self.parts):
            at = NAME_PX + 50 + painter.fontMetrics().horizontalAdvance(SPREAD) + 20.0
            paint_diamond(painter, QPointF(at, top + 8))
            painter.setPen(theme.colour(theme.FAINT))
            painter.drawText(QPointF(at + 10, top + 12), "another trial's EEG")


def shown(parts: Sequence[PartMapped], fit: int) -> tuple[PartMapped, ...]:
    """Those that fit, from both ends of the order."""
    fit = max(fit, LEAST_ROWS)
    return tuple(parts) if len(parts) <= fit else (*parts[: (fit + 1) // 2], *parts[-(fit // 2) :])


def paint_diamond(painter: QPainter, at: QPointF) -> None:
    """The mark of the control."""
    painter.setPen(QPen(theme.colour(theme.TEXT), 1.2))
    painter.setBrush(theme.colour(theme.GROUND))
    corners = ((0, -4.5), (4.5, 0), (0, 4.5), (-4.5, 0))
    painter.drawPolygon(QPolygonF([QPointF(at.x() + x, at.y() + y) for x, y in corners]))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _told(part: PartMapped) -> str:
    control = "" if part.control is None else f"; another trial's EEG {part.control:+.2f}"
    return f"{part.name}  {part.index:+.2f} ± {part.spread:.2f}{control}"
