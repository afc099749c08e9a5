"""Draws frames on a real window and saves what is on it: `python -m tests.app.stimulus.drawing FOLDER`."""

import sys
from pathlib import Path

import numpy as np
from OpenGL import GL
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent

from app.stimulus import window as window_module
from app.stimulus.director import Frame
from app.stimulus.stage import Stage
from app.stimulus.supply import Supply
from app.stimulus.window import StimulusWindow
from calibration.protocols.steps import Screen, Step
from calibration.stimuli import Item
from pipeline.clock import LslClock

SIDE_PX = 500
CAR, FIGURE = Item("car", "03"), Item("tangram02", "00")
FRAMES = {
    "picture": Frame(Step(Screen.PICTURE, 1.0, item=CAR), 0, 0.0),
    "turn": Frame(Step(Screen.TURN, 6.0, item=CAR), 90, 1.5),
    "fixation": Frame(Step(Screen.FIXATION, 1.0), 1, 0.0),
    "blank": Frame(Step(Screen.BLANK, 1.0), 1, 0.0),
    "figure": Frame(Step(Screen.FIGURE, 1.0, item=FIGURE), 1, 0.0),
    "lit": Frame(Step(Screen.FLICKER, 1.0, item=CAR, hz=10.0), 1, 0.0, lit=True),
    "dark": Frame(Step(Screen.FLICKER, 1.0, item=CAR, hz=10.0), 3, 0.05, lit=False),
    "word": Frame(Step(Screen.WORD, 1.0, text="umbrella"), 1, 0.0),
    "break": Frame(Step(Screen.BREAK, 1.0, waits=True), 1, 0.0),
}


def drawn(window, stage, frame):
    stage.draw(frame)
    pixels = GL.glReadPixels(0, 0, SIDE_PX, SIDE_PX, GL.GL_RGB, GL.GL_UNSIGNED_BYTE)
    window.context.swapBuffers(window)
    return np.frombuffer(pixels, np.uint8).reshape(SIDE_PX, SIDE_PX, 3)[::-1]


def typed(window):
    """The keys a window notes of what is pressed."""
    for key, text in ((Qt.Key.Key_Space, " "), (Qt.Key.Key_J, "j"), (Qt.Key.Key_Shift, ""), (Qt.Key.Key_Escape, "")):
        QCoreApplication.sendEvent(window, QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, text))
    QCoreApplication.sendEvent(
        window, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_J, Qt.KeyboardModifier.NoModifier, "j", True)
    )
    return [key.name for key in window.pressed()]


def main(folder):
    application = QGuiApplication([])
    window_module.WINDOW_PX = (SIDE_PX, SIDE_PX)
    window = StimulusWindow(LslClock(), 0, True)
    assert window.size_px == (SIDE_PX, SIDE_PX)
    pictures = {}
    for photodiode in (False, True):
        stage = Stage(Supply("builtin"), window.size_px, photodiode)
        shares = list(stage.prepare([frame.step for frame in FRAMES.values()]))
        assert shares[-1] == 1.0 and all(stage.ready(frame.step) for frame in FRAMES.values())
        suffix = "-photodiode" if photodiode else ""
        pictures |= {name + suffix: drawn(window, stage, frame) for name, frame in FRAMES.items()}
        stage.close()
    np.savez(folder / "drawn.npz", keys=np.array(typed(window)), **pictures)
    window.destroy()
    application.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
