"""Truth beside reconstruction, and which of a trial's answers the reconstruction was made from."""

from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app import theme
from app.panels.ramp import image_of
from app.panels.sight import Made
from app.pictures import Pictures

GAP_PX = 12
LABEL_PX = 18
LEAST_PX = 110
# As in `Decision.stage`: the picture alone, some of the turn, all of it.
STAGES = ("static", "refined", "fused")
UNKNOWN = "not known: the markers name no picture"


class Pair(QWidget):
    """Two squares: the picture that was shown, and the one that was reconstructed. Where one is missing, why.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(2 * LEAST_PX + GAP_PX, LEAST_PX + 2 * LABEL_PX)
        self._pictures: Pictures | None = None
        self._made: Made | None = None
        self._image: QImage | None = None
        self._nothing = ""

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As high as two squares side by side want to be."""
        return QSize(380, (380 - GAP_PX) // 2 + 2 * LABEL_PX)

    def set_pictures(self, pictures: Pictures) -> None:
        """Where the true pictures come from."""
        self._pictures = pictures
        pictures.changed.connect(self._on_changed)

    def set_nothing(self, why: str) -> None:
        """What to say as long as there is no reconstruction."""
        if why != self._nothing:
            self._nothing = why
            self.update()

    def set_made(self, made: Made | None) -> None:
        """The reconstruction to show."""
        self._made = made
        picture = made.reconstruction.picture if made else None
        self._image = None if picture is None else image_of(picture)
        self.update()

    def words(self) -> Mapping[str, str]:
        """What stands over and in the two squares."""
        made = self._made
        if made is None:
            return {"truth": "Seen", "made": "Reconstructed", "no truth": "", "not made": self._nothing}
        return {
            "truth": f"Seen · {made.true_key or made.true or 'not known'}",
            "made": f"Reconstructed · {made.reconstruction.wish.stage}",
            "no truth": self._why_no_truth(made),
            "not made": made.reconstruction.error or "…",
        }

    def _why_no_truth(self, made: Made) -> str:
        if not made.true_key:
            return UNKNOWN
        return (self._pictures.why_not(made.true_key) if self._pictures else "") or "…"

    def _on_changed(self, key: str) -> None:
        if self._made is not None and self._made.true_key == key:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Both, at the same height."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.setFont(theme.font(9))
        side = min((self.width() - GAP_PX) / 2, self.height() - LABEL_PX)
        left = (self.width() - 2 * side - GAP_PX) / 2
        words, key = self.words(), self._made.true_key if self._made else ""
        true = self._pictures.picture(key) if self._pictures and key else None
        self._paint_square(painter, QRectF(left, LABEL_PX, side, side), words["truth"], true, words["no truth"])
        made = QRectF(left + side + GAP_PX, LABEL_PX, side, side)
        self._paint_square(painter, made, words["made"], self._image, words["not made"])
        if self._made is not None:
            _paint_stages(painter, made, self._made.reconstruction.wish.stage)
        painter.end()

    def _paint_square(self, painter: QPainter, box: QRectF, title: str, image: QImage | None, why: str) -> None:
        painter.setPen(theme.colour(theme.MUTED))
        shown = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, int(box.width()))
        painter.drawText(QPointF(box.left(), 12), shown)
        if image is None:
            paint_missing(painter, box, why)
        else:
            painter.drawImage(fitted(box, image), image)


def _paint_stages(painter: QPainter, box: QRectF, stage: str) -> None:
    """Three dots at the upper right of `box`: how far the trial had come, as far as `stage` filled."""
    if stage not in STAGES:
        return
    painter.setPen(QPen(theme.colour(theme.ACCENT), 1.2))
    for number in range(len(STAGES)):
        filled = number <= STAGES.index(stage)
        painter.setBrush(theme.colour(theme.ACCENT) if filled else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QPointF(box.right() - 5 - 11 * (len(STAGES) - 1 - number), 8.0), 3.2, 3.2)


def paint_missing(painter: QPainter, box: QRectF, why: str) -> None:
    """An empty frame with the reason in it."""
    painter.setPen(QPen(theme.colour(theme.LINE), 1))
    painter.setBrush(theme.colour(theme.GROUND))
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.setPen(theme.colour(theme.FAINT))
    inside = box.adjusted(8, 8, -8, -8)
    painter.drawText(inside, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, why)


def fitted(box: QRectF, image: QImage) -> QRectF:
    """As large as fits, in the middle, its sides as they are."""
    scale = min(box.width() / image.width(), box.height() / image.height())
    width, height = image.width() * scale, image.height() * scale
    return QRectF(box.center().x() - width / 2, box.center().y() - height / 2, width, height)
