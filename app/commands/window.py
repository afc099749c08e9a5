"""`afterimage window`: opens the window."""

import argparse
import logging
import signal
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer

from app.album import Album
from app.apart import remembering
from app.bridge import Bridge, Hooks
from app.config import Config, load, save
from app.headless import as_lived, has_display, located, parse_events, setup_for
from app.lsl_settings import configure_lsl
from app.main_window import MainWindow, dressed_application
from app.panels.frame import Known, Request
from app.reconstructing import Reconstructing
from app.seeing import Seeing
from app.sheet_process import drawn_beside
from app.simulation import performance_for
from app.summary import figures, run_fields, stream_fields, versions
from calibration.decoding.subject import AnytimeSubject
from calibration.report import write_report
from calibration.subjects import AnySubject
from calibration.subjects import load as load_subject
from engines.errors import InputError
from pipeline.clock import LslClock
from pipeline.outlets import DecisionOutlet
from pipeline.reconstruction import Reconstruction
from pipeline.recorder.midway import MidwayRecording
from pipeline.session import Session
from pipeline.sources.base import Source
from pipeline.sources.paced import PacedSource
from pipeline.sources.select import open_source
from pipeline.sources.simulated import Performance, SimulatedSource
from pipeline.types import ClockOffset, Decision

log = logging.getLogger(__name__)

AWAKE_MS = 200
POCKET = "pocket"
# Keys of marker streams that no LSL stream stands behind.
NOT_LSL = ("trigger:", "brainflow:", "annotations")


def window(options: argparse.Namespace) -> int:
    """Open the window and stay until it is closed.

    Raises:
        InputError: there is no display, or `--headless` was asked for.
    """
    check_display(getattr(options, "headless", False))
    configure_lsl()
    config = load(getattr(options, "config", None))
    seed = getattr(options, "seed", None)
    simulation = partial(performance_for, seed=seed if seed is not None else config.seed or None)
    out = getattr(options, "out", None) or Path("out")
    unit, locations = getattr(options, "unit", None), getattr(options, "locations", None)
    return show(Makers(config, unit, simulation, out, locations, getattr(options, "reconstruct", False)))


def show(makers: "Makers", first: Request | None = None) -> int:
    """Show the window, connect it to `first`, and stay until it is closed. Thread: main."""
    application = dressed_application()
    with makers:
        controller = Bridge(makers.session, makers.recording, makers.out, makers.report, makers.known)
        main = MainWindow(controller, makers.seeing)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: main.end())
        awake = QTimer()  # Python sees a signal only when some Python runs
        awake.timeout.connect(lambda: None)
        awake.start(AWAKE_MS)
        main.show()
        if first is not None:
            controller.connect_to(first)
        status = application.exec()
    return status


def check_display(headless: bool) -> None:
    """Qt would end the whole process where it finds no display."""
    if headless:
        raise InputError("a window cannot be headless; use afterimage live, replay or record")
    if not has_display():
        raise InputError("no display was found (DISPLAY is not set); use afterimage live, replay or record")


class Makers:
    """What the bridge is given to make: sessions, recordings and reports, from what the user asked for.

    In a `with` statement decisions are published over LSL, and made visible by `seeing`, from the start with
    `reconstruct`. Thread: the bridge's; decisions come from the session's.
    """

    def __init__(
        self,
        config: Config,
        unit: str | None,
        simulation: Callable[[AnySubject | None], Performance],
        out: Path,
        locations: Path | None = None,
        reconstruct: bool = False,
    ) -> None:
        self.out = out
        self.seeing = Seeing(partial(reconstructing, config), config.reconstruction.generators(), on=reconstruct)
        self._locations = locations
        self._config = config
        self._unit = unit
        self._simulation = simulation
        self._outlet: DecisionOutlet | None = None
        self._known = Known()
        self._folder = out  # of the newest session's report

    def __enter__(self) -> "Makers":
        return self

    def __exit__(self, *exception: object) -> None:
        self.seeing.close()
        if self._outlet is not None:
            self._outlet.stop()

    def _publish(self, subject: AnySubject) -> DecisionOutlet:
        """The outlet, opened with the first subject."""
        if self._outlet is None:
            self._outlet = DecisionOutlet(subject.decoder.classes)
            self._outlet.start()
        return self._outlet

    def known(self) -> Known:
        """What is known of the subject of the newest session."""
        return self._known

    def report(self, session: Session, request: Request) -> None:
        """Write the report of a session that has ended."""
        made, shown = self.seeing.end(), figures(session)
        report = {"command": "window", **stream_fields(session), **run_fields(session)}
        if made is not None:
            shown = made.enter(report, shown, session, drawn_beside)
        page = write_report(self._folder, report, shown)
        save(self._config, self._folder, {"command": "window", "versions": versions()})
        log.info("report: %s", page)

    def session(self, request: Request, hooks: Hooks) -> Session:
        """A session over the source that was asked for, not yet open.

        Raises:
            InputError: the source means nothing, or the subject cannot be read.
        """
        subject = self._read(request)
        self._known = known_of(subject)
        name = "".join(c if c.isalnum() else "-" for c in request.title).strip("-")
        self._folder = self.out / f"{datetime.now():%Y%m%d-%H%M%S}-{name}"
        memory = self.seeing.begin(subject, lambda: self._read(request), self._album())
        outlet = self._publish(subject) if subject else None
        config = self._config

        def decided(decision: Decision) -> None:
            if outlet is not None:
                outlet.publish(decision)
            self.seeing.decided(decision)
            hooks.on_decision(decision)

        events = {name: tuple(globs) for name, globs in config.events.items()}
        return Session(
            self._source(request, hooks, subject),
            setup_for(config, events or parse_events(()), subject),
            decoder=remembering(subject, memory),
            frozen=subject.frozen if subject else None,
            unit=request.unit or self._unit or config.unit,
            on_log_line=hooks.on_log_line,
            on_decision=decided,
            on_item=hooks.on_item,
            coupling=config.live_coupling(by_default=True),
        )

    def _album(self) -> Album:
        return Album(self._folder, self._config.reconstruction.mesh_formats, apart=True)

    def _read(self, request: Request) -> AnySubject | None:
        decoding = self._config.decoding
        return load_subject(request.subject, decoding.runtimes, decoding.threads) if request.subject else None

    def recording(
        self, path: Path, request: Request, session: Session, offsets: Sequence[ClockOffset]
    ) -> MidwayRecording:
        """A recording of what the session reads, under way.

        Raises:
            StreamMissing, RecordingFailed: it could not begin.
        """
        acquisition = session.acquisition
        infos = {"": acquisition.info, **acquisition.marker_streams}
        lsl = request.source.startswith("lsl:") or request.source == "sim"
        over_lsl = frozenset(key for key in infos if lsl and not key.startswith(NOT_LSL))
        return MidwayRecording(path, infos, over_lsl, offsets, session.clock).start()

    def _source(self, request: Request, hooks: Hooks, subject: AnySubject | None) -> Source:
        source = open_source(
            request.source,
            request.markers or None,
            simulated=lambda: SimulatedSource(self._simulation(subject)),
            on_wait=hooks.on_wait,
        )
        source = located(source, self._locations)
        path = Path(request.source)
        return source if source.live else PacedSource(as_lived(source, path), LslClock())


def reconstructing(config: Config, subject: AnySubject, on_made: Callable[[Reconstruction], None]) -> Reconstructing:
    """What generates for this subject, under way."""
    made = Reconstructing(config.reconstruction, subject, config.seed, on_made)
    made.start()
    return made


def known_of(subject: AnySubject | None) -> Known:
    """What the window tells of a subject."""
    if subject is None:
        return Known()
    if not isinstance(subject, AnytimeSubject):
        return Known(simulated=subject.simulated)
    told = subject.manifest
    return Known(told.simulated, told.size == POCKET or told.encoder.startswith(POCKET), told.stimuli)
