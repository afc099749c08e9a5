"""A shape in a square: drawn elsewhere, turned with the mouse."""

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import theme
from app.panels.picture_pair import LABEL_PX, paint_missing

LEAST_PX = 110
NOTCH = 120.0  # of a wheel, as Qt counts


class MeshView(QWidget):
    """Shows the newest picture of a shape; `dragged` by pixels and `zoomed` by notches of the wheel.

    Thread: main only.
    """

    dragged = Signal(float, float)
    zoomed = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(LEAST_PX, LEAST_PX + LABEL_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip("Drag to turn it, wheel to come nearer; either stops the turntable")
        self.title = ""
        self.why_not = ""
        self.image: QImage | None = None
        self._held: QPoint | None = None

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """A square under its title."""
        return QSize(180, 180 + LABEL_PX)

    def set_words(self, title: str, why_not: str) -> None:
        """What stands above it, and what in it as long as there is no picture."""
        if (title, why_not) != (self.title, self.why_not):
            self.title, self.why_not = title, why_not
            self.update()

    def set_image(self, image: QImage | None) -> None:
        """The newest picture of the shape."""
        self.image = image
        self.update()

    @property
    def side_px(self) -> int:
        """Of the square, in the screen's own pixels."""
        return max(1, round(self._side * self.devicePixelRatioF()))

    @property
    def _side(self) -> int:
        return min(self.width(), self.height() - LABEL_PX)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Take hold."""
        self._held = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Turn with the mouse."""
        if self._held is not None:
            moved = event.position().toPoint() - self._held
            self._held = event.position().toPoint()
            self.dragged.emit(moved.x(), moved.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name and arguments
        """Let go."""
        self._held = None

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Nearer and farther."""
        self.zoomed.emit(event.angleDelta().y() / NOTCH)
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """The picture, or why there is none."""
        painter = QPainter(self)
        painter.setFont(theme.font(9))
        painter.setPen(theme.colour(theme.MUTED))
        shown = painter.fontMetrics().elidedText(self.title, Qt.TextElideMode.ElideRight, self.width())
        side = self._side
        box = QRectF((self.width() - side) / 2, LABEL_PX, side, side)
        painter.drawText(QPointF(box.left(), 12), shown)
        if self.image is None:
            paint_missing(painter, box, self.why_not)
        else:
            painter.drawImage(box, self.image)
        painter.end()
