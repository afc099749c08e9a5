"""The last trials in a row, truth over reconstruction, the newest at the right."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QHelpEvent, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from app import theme
from app.panels.picture_pair import fitted, paint_missing
from app.panels.ramp import image_of
from app.panels.sight import Made
from app.pictures import Pictures
from pipeline.reconstruction import Picture

SIDE_PX = 44
STEP_PX = SIDE_PX + 4


class Strip(QWidget):
    """As many of the newest trials as fit.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(2 * SIDE_PX + 3)
        self.setMouseTracking(True)
        self._pictures: Pictures | None = None
        self._made: tuple[Made, ...] = ()
        self._small: dict[int, tuple[Picture, QImage]] = {}

    def set_pictures(self, pictures: Pictures) -> None:
        """Where the true pictures come from."""
        self._pictures = pictures
        pictures.changed.connect(self._on_changed)

    def set_made(self, made: Sequence[Made]) -> None:
        """The newest of each trial, oldest first."""
        if [m.reconstruction for m in made] == [m.reconstruction for m in self._made]:
            return
        self._made = tuple(made)
        known = self._small
        self._small = {}
        for one in made:
            picture, old = one.reconstruction.picture, known.get(one.trial)
            if picture is not None and (old is None or old[0] is not picture):
                self._small[one.trial] = picture, self._shrunk(image_of(picture))
            elif old is not None and (picture is not None or not one.reconstruction.complete):
                self._small[one.trial] = old
        self.update()

    def shown(self) -> tuple[Made, ...]:
        """What is drawn, oldest first."""
        return self._made[-max(1, self.width() // STEP_PX) :]

    def told(self, made: Made) -> str:
        """A trial in words."""
        wish = made.reconstruction.wish
        lines = [f"<b>Trial {made.trial + 1}</b> · {wish.stage}", f"seen: {made.true_key or made.true or 'not known'}"]
        return "<br>".join([*lines, f"decoded: {wish.category}", made.reconstruction.caption])

    def event(self, event: QEvent) -> bool:
        """Tell the trial under the mouse."""
        if isinstance(event, QHelpEvent):
            shown = self.shown()
            number = int((event.pos().x() - self._left(len(shown))) // STEP_PX)
            told = self.told(shown[number]) if 0 <= number < len(shown) else ""
            QToolTip.showText(event.globalPos(), told, self)
            return True
        return super().event(event)

    def _left(self, n: int) -> float:
        return self.width() - n * STEP_PX + (STEP_PX - SIDE_PX)

    def _shrunk(self, image: QImage) -> QImage:
        side = round(SIDE_PX * self.devicePixelRatioF())
        mode, fast = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        return image.scaled(side, side, mode, fast)

    def _on_changed(self, key: str) -> None:
        if any(made.true_key == key for made in self._made):
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """A column a trial."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.setFont(theme.font(8.5))
        shown = self.shown()
        for number, made in enumerate(shown):
            x = self._left(len(shown)) + number * STEP_PX
            true = self._pictures.picture(made.true_key) if self._pictures and made.true_key else None
            small = self._small.get(made.trial)
            for image, y in ((true, 0.0), (small[1] if small else None, SIDE_PX + 3.0)):
                box = QRectF(x, y, SIDE_PX, SIDE_PX)
                if image is None:
                    paint_missing(painter, box, "·")
                else:
                    painter.drawImage(fitted(box, image), image)
        painter.end()
