"""`afterimage coupling`: how much the amplitude of a fast rhythm follows the phase of a slow one, by channel."""

import argparse
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from app.commands.run import default_out, file_source
from app.config import Config, load
from app.headless import parse_events, seconds_done, stop_on_signals
from app.summary import first_sample_s, stream_fields
from app.terminal import Terminal, write_stdout
from calibration.coupling import Coupling, OverTime, Plan, Pool, Reader, coupling_of_trials, over_time
from calibration.report import plain, to_json, write_report
from calibration.report_coupling import CouplingFigures, coupling_verdict
from calibration.report_figures import ReportFigures
from engines.errors import InputError
from pipeline.coupling import CAVEAT
from pipeline.coupling.bands import CouplingBands
from pipeline.coupling.comodulogram import Comodulogram, Grid, Piece, comodulogram
from pipeline.coupling.index import preferred_phase
from pipeline.coupling.trials import TrialWindow, trial_window
from pipeline.session import Session, Setup

DEFAULT_WINDOW_S = (0.0, 1.0)
MAINS_HZ = 50.0
FEW_TRIALS = 20
N_SURROGATES = 200
# What a report of another command holds of it.
PART_OF_ANOTHER = (
    "channels", "phase_hz", "amplitude_hz", "mains_hz", "mi", "z", "p", "p_family", "excess", "n_surrogates",
    "n_trials", "window_s", "estimator", "null", "caveat",
)  # fmt: skip
ESTIMATOR = (
    "Modulation index of Tort et al. 2010: Butterworth of order 3 forward and backward, Hilbert transform, all windows "
    "pooled; channels in the reference they were recorded with."
)
SHUFFLED = "Surrogates: the phase of one trial with the amplitude of another."
SHIFTED = "Surrogates: the amplitude of every piece of 10 s shifted circularly by a random time."

Events = Mapping[str, Sequence[str]]
Take = Callable[[int, Piece], None]
Tick = Callable[[float | None, str], None]


def coupling(options: argparse.Namespace) -> int:
    """Measure the coupling in a recording, and report."""
    terminal = Terminal(quiet_stdout=options.json)
    config = load(options.config)
    events = parse_events(options.event) or config.events
    measuring = Measuring(options, config, plan_from(options, config, bool(events)), events)
    with stop_on_signals() as stop, terminal.progress(f"coupling in {options.file.name}") as progress:
        measuring.run(stop, progress.update)
    report = measuring.report()
    page = write_report(default_out(options, f"coupling-{options.file.stem}"), report, measuring.figures())
    if options.json:
        write_stdout(to_json(report))
    for text in report["warnings"]:
        terminal.warn(text)
    terminal.say(coupling_verdict(plain(report))[0])
    terminal.say(CAVEAT)
    terminal.say(f"report: {page}")
    return 0


def plan_from(options: argparse.Namespace, config: Config, with_trials: bool) -> Plan:
    """What the options ask for.

    Raises:
        InputError: a window without events, or a number that makes no sense.
    """
    if options.window and not with_trials:
        raise InputError("--window is around markers: name them with --event CLASS=PATTERN")
    if options.window and options.window[0] >= options.window[1]:
        raise InputError(f"--window wants a window that ends after it starts, got {options.window}")
    if options.surrogates < 0:
        raise InputError(f"--surrogates wants 0 or more, got {options.surrogates}")
    mains_hz = MAINS_HZ if config.chain.mains_hz is None else float(config.chain.mains_hz)
    start_s, stop_s = options.window or DEFAULT_WINDOW_S
    return Plan(
        bands=CouplingBands(options.phase, options.amplitude, mains_hz or None),
        window_s=(start_s, stop_s) if with_trials else None,
        n_surrogates=options.surrogates,
        seed=config.seed if options.seed is None else options.seed,
    )


@dataclass
class Measuring:
    """One run of the command. The file is read twice: for every channel, then for the strongest one's comodulogram.

    Thread: main only.
    """

    options: argparse.Namespace
    config: Config
    plan: Plan
    events: Events
    windows: list[TrialWindow] = field(default_factory=list)
    window_labels: list[str] = field(default_factory=list)

    def run(self, stop: threading.Event, tick: Tick) -> None:
        """Read and measure.

        Raises:
            InputError: the bands say nothing at the file's rate, or there is nothing to measure.
        """
        self.session, self.reader = self._opened()
        pool = Pool(self.plan, self.reader.sfreq_hz, len(self.reader.channels))
        self._pass(
            self.session,
            self.reader,
            self._keep if self.plan.window_s else lambda _, piece: pool.add(piece),
            stop,
            tick,
        )
        tick(None, "surrogates")
        self.result = self._of_trials(self.windows) if self.plan.window_s else pool.result()
        self.over, self.course = self._of_strongest(stop, tick)

    def _opened(self, row: int | None = None) -> tuple[Session, Reader]:
        """A session over the file whose reader hears of the onsets; of one channel, or of all."""
        readers: list[Reader] = []
        session = Session(
            file_source(self.options),
            lambda _: Setup(None, patterns=self.events),
            unit=self.options.unit or self.config.unit,
            on_trial=lambda label, time_s: readers[0].onset(label, time_s),
        )
        session.open()
        try:
            readers.append(Reader(session.acquisition, self.plan, None if row is None else [row]))
        except InputError:
            session.close()
            raise
        return session, readers[0]

    def _pass(self, session: Session, reader: Reader, take: Take, stop: threading.Event, tick: Tick) -> None:
        limit_s = self.options.seconds
        try:
            more = True
            while more and not stop.is_set() and (limit_s is None or seconds_done(session) < limit_s):
                more = session.crank()
                for number, piece in reader.read():
                    take(number, piece)
                tick(None, f"{seconds_done(session):.0f} s")
            for number, piece in reader.finish():
                take(number, piece)
        finally:
            session.close()

    def _keep(self, number: int, piece: Piece) -> None:
        plan = self.plan
        self.windows.append(trial_window(piece.samples, self.reader.sfreq_hz, plan.bands, piece.margins, plan.n_bins))
        self.window_labels.append(self.reader.labels[number])

    def _of_trials(self, windows: Sequence[TrialWindow]) -> Coupling:
        if not self.reader.labels:
            seen = ", ".join(list(self.session.scorer.marker_counts)[:6]) or "none"
            raise InputError(f"no marker matches --event; the recording's labels begin with: {seen}")
        return coupling_of_trials(windows, self.reader.sfreq_hz, self.plan)

    def _of_strongest(self, stop: threading.Event, tick: Tick) -> tuple[Comodulogram | None, OverTime | None]:
        """The strongest channel's comodulogram and, of a whole recording, its course."""
        if not np.isfinite(self.result.mi).any():
            return None, None
        grid = Grid.up_to(self.reader.sfreq_hz, self.plan.bands.mains_hz)
        session, reader = self._opened(self.reader.rows[self.strongest])
        pieces: list[Piece] = []
        self._pass(session, reader, lambda _, piece: pieces.append(piece), stop, partial(_told_again, tick))
        usable = [piece for piece in pieces if np.isfinite(piece.samples).all() and np.ptp(piece.samples) > 0]
        (name,), rate_hz = reader.channels, reader.sfreq_hz
        over = comodulogram(usable, rate_hz, grid, name, self.plan.n_bins) if grid else None
        return over, None if self.plan.window_s else over_time(usable, rate_hz, self.plan, name)

    @property
    def score(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """What the channels are compared by: z, or the index without surrogates."""
        z = self.result.significance.z
        return z if np.isfinite(z).any() else self.result.mi

    @property
    def strongest(self) -> int:
        """The channel with the largest score."""
        return int(np.nanargmax(self.score)) if np.isfinite(self.score).any() else 0

    def report(self) -> dict[str, Any]:
        """The report's fields."""
        plan, reader = self.plan, self.reader
        fields = stream_fields(self.session)
        found = self.result.significance
        in_trials = plan.window_s is not None
        return {
            "command": "coupling",
            **fields,
            "warnings": [*self._cautions(), *fields["warnings"]],
            "channels": reader.channels,
            "phase_hz": plan.bands.phase_hz,
            "amplitude_hz": plan.bands.amplitude_hz,
            "mains_hz": plan.bands.mains_hz,
            **_values(self.result),
            "preferred_phase_rad": preferred_phase(self.result.means),
            "n_surrogates": found.n_surrogates,
            "n_bins": plan.n_bins,
            "n_windows": self.result.n_windows,
            "seconds_used": self.result.seconds,
            "window_s": plan.window_s,
            "n_trials": len(self.windows) if in_trials else None,
            "trials": {"accepted": len(self.windows), "rejected": dict(reader.rejected)} if in_trials else None,
            "by_class": self._by_class(),
            "comodulogram": _comodulogram_fields(self.over),
            "over_time": _course_fields(self.course, first_sample_s(self.session)),
            "estimator": ESTIMATOR,
            "null": SHUFFLED if in_trials else SHIFTED,
            "caveat": CAVEAT,
            "seed": plan.seed,
        }

    def _by_class(self) -> dict[str, Any]:
        """The same for the trials of each class, where there are several."""
        names = sorted(set(self.window_labels))
        if len(names) < 2:
            return {}
        groups = {
            n: [w for w, label in zip(self.windows, self.window_labels, strict=True) if label == n] for n in names
        }
        return {n: {"n_trials": len(g), **_values(self._of_trials(g))} for n, g in groups.items() if len(g) > 1}

    def _cautions(self) -> list[str]:
        bands, said = self.plan.bands, []
        if bands.phase_hz[1] > bands.carried_hz:
            low, high = bands.amplitude_hz
            said.append(
                f"an amplitude of {low:g}-{high:g} Hz follows phases up to {bands.carried_hz:g} Hz; of the phase band "
                f"{bands.phase_hz[0]:g}-{bands.phase_hz[1]:g} Hz the rest shows too little coupling"
            )
        if self.plan.window_s is not None and len(self.windows) < FEW_TRIALS:
            said.append(f"only {len(self.windows)} trials: the index of so few says little")
        left_out = [n for n, mi in zip(self.reader.channels, self.result.mi, strict=True) if not np.isfinite(mi)]
        if left_out:
            said.append(f"left out, since they hold one value or no number: {', '.join(left_out)}")
        return said

    def figures(self) -> ReportFigures | None:
        """What the report draws."""
        if not np.isfinite(self.result.mi).any():
            return None
        info = self.session.acquisition.info
        found = self.result.significance
        shown = CouplingFigures(
            channels=self.reader.channels,
            score=self.score,
            score_name="z" if found.n_surrogates else "modulation index",
            p_family=found.p_family,
            strongest=self.strongest,
            means=self.result.means[self.strongest],
            comodulogram=self.over,
            course=self.course,
            origin_s=first_sample_s(self.session),
            positions_m={c.name: c.position_m for c in info.channels if c.position_m is not None},
        )
        return ReportFigures(coupling=shown)


def _values(result: Coupling) -> dict[str, Any]:
    found = result.significance
    return {
        "mi": result.mi,
        "z": found.z,
        "p": found.p,
        "p_family": found.p_family,
        "excess": result.mi - found.surrogate_mean,
    }


def _comodulogram_fields(over: Comodulogram | None) -> dict[str, Any] | None:
    if over is None:
        return None
    return {
        "channel": over.channel,
        "phase_hz": over.grid.phase_hz,
        "amplitude_hz": over.grid.amplitude_hz,
        "phase_width_hz": over.grid.phase_width_hz,
        "amplitude_width_hz": over.grid.amplitude_width_hz,
        "mi": over.mi,
        "why_not": over.why_not,
    }


def _course_fields(course: OverTime | None, origin_s: float) -> dict[str, Any] | None:
    if course is None:
        return None
    return {
        "channel": course.channel,
        "window_s": course.window_s,
        "start_s": course.starts_s - origin_s,
        "excess": course.excess,
    }


def _told_again(tick: Tick, share: float | None, text: str) -> None:
    tick(share, f"comodulogram, {text}")


def coupling_of(
    options: argparse.Namespace, config: Config, path: Path, categories: Sequence[str], tick: Tick
) -> tuple[dict[str, Any], ReportFigures] | None:
    """The coupling in the picture's windows of a recording, as a part of another report: fields and figures.

    None where the bands say nothing at its rate, or too few trials are whole.
    """
    events = {name: (f"stim/{name}/*",) for name in categories}
    asked = argparse.Namespace(**{"stream": None, "markers": [], **vars(options), "file": path, "seconds": None})
    plan = Plan(bands=_bands(config), window_s=DEFAULT_WINDOW_S, n_surrogates=N_SURROGATES)
    measuring = Measuring(asked, config, plan, events)
    try:
        measuring.run(threading.Event(), tick)
    except InputError as error:
        tick(None, str(error))
        return None
    told, shown = measuring.report(), measuring.figures()
    return None if shown is None else ({name: told[name] for name in PART_OF_ANOTHER}, shown)


def _bands(config: Config) -> CouplingBands:
    mains_hz = MAINS_HZ if config.chain.mains_hz is None else float(config.chain.mains_hz)
    return CouplingBands((4.0, 8.0), (30.0, 45.0), mains_hz or None)
