"""Running a session without a window: cranked through a file, or live until told to stop."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.config import Config
from app.summary import WELCOME, first_sample_s
from calibration.decoding.subject import AnytimeSubject
from calibration.defaults import default_chain
from calibration.subjects import AnySubject
from engines.errors import InputError
from pipeline.acquire import Acquisition, unit_declared
from pipeline.epochs import EpochConfig
from pipeline.lived import EVENTS_STREAM, AsLived, LivedLog
from pipeline.montage import read_locations
from pipeline.session import Session, Setup
from pipeline.sources.base import Source
from pipeline.sources.located import LocatedSource
from pipeline.types import Kind
from pipeline.worker import Health, State
from pipeline.xdf.file import XdfFile

log = logging.getLogger(__name__)

# Below this nothing is left between the high-pass and the edge of the band.
MIN_RATE_HZ = 20.0
POLL_S = 0.2
QUIET_S = 1.0

Tick = Callable[[float | None, str], None]


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; the second signal interrupts at once."""
    stop = threading.Event()

    def asked(number: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        log.info("signal %d: finishing", number)
        stop.set()

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def parse_events(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """`--event CLASS=PATTERN` texts to {class: globs}; a class may have several.

    Raises:
        InputError: a text without "=".
    """
    events: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, equals, glob = text.partition("=")
        if not (equals and name and glob):
            raise InputError(f"--event wants CLASS=PATTERN, for example --event 'face=2'; got {text!r}")
        events[name] = (*events.get(name, ()), glob)
    return events


def setup_for(
    config: Config, patterns: Mapping[str, Sequence[str]], subject: AnySubject | None, trial_start: str | None = None
) -> Callable[[Acquisition], Setup]:
    """How the session is set up once its stream is known: the subject's frozen chain, or the defaults."""

    def with_subject(acquisition: Acquisition) -> Setup:
        assert subject is not None
        acquisition.require_microvolts()
        subject.check(acquisition.info)
        decoder, classes = subject.decoder, patterns or subject.patterns
        if isinstance(subject, AnytimeSubject):
            return Setup(decoder.chain, subject.decoder.windows.static, classes, colour_of=subject.colour_of)
        return Setup(decoder.chain, subject.decoder.epoch, classes, trial_start or subject.trial_start)

    def without(acquisition: Acquisition) -> Setup:
        off = _why_off(acquisition)
        if off:
            return Setup(None, None, patterns, trial_start, off)
        chain = config.chain_from(default_chain(acquisition.info))
        return Setup(chain, config.epoch_from(EpochConfig()), patterns, trial_start)

    return with_subject if subject else without


def _why_off(acquisition: Acquisition) -> str:
    info = acquisition.info
    if info.sfreq_hz <= 0:
        return f"stream {info.name!r} has no regular rate: filters, epochs and decoding are off"
    if not acquisition.unit_known:
        return (
            f"stream {info.name!r} declares {unit_declared(info)}: filters, epochs and decoding are off; "
            "say what it is with --unit, for example --unit uV"
        )
    if not any(c.kind is Kind.EEG for c in info.channels):
        return f"stream {info.name!r} has no EEG channel: filters, epochs and decoding are off"
    if info.sfreq_hz < MIN_RATE_HZ:
        return f"stream {info.name!r} has {info.sfreq_hz:g} Hz, too slow to filter: epochs and decoding are off"
    return ""


def lived_log(path: Path) -> LivedLog | None:
    """What the live session that recorded this file saw; None for every other file."""
    if path.suffix.lower() != ".xdf":
        return None
    with XdfFile(path) as file:
        for stream in file.streams:
            if stream.info.name == EVENTS_STREAM:
                return LivedLog.parse(values[0] for values in file.load_strings(stream).values)
    return None


def located(source: Source, path: Path | None) -> Source:
    """The source with its electrodes where `--locations` says.

    Raises:
        FileUnreadable: no location file.
    """
    return source if path is None else LocatedSource(source, read_locations(path))


def as_lived(source: Source, path: Path) -> Source:
    """The source as the live session saw it, when the file is a recording of one."""
    lived = lived_log(path)
    return source if lived is None else AsLived(source, lived)


def crank_through(session: Session, limit_s: float | None, stop: threading.Event, tick: Tick) -> None:
    """Run a finite source to its end, to `limit_s` of its data, or until stopped."""
    while not stop.is_set() and session.crank():
        done_s = seconds_done(session)
        tick(None, f"{done_s:.0f} s")
        if limit_s is not None and done_s >= limit_s:
            break
    session.finish()
    session.close()


def run_live(
    session: Session,
    limit_s: float | None,
    stop: threading.Event,
    tick: Tick,
    ended: Callable[[], bool] = lambda: False,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Run the workers until stopped, until `limit_s` of data, until `ended` says so or no more samples will come.

    `tell` hears at once what happens to the streams and the recording.
    """
    session.start()
    n_told = 0
    try:
        while not stop.wait(POLL_S):
            view = session.view()
            n_told = _tell_news(session, n_told, tell)
            done_s = seconds_done(session)
            answer = f", {view.n_decisions} decisions" if session.decoder else ""
            tick(None, f"{view.state}, {done_s:.0f} s, {view.n_markers} markers{answer}")
            if (limit_s is not None and done_s >= limit_s) or ended():
                break
            if not _goes_on(session, view.workers):
                break
    finally:
        session.stop()


def _tell_news(session: Session, n_told: int, tell: Callable[[str], None]) -> int:
    n = session.event_counts.total()
    for event in session.view().events[-min(n - n_told, 50) :] if n > n_told else ():
        if event.kind not in WELCOME:
            tell(event.text)
    return n


def _goes_on(session: Session, workers: Sequence[Health]) -> bool:
    """False when nothing more will be read. A decoder that died begins again: it loses one trial, not the session."""
    acquire, *readers = workers
    for reader in readers:
        if reader.state is State.FAILED:
            session.restart_worker(reader.name)
    return acquire.state is State.RUNNING


def all_received(session: Session, sent: Callable[[], bool]) -> Callable[[], bool]:
    """True when `sent` is and nothing has come for a second: what was sent last is still on its way by then."""
    newest = (0, 0)

    def quiet() -> bool:
        nonlocal newest
        n, polls = newest
        now = session.acquisition.n_received
        newest = (now, polls + 1 if now == n and sent() else 0)
        return newest[1] * POLL_S >= QUIET_S

    return quiet


def exit_status(session: Session) -> int:
    """0, or 1 when something of the work failed: a worker died, if only once, or the recording ended early."""
    died = any(w.health.state is State.FAILED or w.health.n_restarts for w in session.workers)
    return 1 if died or session.event_counts["recording_failed"] else 0


def seconds_done(session: Session) -> float:
    """Seconds of data handled so far."""
    ring = session.acquisition.ring
    if not ring.written:
        return 0.0
    return float(ring.view(ring.written - 1, ring.written)[1][0]) - first_sample_s(session)


def has_display() -> bool:
    """Whether a window can be shown; Qt would end the whole process where it finds no display."""
    named = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
    return named or not sys.platform.startswith("linux")
