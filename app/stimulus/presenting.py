"""What runs in the presenter's process: window, stage, marker outlet, and the run from preparation to report."""

import gc
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import pylsl
from PySide6.QtGui import QGuiApplication

from app.stimulus.director import Director, Marker
from app.stimulus.messages import Presentation, Progress
from app.stimulus.outcome import outcome
from app.stimulus.show import ESCAPE, Shown, show
from app.stimulus.stage import Stage
from app.stimulus.supply import Supply
from app.stimulus.window import StimulusWindow, WindowDisplay
from engines.errors import AfterimageError
from pipeline.clock import Clock, LslClock
from pipeline.outlet import lsl_info
from pipeline.types import StreamInfo

STREAM = StreamInfo(
    "AfterimageStimuli", "Markers", 1, 0.0, "string", source_id="afterimage-stimuli", manufacturer="Afterimage"
)
LINGER_S = 0.5  # liblsl drops what is still on its way when an outlet goes


def present(presentation: Presentation, pipe: Connection, application: QGuiApplication) -> dict[str, Any]:
    """Show the run on this process's own window; the fields of its report.

    Thread: main of a process that has no other window.

    Raises:
        InputError: what was asked for cannot be shown.
        WorkError: the display gives no window or no OpenGL.
    """
    clock = LslClock()
    supply = Supply(presentation.set_name)
    outlet = pylsl.StreamOutlet(lsl_info(STREAM))
    window = StimulusWindow(clock, presentation.screen, presentation.windowed)
    stage = Stage(supply, window.size_px, presentation.photodiode)
    try:
        display = WindowDisplay(window, stage, clock)
        director = Director(presentation.steps, display.refresh.hz, stage.ready)
        if not _prepared(stage, display, window, presentation, pipe):
            return {}
        heard = bool(outlet.have_consumers())
        try:
            shown = _shown(director, display, outlet, lambda: window.closed or told_to_stop(pipe))
        finally:
            _linger(display, window, clock)
        screen = _described(window, display, application)
        return outcome(shown, presentation.steps, display.refresh, screen, heard)
    finally:
        stage.close()
        window.destroy()


def _shown(
    director: Director, display: WindowDisplay, outlet: pylsl.StreamOutlet, stopped: Callable[[], bool]
) -> Shown:
    """The run; one that breaks off is told as such to whoever records."""

    def send(marker: Marker) -> None:
        outlet.push_sample([marker.label], marker.at_s)

    # What was prepared stays: looking through it for garbage in the middle of a run would cost frames.
    gc.collect()
    gc.freeze()
    try:
        return show(director, display, send, stopped)
    except AfterimageError:
        for marker in director.aborted(display.now_s()):
            send(marker)
        raise


def told_to_stop(pipe: Connection) -> bool:
    """Whether the parent asked for the end, or is gone."""
    try:
        return pipe.poll()
    except OSError:  # Windows reports a closed pipe this way
        return True


def _prepared(
    stage: Stage, display: WindowDisplay, window: StimulusWindow, presentation: Presentation, pipe: Connection
) -> bool:
    """False when told to stop on the way."""
    for share in stage.prepare(presentation.steps):
        stage.message(f"Preparing, {share:.0%}")
        display.flip()
        if window.closed or told_to_stop(pipe) or any(key.name == ESCAPE for key in window.pressed()):
            return False
        pipe.send(Progress("preparing", share))
    pipe.send(Progress("showing", 1.0))
    return True


def _linger(display: WindowDisplay, window: StimulusWindow, clock: Clock) -> None:
    until_s = clock.now_s() + LINGER_S
    while clock.now_s() < until_s:
        window.pressed()
        display.flip()
        clock.sleep_until_s(clock.now_s() + display.frame_s / 2)


def _described(window: StimulusWindow, display: WindowDisplay, application: QGuiApplication) -> dict[str, Any]:
    width, height = window.size_px
    return {
        "name": window.screen().name(),
        "width_px": width,
        "height_px": height,
        "renderer": display.renderer,
        "platform": application.platformName(),
    }
