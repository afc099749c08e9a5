"""The display: a window with an OpenGL context that flips on vertical sync, and its keyboard.

`QWindow` and `swapBuffers` rather than `QOpenGLWindow`: its repaints go through a timer of Qt's, and the loop of flips
is ours to pace (decision 0121).
"""

import sys
import time

from OpenGL import GL
from PySide6.QtCore import QCoreApplication, QEvent, QSize, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QOpenGLContext, QScreen, QSurface, QSurfaceFormat, QWindow

from app.stimulus.director import Frame
from app.stimulus.flips import Refresh, measured
from app.stimulus.show import Key
from app.stimulus.stage import Stage
from engines.errors import InputError, WorkError
from pipeline.clock import Clock

SAMPLES = 4
EXPOSED_S = 10.0
N_MEASURED = 60
KEYS_UNTIL_S = 0.003  # before the flip; drawing is done by then
POLL_S = 0.0005
WINDOW_PX = (1280, 800)
NAMED = {
    Qt.Key.Key_Escape: "escape", Qt.Key.Key_Space: "space", Qt.Key.Key_Left: "left", Qt.Key.Key_Right: "right",
    Qt.Key.Key_Up: "up", Qt.Key.Key_Down: "down", Qt.Key.Key_Return: "return", Qt.Key.Key_Enter: "return",
    Qt.Key.Key_Tab: "tab", Qt.Key.Key_Backspace: "backspace",
}  # fmt: skip


def screens() -> tuple[str, ...]:
    """The screens there are, one line each. Thread: main, with a QGuiApplication."""
    return tuple(_described(number, screen) for number, screen in enumerate(QGuiApplication.screens()))


class StimulusWindow(QWindow):
    """A window that notes keys with their times. Thread: main, with a QGuiApplication."""

    def __init__(self, clock: Clock, screen: int, windowed: bool) -> None:
        """Raises InputError: there is no such screen. WorkError: no OpenGL 3.3, or the window never appears."""
        there = QGuiApplication.screens()
        if not 0 <= screen < len(there):
            raise InputError(f"--screen takes 0 to {len(there) - 1}, {screen} came; there are: {'; '.join(screens())}")
        super().__init__(there[screen])
        self._clock = clock
        self._pressed: list[Key] = []
        self.closed = False
        self.setTitle("Afterimage")
        self.setSurfaceType(QSurface.SurfaceType.OpenGLSurface)
        self.setFormat(_format())
        self.setCursor(Qt.CursorShape.BlankCursor)
        if windowed:
            size = QSize(*WINDOW_PX)
            self.setMinimumSize(size)  # what is drawn is laid out once
            self.setMaximumSize(size)
            self.resize(size)
            self.show()
        else:
            self.setGeometry(there[screen].geometry())
            self.showFullScreen()
        self.context = self._exposed()

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height in the screen's own pixels."""
        ratio = self.devicePixelRatio()
        return round(self.width() * ratio), round(self.height() * ratio)

    def pressed(self) -> tuple[Key, ...]:
        """The keys since the last call."""
        QCoreApplication.processEvents()
        keys, self._pressed = tuple(self._pressed), []
        return keys

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Qt calls it while events are handled."""
        if not event.isAutoRepeat() and (name := _name(event)):
            self._pressed.append(Key(name, self._clock.now_s()))

    def event(self, event: QEvent) -> bool:
        """Qt calls it for everything; a window that is closed ends the run as Esc does."""
        if event.type() == QEvent.Type.Close:
            self.closed = True
        return super().event(event)

    def _exposed(self) -> QOpenGLContext:
        context = QOpenGLContext()
        context.setFormat(self.requestedFormat())
        if not context.create() or context.format().version() < (3, 3):
            raise WorkError("this display gives no OpenGL 3.3; install a graphics driver, or Mesa's software renderer")
        deadline_s = self._clock.now_s() + EXPOSED_S
        while not self.isExposed():
            QCoreApplication.processEvents()
            time.sleep(POLL_S)
            if self._clock.now_s() > deadline_s:
                raise WorkError(f"the window did not appear within {EXPOSED_S:g} s; is the desktop locked?")
        if not context.makeCurrent(self):
            raise WorkError("the window's OpenGL context cannot be used; is the graphics driver whole?")
        return context


class WindowDisplay:
    """`show.Display` on a real window. Thread: the window's."""

    def __init__(self, window: StimulusWindow, stage: Stage, clock: Clock) -> None:
        self._window = window
        self._stage = stage
        self._clock = clock
        self._last_s = clock.now_s()
        self.refresh = self._measured()

    @property
    def frame_s(self) -> float:
        """Seconds from flip to flip."""
        return 1 / self.refresh.hz

    @property
    def renderer(self) -> str:
        """What draws, as the driver calls itself."""
        return str(GL.glGetString(GL.GL_RENDERER).decode("utf-8", "replace"))

    def now_s(self) -> float:
        """The LSL clock."""
        return self._clock.now_s()

    def draw(self, frame: Frame) -> None:
        """Draw the frame; nobody sees it before the flip."""
        self._stage.draw(frame)
        GL.glFlush()

    def flip(self) -> float:
        """Swap, wait until it is done, and take the time.

        `glFinish` returns when the swap has happened and not when it was asked for (as PsychoPy's `waitBlanking` does);
        what the screen itself adds is in no stamp.
        """
        self._window.context.swapBuffers(self._window)
        GL.glFinish()
        self._last_s = self._clock.now_s()
        return self._last_s

    def keys(self) -> tuple[Key, ...]:
        """Keys until shortly before the next flip; without vertical sync this is what keeps the pace."""
        left_s = KEYS_UNTIL_S if self.refresh.synced else 0.0
        until_s = self._last_s + self.frame_s - left_s
        pressed = self._window.pressed()
        while self._clock.now_s() < until_s:
            time.sleep(POLL_S)
            pressed += self._window.pressed()
        return pressed

    def _measured(self) -> Refresh:
        flips_s = []
        for _ in range(N_MEASURED):
            self._stage.message("")
            flips_s.append(self.flip())
            self._window.pressed()
        return measured(flips_s, self._window.screen().refreshRate())


def _format() -> QSurfaceFormat:
    wanted = QSurfaceFormat()
    wanted.setVersion(3, 3)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    wanted.setDepthBufferSize(24)
    wanted.setSamples(SAMPLES)
    wanted.setSwapInterval(1)
    wanted.setSwapBehavior(QSurfaceFormat.SwapBehavior.DoubleBuffer)  # three buffers would show a frame later
    return wanted


def _name(event: QKeyEvent) -> str:
    """Space, left, a, 1 and so on in small letters; nothing for keys that write nothing, such as Shift."""
    key = Qt.Key(event.key()) if event.key() in NAMED else None
    return NAMED[key] if key is not None else event.text().strip().lower()


def _described(number: int, screen: QScreen) -> str:
    size = screen.size()
    name = screen.name() or sys.platform
    return f"{number}: {name}, {size.width()} x {size.height()}, {screen.refreshRate():.4g} Hz"
