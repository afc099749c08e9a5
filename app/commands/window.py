"""`afterimage window`: opens the window."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer

from app.bridge import Bridge, Hooks
from app.config import Config, load
from app.headless import as_lived, parse_events, setup_for
from app.lsl_settings import configure_lsl
from app.main_window import MainWindow, dressed_application
from app.panels.frame import Request
from app.window_recording import WindowRecording
from calibration.simulate import SimulateConfig, plan
from calibration.subjects import load as load_subject
from engines.errors import InputError
from pipeline.clock import LslClock
from pipeline.session import Session
from pipeline.sources.base import Source
from pipeline.sources.paced import PacedSource
from pipeline.sources.select import open_source
from pipeline.types import ClockOffset

log = logging.getLogger(__name__)

AWAKE_MS = 200
# Keys of marker streams that no LSL stream stands behind.
NOT_LSL = ("trigger:", "brainflow:", "annotations")


def window(options: argparse.Namespace) -> int:
    """Open the window and stay until it is closed.

    Raises:
        InputError: there is no display, or `--headless` was asked for.
    """
    _check_display(getattr(options, "headless", False))
    configure_lsl()
    config = load(getattr(options, "config", None))
    makers = Makers(config, getattr(options, "unit", None), getattr(options, "seed", None) or config.seed)
    application = dressed_application()
    controller = Bridge(makers.session, makers.recording, getattr(options, "out", None) or Path("out"))
    main = MainWindow(controller)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: main.end())
    awake = QTimer()  # Python sees a signal only when some Python runs
    awake.timeout.connect(lambda: None)
    awake.start(AWAKE_MS)
    main.show()
    return application.exec()


def _check_display(headless: bool) -> None:
    """Qt would end the whole process where it finds no display."""
    if headless:
        raise InputError("a window cannot be headless; use afterimage live, replay or record")
    linux = sys.platform.startswith("linux")
    if linux and not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        raise InputError("no display was found (DISPLAY is not set); use afterimage live, replay or record")


class Makers:
    """What the bridge is given to make: sessions and recordings, from what the user asked for.

    Thread: the bridge's.
    """

    def __init__(self, config: Config, unit: str | None, seed: int) -> None:
        self._config = config
        self._unit = unit
        self._seed = seed

    def session(self, request: Request, hooks: Hooks) -> Session:
        """A session over the source that was asked for, not yet open.

        Raises:
            InputError: the source means nothing, or the subject cannot be read.
        """
        subject = load_subject(request.subject) if request.subject else None
        config = self._config
        events = {name: tuple(globs) for name, globs in config.events.items()}
        return Session(
            self._source(request, hooks),
            setup_for(config, events or parse_events(()), subject),
            decoder=subject.decoder if subject else None,
            frozen=subject.frozen if subject else None,
            unit=request.unit or self._unit or config.unit,
            on_log_line=hooks.on_log_line,
            on_decision=hooks.on_decision,
            on_item=hooks.on_item,
        )

    def recording(
        self, path: Path, request: Request, session: Session, offsets: Sequence[ClockOffset]
    ) -> WindowRecording:
        """A recording of what the session reads, under way.

        Raises:
            StreamMissing, RecordingFailed: it could not begin.
        """
        acquisition = session.acquisition
        infos = {"": acquisition.info, **acquisition.marker_streams}
        lsl = request.source.startswith("lsl:") or request.source == "sim"
        over_lsl = frozenset(key for key in infos if lsl and not key.startswith(NOT_LSL))
        return WindowRecording(path, infos, over_lsl, offsets, session.clock).start()

    def _source(self, request: Request, hooks: Hooks) -> Source:
        source = open_source(request.source, request.markers or None, simulated=self._simulated, on_wait=hooks.on_wait)
        path = Path(request.source)
        return source if source.live else PacedSource(as_lived(source, path), LslClock())

    def _simulated(self) -> Source:
        from pipeline.sources.simulated import SimulatedSource  # starts multiprocessing: only when it is wanted

        return SimulatedSource(plan(SimulateConfig(seed=self._seed)))
