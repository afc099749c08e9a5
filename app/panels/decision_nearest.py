"""The colour that was decoded, and the known pictures that are most like what was decoded."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app import theme
from app.panels.decision_trials import paint_mark
from app.panels.frame import Scored
from app.pictures import Pictures
from calibration.objects.colours import PALETTE
from pipeline.types import Decision, Nearest

SHOWN = 3
LABEL_PX = 16
PICTURE_PX = 58
HEIGHT_PX = LABEL_PX + PICTURE_PX + 16
COLOUR_PX = 96
SWATCH_PX = 26
NONE_KNOWN = "No known pictures to compare with"
COSINE = "Cosine of the decoded embedding with that of each known picture"


class ColourAnswer(QWidget):
    """A swatch, the colour's name and probability, whether it is right where that is known; below the two next ones.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(COLOUR_PX, HEIGHT_PX)
        self._ranked: list[tuple[str, float]] = []
        self._true: str | None = None

    def set_scored(self, scored: Scored) -> None:
        """The decision to show."""
        decision = scored.decision
        self._ranked = sorted(
            zip(decision.colours, decision.colour_probabilities, strict=True), key=lambda pair: -pair[1]
        )
        self._true = scored.true_colour
        lines = [f"{name}  {share:.0%}" for name, share in self._ranked]
        self.setToolTip("\n".join([*lines, f"was {self._true}"] if self._true else lines))
        self.update()

    def ranked(self) -> list[tuple[str, float]]:
        """The most probable first."""
        return self._ranked

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """The answer large, the others small."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(8.5))
        painter.setPen(theme.colour(theme.FAINT))
        painter.drawText(QPointF(0, 11), "Colour")
        if not self._ranked:
            painter.setPen(theme.colour(theme.MUTED))
            painter.drawText(QPointF(0, 30), "not decoded")
        for number, (name, share) in enumerate(self._ranked[:SHOWN]):
            self._paint_colour(painter, number, name, share)
        painter.end()

    def _paint_colour(self, painter: QPainter, number: int, name: str, share: float) -> None:
        first = number == 0
        side = SWATCH_PX if first else 10
        y = LABEL_PX if first else LABEL_PX + SWATCH_PX + 8 + (number - 1) * 16
        paint_swatch(painter, QRectF(0.5, y + 0.5, side, side), name)
        painter.setPen(theme.colour(theme.TEXT if first else theme.MUTED))
        if first:
            painter.setFont(theme.font(10, bold=True))
            painter.drawText(QPointF(side + 8, y + 11), name)
            painter.setFont(theme.tabular(9))
            painter.setPen(theme.colour(theme.MUTED))
            painter.drawText(QPointF(side + 8, y + 25), f"{share:.0%}")
            if self._true is not None:
                paint_mark(painter, QPointF(side + 44, y + 21), 4.0, self._true == name)
        else:
            painter.setFont(theme.tabular(8.5))
            painter.drawText(QPointF(side + 6, y + 9), f"{name} {share:.0%}")


class NearestRow(QWidget):
    """The known pictures that are nearest, with their names and similarities; names alone where a picture is missing.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT_PX)
        self._nearest: tuple[Nearest, ...] = ()
        self._pictures: Pictures | None = None

    def set_pictures(self, pictures: Pictures) -> None:
        """Where pictures come from."""
        self._pictures = pictures
        pictures.changed.connect(self._on_changed)

    def set_decision(self, decision: Decision | None) -> None:
        """The decision to show."""
        nearest = decision.nearest[:SHOWN] if decision else ()
        if nearest != self._nearest:
            self._nearest = nearest
            self._tell()
            self.update()

    def missing(self) -> dict[str, str]:
        """{key: why there is no picture of it} of those shown."""
        if self._pictures is None:
            return {}
        return {n.key: why for n in self._nearest if (why := self._pictures.why_not(n.key))}

    def _on_changed(self, key: str) -> None:
        if any(n.key == key for n in self._nearest):
            self._tell()
            self.update()

    def _tell(self) -> None:
        lines = [f"{nearest.key}  {nearest.similarity:.3f}" for nearest in self._nearest]
        reasons = sorted({f"No picture: {why}" for why in self.missing().values()})
        self.setToolTip("\n".join([COSINE, *lines, *reasons]) if self._nearest else "")

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Pictures, or frames with the reason."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.setFont(theme.font(8.5))
        why = next(iter(self.missing().values()), "")
        painter.setPen(theme.colour(theme.WARN if why else theme.FAINT))
        text = f"No pictures: {why}" if why else "Nearest known pictures" if self._nearest else NONE_KNOWN
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(QPointF(0, 11), shown)
        step = self.width() / SHOWN
        for number, nearest in enumerate(self._nearest):
            self._paint_one(painter, QRectF(number * step, LABEL_PX, step - 8, self.height() - LABEL_PX), nearest)
        painter.end()

    def _paint_one(self, painter: QPainter, box: QRectF, nearest: Nearest) -> None:
        frame = QRectF(box.left(), box.top(), min(PICTURE_PX, box.width()), PICTURE_PX)
        picture = self._pictures.picture(nearest.key) if self._pictures else None
        if picture is not None:
            painter.drawImage(_fitted(frame, picture.width(), picture.height()), picture)
        else:
            painter.setPen(QPen(theme.colour(theme.LINE), 1))
            painter.setBrush(theme.colour(theme.RAISED))
            painter.drawRoundedRect(frame.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
            painter.setPen(theme.colour(theme.FAINT))
            word = "no picture" if nearest.key in self.missing() else "…"
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, word)
        painter.setPen(theme.colour(theme.TEXT))
        name = painter.fontMetrics().elidedText(nearest.key, Qt.TextElideMode.ElideMiddle, int(box.width()))
        painter.drawText(QPointF(box.left(), frame.bottom() + 13), name)
        self._paint_similarity(painter, frame, f"{nearest.similarity:.2f}")

    def _paint_similarity(self, painter: QPainter, frame: QRectF, text: str) -> None:
        """In a corner of the picture."""
        width = painter.fontMetrics().horizontalAdvance(text) + 6
        chip = QRectF(frame.right() - width, frame.bottom() - 14, width, 14)
        painter.fillRect(chip, theme.colour(theme.GROUND, 0.75))
        painter.setPen(theme.colour(theme.TEXT))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)


def paint_swatch(painter: QPainter, box: QRectF, name: str) -> None:
    """A square of a colour by its name; hollow and crossed where the name is no colour of ours."""
    painter.setPen(QPen(theme.colour(theme.MUTED), 1))
    if name in PALETTE:
        red, green, blue = (round(255 * part) for part in PALETTE[name])
        painter.setBrush(theme.colour(f"#{red:02x}{green:02x}{blue:02x}"))
        painter.drawRoundedRect(box, 4, 4)
    else:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 4, 4)
        painter.drawLine(box.bottomLeft(), box.topRight())


def _fitted(box: QRectF, width: int, height: int) -> QRectF:
    scale = min(box.width() / width, box.height() / height)
    size = width * scale, height * scale
    return QRectF(box.left(), box.top() + (box.height() - size[1]) / 2, *size)
