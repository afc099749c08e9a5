"""`afterimage simulate`: a participant, a protocol and a seed, played over LSL or written to a file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import numpy as np

from calibration import protocol
from calibration.participant import Stimulus, make_participant
from calibration.stimuli import Item
from engines.errors import InputError
from pipeline.clock import LslClock
from pipeline.simulated.participant import Participant
from pipeline.sources.played import START_S, PlayedSource
from pipeline.sources.simulated import Outlets, Performance, perform
from pipeline.types import EegChunk, MarkerChunk
from pipeline.xdf.writer import XdfWriter

TAIL_S = 2.0
OFFSET_EVERY_S = 5.0
BOUNDARY_EVERY_S = 10.0
SFREQ_LIMITS_HZ = (100.0, 5000.0)
ACCURACY = 0.95  # of the participant's answers by key


@dataclass(frozen=True)
class SimulateConfig:
    """What can be asked of a simulation. None leaves it to the protocol; `minutes` None plays it to its end.

    `objects` are the names of those that are shown of each category, `items` ("car/08") names each thing by itself.

    `seed` makes the participant, and with `run` the order of the trials and all ongoing activity: one person on another
    day is the same seed and another run.
    """

    seed: int = 0
    run: int = 0
    snr: float = 1.0
    n_categories: int | None = None
    repeats: int | None = None
    sfreq_hz: float = 250.0
    line_hz: float = 50.0
    minutes: float | None = None
    protocol: str = "pictures"
    objects: tuple[str, ...] | None = None
    items: tuple[str, ...] | None = None

    def showing(self, protocol: str, items: Sequence[str], repeats: int) -> "SimulateConfig":
        """The same with another protocol, and of its set these things alone."""
        return replace(self, protocol=protocol, items=tuple(items), repeats=repeats)


def plan(config: SimulateConfig, participant: Participant | None = None) -> Performance:
    """Make the participant and the run; `participant` is the one of another run of the same, made already.

    Raises:
        InputError: the configuration asks for something that cannot be; the message says what.
    """
    _check(config)
    chosen = protocol.load(
        config.protocol,
        n_categories=config.n_categories,
        repeats=config.repeats,
        items=None if config.items is None else [Item(*key.split("/")) for key in config.items],
        objects=config.objects,
    )
    steps = protocol.steps(chosen, protocol.trials(chosen, config.seed, config.run))
    shown = protocol.answered(steps, accuracy=ACCURACY, seed=[config.seed, config.run])
    stop_s = shown[-1].at_s + TAIL_S if config.minutes is None else config.minutes * 60
    if config.minutes is not None:
        shown = protocol.shortened(shown, stop_s)
    if participant is None:
        stimuli = [Stimulus(i.category, i.object, target=i.category in chosen.targets) for i in chosen.items]
        participant = make_participant(config.seed, stimuli, sfreq_hz=config.sfreq_hz, line_hz=config.line_hz)
    return Performance(participant, shown, config.snr, stop_s, config.run)


def simulate(config: SimulateConfig, stop: Event) -> None:
    """Play over LSL until the run is over or `stop` is set. Thread: the caller's.

    Raises:
        InputError: as `plan`.
    """
    performance = plan(config)
    perform(performance, Outlets(performance), LslClock(), stop.is_set)


def to_file(config: SimulateConfig, path: Path, progress: Callable[[float], None]) -> None:
    """Write the same run to an XDF file as fast as it can be computed; `progress` hears the share done.

    Raises:
        InputError: as `plan`.
        RecordingFailed: the file exists or cannot be written; what was written before is whole.
    """
    performance = plan(config)
    with XdfWriter(path) as writer:
        _write(performance, writer, progress)


def _write(performance: Performance, writer: XdfWriter, progress: Callable[[float], None]) -> None:
    streams = [writer.add_stream(info) for info in performance.infos]
    eeg, markers = streams
    source = PlayedSource(performance)
    source.open()
    next_offset_s = next_boundary_s = 0.0
    while source.share < 1.0:
        if source.at_s >= next_offset_s:
            for stream in streams:
                writer.write_offset(stream, START_S + source.at_s, 0.0)
            next_offset_s += OFFSET_EVERY_S
        if source.at_s >= next_boundary_s:
            writer.write_boundary()
            next_boundary_s += BOUNDARY_EVERY_S
        for item in source.read(0.0):
            match item:
                case MarkerChunk():
                    writer.write_samples(markers, item.stamps_s, item.labels)
                case EegChunk():
                    writer.write_samples(eeg, item.stamps_s, item.data)
        progress(source.share)


def _check(config: SimulateConfig) -> None:
    low, high = SFREQ_LIMITS_HZ
    if not low <= config.sfreq_hz <= high:
        raise InputError(f"--rate takes {low:g} to {high:g} Hz, {config.sfreq_hz:g} came")
    if not 0 <= config.snr < np.inf:
        raise InputError(f"--snr takes 0 or more, {config.snr:g} came")
    if config.minutes is not None and not 0 < config.minutes < np.inf:
        raise InputError(f"--minutes takes more than 0, {config.minutes:g} came")
    for flag, number in (("--seed", config.seed), ("--run", config.run)):
        if number < 0:
            raise InputError(f"{flag} takes 0 or more, {number} came")
