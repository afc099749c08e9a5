"""Running a session without a window: cranked through a file, or live until told to stop."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.config import Config
from app.summary import first_sample_s
from calibration.calibrate import default_chain
from calibration.subjects import Subject
from engines.errors import InputError
from pipeline.acquire import Acquisition
from pipeline.epochs import EpochConfig
from pipeline.lived import EVENTS_STREAM, AsLived, LivedLog
from pipeline.session import Session, Setup
from pipeline.sources.base import Source
from pipeline.types import Kind
from pipeline.worker import State
from pipeline.xdf_file import XdfFile

log = logging.getLogger(__name__)

# Below this nothing is left between the high-pass and the edge of the band.
MIN_RATE_HZ = 20.0

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
    config: Config, patterns: Mapping[str, Sequence[str]], subject: Subject | None, trial_start: str | None = None
) -> Callable[[Acquisition], Setup]:
    """How the session is set up once its stream is known: the subject's frozen chain, or the defaults."""

    def with_subject(acquisition: Acquisition) -> Setup:
        assert subject is not None
        acquisition.require_microvolts()
        subject.check(acquisition.info)
        decoder = subject.decoder
        return Setup(decoder.chain, decoder.epoch, patterns or subject.patterns, trial_start or subject.trial_start)

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
            f"stream {info.name!r} declares the unit {info.unit!r}: filters, epochs and decoding are off; "
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
) -> None:
    """Run the workers until stopped, until `limit_s` of data, until `ended` says so or a worker is dead."""
    session.start()
    try:
        while not stop.wait(0.2):
            view = session.view()
            done_s = seconds_done(session)
            answer = f", {view.n_decisions} decisions" if session.decoder else ""
            tick(None, f"{view.state}, {done_s:.0f} s, {view.n_markers} markers{answer}")
            if (limit_s is not None and done_s >= limit_s) or ended():
                break
            if any(w.state in (State.FAILED, State.STOPPED) for w in view.workers):
                break
    finally:
        session.stop()


def seconds_done(session: Session) -> float:
    """Seconds of data handled so far."""
    ring = session.acquisition.ring
    if not ring.written:
        return 0.0
    return float(ring.view(ring.written - 1, ring.written)[1][0]) - first_sample_s(session)
