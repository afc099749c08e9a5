"""The dependency map: which stream a reconstruction hangs on, place by place and part by part."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app import theme
from app.mapping import Mapped
from app.panels.decision_words import Elided, Tag
from app.panels.picture_pair import fitted, paint_missing
from app.panels.ramp import DIVERGING, image_of
from app.panels.sight import Sight
from pipeline.reconstruction import Picture
from pipeline.types import Array

MAP_PX, LEAST_MAP_PX = 168, 104
ROW_PX = 20
NAME_PX = 84
NOTHING = "No trial analysed yet."
NO_PARTS = "no parts known of this object"
BUSY = "Generating from each stream alone, and comparing…"
HOW = (
    "Made three times from the same trial: from picture and turn, from the picture alone, from the turn alone. "
    "The map tells where the reconstruction from one of them alone comes nearer to that from both."
)


class DependencyPanel(QFrame):
    """The map of the trial that was asked for; `wanted` carries the trial to be analysed.

    Thread: main only.
    """

    wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.tag, self.trial, self.ask, self.after_each = Tag(), Elided(), QToolButton(), QToolButton()
        self.map, self.bars, self.text = Overlay(), Bars(), QLabel()
        self._newest: int | None = None
        self._analysed: int | None = None
        self._busy = False
        self._dress()
        beside = QHBoxLayout()
        beside.setSpacing(12)
        beside.addWidget(self.map, 1)
        right = QVBoxLayout()
        right.addWidget(self.tag, 0, Qt.AlignmentFlag.AlignRight)
        right.addWidget(self.bars, 1)
        beside.addLayout(right, 1)
        self.tag.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 8, 14, 10)
        layout.setSpacing(6)
        layout.addLayout(self._head())
        layout.addLayout(beside)
        layout.addWidget(Key())
        layout.addWidget(self._scrolled(), 1)
        self.set_mapped(None)
        self.set_sight(Sight())

    def _dress(self) -> None:
        for button, text, tip in (
            (self.ask, "Analyse", "The newest trial whose turn is over"),
            (self.after_each, "Each Trial", "As long as this is shown, after every whole trial"),
        ):
            button.setText(text)
            button.setToolTip(tip)
            theme.keep_off_keyboard(button)
        self.after_each.setCheckable(True)
        self.ask.clicked.connect(self._on_ask)
        theme.set_role(self.trial, "muted")
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)

    def _head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.trial, 1)
        head.addWidget(self.after_each)
        head.addWidget(self.ask)
        return head

    def _scrolled(self) -> QScrollArea:
        area = QScrollArea()
        area.setWidget(self.text)
        area.setWidgetResizable(True)
        area.setMinimumHeight(40)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setStyleSheet("QScrollArea, QScrollArea QWidget { background: transparent; }")
        return area

    def set_sight(self, sight: Sight) -> None:
        """What there is at this tick; may want the newest trial."""
        self.tag.set_text(sight.caution)
        whole = [made.trial for made in sight.made if made.reconstruction.wish.stage == "fused"]
        self._newest = whole[-1] if whole else None
        self.ask.setEnabled(self._newest is not None and not self._busy)
        if self._analysed is None:
            self.map.set_image(None, sight.why_not or NOTHING)
        if self.after_each.isChecked() and self.isVisible() and self._newest != self._analysed:
            self._on_ask()

    def _on_ask(self) -> None:
        if self._newest is not None and not self._busy:
            self._busy, self._analysed = True, self._newest
            self.trial.set_line(f"trial {self._newest + 1} …")
            self.map.set_image(None, BUSY)
            self.wanted.emit(self._newest)

    def set_mapped(self, mapped: Mapped | None) -> None:
        """The map to show; None for none yet."""
        self._busy = False
        if mapped is None:
            self._analysed = None
            self.trial.set_line("")
        else:
            self.trial.set_line(f"trial {mapped.trial + 1}")
        image = None
        if mapped is not None and mapped.picture is not None and mapped.index is not None:
            image = image_of(overlaid(mapped.picture, mapped.index))
        self.map.set_image(image, mapped.error if mapped else NOTHING)
        self.bars.set_parts(mapped.parts if mapped else (), NO_PARTS if image is not None else "")
        self.text.setText(_text(mapped))


def overlaid(picture: Picture, index: Array) -> Picture:
    """The index in colours over the picture in grey: the larger it is, the more of its colour."""
    grey = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    share = 0.25 + 0.6 * np.abs(index)[:, :, None]
    return np.asarray((1 - share) * grey + share * DIVERGING.rgb((index + 1) / 2), dtype=np.uint8)


class Overlay(QWidget):
    """The map over the reconstruction, or why there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(LEAST_MAP_PX, LEAST_MAP_PX)
        self.setMaximumSize(MAP_PX, MAP_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.image: QImage | None = None
        self.why_not = ""

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As large as it becomes."""
        return QSize(MAP_PX, MAP_PX)

    def set_image(self, image: QImage | None, why_not: str) -> None:
        """What to show."""
        self.image, self.why_not = image, why_not
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """One of both."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.setFont(theme.font(9))
        if self.image is None:
            paint_missing(painter, QRectF(self.rect()), self.why_not)
        else:
            painter.drawImage(fitted(QRectF(self.rect()), self.image), self.image)
        painter.end()


class Bars(QWidget):
    """A part a row: to the left what hangs on the picture's stream, to the right on the turn's."""

    def __init__(self) -> None:
        super().__init__()
        self.setMaximumHeight(MAP_PX)
        self.parts: tuple[tuple[str, float], ...] = ()
        self.none = ""

    def set_parts(self, parts: Sequence[tuple[str, float]], none: str) -> None:
        """Averages by name, from -1 to +1; where not all fit, those in the middle are left out. `none`: what else."""
        self.none = none
        self.parts = tuple(sorted(parts, key=lambda part: -part[1]))
        self.setToolTip("\n".join(f"{name}  {value:+.2f}" for name, value in self.parts))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Bars from the middle."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.tabular(8.5))
        middle = NAME_PX + (self.width() - NAME_PX) / 2
        half = (self.width() - NAME_PX) / 2 - 2
        painter.setPen(theme.colour(theme.FAINT))
        if not self.parts:
            painter.drawText(QPointF(0, 12), self.none)
        fit = max(2, self.height() // ROW_PX)
        shown = self.parts if len(self.parts) <= fit else (*self.parts[: (fit + 1) // 2], *self.parts[-(fit // 2) :])
        for number, (name, value) in enumerate(shown):
            y = 4 + number * ROW_PX
            painter.setPen(theme.colour(theme.MUTED))
            elided = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, NAME_PX - 6)
            painter.drawText(QPointF(0, y + 12), elided)
            bar = QRectF(min(middle, middle + value * half), y + 2, abs(value) * half, ROW_PX - 8)
            painter.fillRect(bar, DIVERGING.colour((value + 1) / 2))
            painter.fillRect(QRectF(middle - 0.5, y, 1, ROW_PX - 4), theme.colour(theme.LINE))
        painter.end()


class Key(QWidget):
    """What the colours mean."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(18)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """The ramp between two names."""
        painter = QPainter(self)
        painter.setFont(theme.font(8.5))
        painter.setPen(theme.colour(theme.MUTED))
        left, right = "from the picture", "from the turn"
        metrics = painter.fontMetrics()
        start = metrics.horizontalAdvance(left) + 8.0
        stop = self.width() - metrics.horizontalAdvance(right) - 8.0
        painter.drawText(QPointF(0, 13), left)
        painter.drawText(QPointF(stop + 8, 13), right)
        painter.fillRect(QRectF(start, 4, stop - start, 10), DIVERGING.gradient(start, stop))
        painter.end()


def _text(mapped: Mapped | None) -> str:
    lines = [f'<p style="color:{theme.MUTED}">{HOW}</p>']
    if mapped is not None:
        lines += [f'<p style="color:{theme.TEXT}">{" · ".join(mapped.notes)}</p>'] if mapped.notes else []
        lines += [f'<p style="color:{theme.MUTED}">• {caveat}</p>' for caveat in mapped.caveats]
    return "".join(lines)
