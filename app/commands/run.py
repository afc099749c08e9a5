"""`afterimage replay` and `afterimage live`: a session without a window, and its report."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.config import Config, load, save
from app.headless import (
    all_received,
    as_lived,
    crank_through,
    exit_status,
    located,
    parse_events,
    run_live,
    setup_for,
    stop_on_signals,
)
from app.shared import Shared
from app.simulation import performance_for
from app.summary import figures, marker_table, run_fields, stream_fields, versions
from app.terminal import Terminal, write_stdout
from calibration.decoding.subject import AnytimeSubject
from calibration.report import to_json, write_report
from calibration.report_figures import ReportFigures
from calibration.subjects import AnySubject
from calibration.subjects import load as load_subject
from engines.errors import AfterimageError, InputError
from pipeline.clock import LslClock
from pipeline.coupling.values import CouplingConfig
from pipeline.outlets import DecisionOutlet
from pipeline.player import Player
from pipeline.recorder.recorded import Recorded
from pipeline.session import Session
from pipeline.sources.base import Source, WrappedSource
from pipeline.sources.lsl import LslSource
from pipeline.sources.paced import PacedSource
from pipeline.sources.select import open_source
from pipeline.sources.simulated import SimulatedSource
from pipeline.types import Decision

if TYPE_CHECKING:
    from app.reconstructions import Reconstructions
    from app.session_dependency import SessionDependency

WAIT_S = 30.0
LSL_SOURCES = (LslSource, SimulatedSource)

OnDecision = Callable[[Decision], None]


def replay(options: argparse.Namespace) -> int:
    """Run a recording through the live pipeline and report."""
    terminal = Terminal(quiet_stdout=options.json)
    config, speed = load(options.config), parse_speed(options.speed)
    subject = subject_of(options, config, terminal)
    out = default_out(options, f"replay-{options.file.stem}")
    cautions = []
    if subject and subject.was_calibrated_on(options.file):
        cautions.append(
            f"{options.file.name} is part of this subject's calibration: its answers say nothing about accuracy"
        )
    run = _replay_over_lsl if options.over_lsl else _replay_file
    maps = _depending(options, config, subject)
    decoding = maps.remembering if maps else subject
    with reconstructing(options, config, subject, terminal, out, lossless=True) as made:
        session = run(options, config, decoding, speed, terminal, _each(made, maps))
        if maps and made:
            with stop_on_signals() as stop, terminal.progress("comparing streams") as progress:
                maps.make(made.reconstructing, session.scorer.labels, progress.update, stop.is_set)
        return finish(session, options, config, terminal, out, cautions, made=made, maps=maps)


def _depending(options: argparse.Namespace, config: Config, subject: AnySubject | None) -> "SessionDependency | None":
    """What `--dependency` asks for; None where it was not given.

    Raises:
        InputError: nothing is reconstructed, or the subject's decoder gives no embedding.
    """
    if not options.dependency:
        return None
    from app.session_dependency import asked_for  # brings a renderer along

    return asked_for(options.reconstruct, config, subject, config.seed if options.seed is None else options.seed)


def _each(made: "Reconstructions | None", maps: "SessionDependency | None") -> OnDecision | None:
    """Whoever of them is there hears of each answer."""
    hearing = [one.decided for one in (made, maps) if one is not None]

    def decided(decision: Decision) -> None:
        for hear in hearing:
            hear(decision)

    return decided if hearing else None


def _replay_file(
    options: argparse.Namespace,
    config: Config,
    subject: AnySubject | None,
    speed: float,
    terminal: Terminal,
    on_decision: OnDecision | None,
) -> Session:
    source = as_lived(file_source(options), options.file)
    if speed != float("inf"):
        source = PacedSource(source, LslClock(), speed)
    session = make_session(source, options, config, subject, on_decision)
    with stop_on_signals() as stop, terminal.progress(f"replaying {options.file.name}") as progress:
        session.open()
        crank_through(session, options.seconds, stop, progress.update)
    return session


def _replay_over_lsl(
    options: argparse.Namespace,
    config: Config,
    subject: AnySubject | None,
    speed: float,
    terminal: Terminal,
    on_decision: OnDecision | None,
) -> Session:
    """Stream the file from a process of its own, with the original chunk arrival, and receive it like a headset."""
    if speed == float("inf"):
        speed = 1.0
    with stop_on_signals() as stop, Player(file_source(options), speed=speed) as player:
        session = make_session(player.source(), options, config, subject, on_decision)
        session.open()
        with terminal.progress(f"streaming {options.file.name} over LSL") as progress:
            ended = all_received(session, player.finished)
            run_live(session, options.seconds, stop, progress.update, ended, terminal.warn)
    return session


def live(options: argparse.Namespace) -> int:
    """Decode live, record everything, report."""
    terminal = Terminal(quiet_stdout=options.json)
    config = load(options.config)
    subject = subject_of(options, config, terminal)
    if subject and options.source.startswith("lsl:") and not options.markers:
        raise InputError(
            "decoding needs to know when a trial begins: name the marker stream, such as --markers type=Markers"
        )
    out = default_out(options, "live")
    out.mkdir(parents=True, exist_ok=True)
    try:
        with reconstructing(options, config, subject, terminal, out) as made:
            source = source_of(options, terminal, subject)
            on_decision = made.decided if made else None
            session = live_session(source, options, config, subject, terminal, out, on_decision=on_decision)
            return finish(session, options, config, terminal, out, made=made)
    except AfterimageError:
        with suppress(OSError):  # it holds something
            out.rmdir()
        raise


def reconstructing(
    options: argparse.Namespace,
    config: Config,
    subject: AnySubject | None,
    terminal: Terminal,
    out: Path,
    lossless: bool = False,
) -> "AbstractContextManager[Reconstructions | None]":
    """What `--reconstruct` asks for, ready when the block begins; None where it was not given.

    Raises:
        InputError: the subject's decoder gives no embedding, or no allowed generator takes it.
        WorkError: a generator that is here cannot be loaded.
    """
    if not getattr(options, "reconstruct", False):
        return nullcontext()
    from app.reconstructions import opened

    seed = config.seed if options.seed is None else options.seed
    return opened(subject, config, seed, out, terminal, lossless)


def live_session(
    source: Source,
    options: argparse.Namespace,
    config: Config,
    subject: AnySubject | None,
    terminal: Terminal,
    out: Path,
    ended: Callable[[Session], bool] = lambda _: False,
    on_decision: OnDecision | None = None,
) -> Session:
    """Run a live source: recorded, decoded, published; shared with other programs when asked for.

    `on_decision` hears of each answer besides.
    """
    recorded = None
    if not getattr(options, "no_record", False):
        recorded = Recorded(source, out / "session.xdf", LslClock(), over_lsl=is_over_lsl(source))
    with DecisionOutlet(subject.decoder.classes if subject else ()) as outlet, Shared() as shared:

        def decided(decision: Decision) -> None:
            outlet.publish(decision)
            if recorded:
                recorded.decision(decision)
            if on_decision:
                on_decision(decision)

        session = make_session(
            recorded or source,
            options,
            config,
            subject,
            on_decision=decided,
            on_log_line=recorded.log_line if recorded else None,
            on_trial=shared.mark,
            coupling=config.live_coupling(by_default=False),
        )
        try:
            with stop_on_signals() as stop, terminal.progress("live") as progress:
                progress.update(None, "connecting")
                session.open()
                if getattr(options, "share_eeg", False):
                    shared.begin(session)
                run_live(session, options.seconds, stop, progress.update, lambda: ended(session), terminal.warn)
        finally:
            session.close()
            if recorded and recorded.status.final:
                terminal.say(f"recording: {recorded.status.path}")
    return session


def is_over_lsl(source: Source) -> bool:
    """True when the samples come from an LSL stream, which the recorder can then receive by itself."""
    return isinstance(source.innermost if isinstance(source, WrappedSource) else source, LSL_SOURCES)


def source_of(options: argparse.Namespace, terminal: Terminal, subject: AnySubject | None = None) -> Source:
    """What `--source` and `--markers` name; a file is played at its own pace."""
    source = open_source(
        options.source,
        options.markers or None,
        simulated=lambda: SimulatedSource(performance_for(subject, options.seed)),
        timeout_s=getattr(options, "wait", WAIT_S),
        on_wait=terminal.waiting(),
    )
    source = located(source, getattr(options, "locations", None))
    return source if source.live else PacedSource(source, LslClock())


def file_source(options: argparse.Namespace) -> Source:
    """The recording named on the command line."""
    if not options.file.is_file():
        raise InputError(f"no such file: {options.file}")
    stream = getattr(options, "stream", None)
    return located(
        open_source(str(options.file), options.markers or None, stream=stream), getattr(options, "locations", None)
    )


def make_session(
    source: Source,
    options: argparse.Namespace,
    config: Config,
    subject: AnySubject | None,
    on_decision: OnDecision | None = None,
    on_log_line: Callable[[str], None] | None = None,
    on_trial: Callable[[str, float], None] | None = None,
    coupling: CouplingConfig | None = None,
) -> Session:
    """A session over a source, set up from the options."""
    events = parse_events(getattr(options, "event", ())) or {
        name: tuple(globs) for name, globs in config.events.items()
    }
    return Session(
        source,
        setup_for(config, events, subject, getattr(options, "trial", None)),
        decoder=subject.decoder if subject else None,
        frozen=subject.frozen if subject else None,
        unit=options.unit or config.unit,
        on_decision=on_decision,
        on_log_line=on_log_line,
        on_trial=on_trial,
        coupling=coupling,
    )


def finish(
    session: Session,
    options: argparse.Namespace,
    config: Config,
    terminal: Terminal,
    out: Path,
    cautions: Sequence[str] = (),
    coupling: tuple[Mapping[str, Any], ReportFigures] | None = None,
    made: "Reconstructions | None" = None,
    maps: "SessionDependency | None" = None,
) -> int:
    """Write the report, with the `coupling` of the recording where it was measured, and say the verdict.

    Of what is `made` visible, the last is waited for; `maps` are made. Answers the exit status.
    """
    if made:
        made.finish(terminal)
    report = {"command": options.command, **stream_fields(session), **run_fields(session)}
    report["warnings"] = [*cautions, *report["warnings"]]
    out.mkdir(parents=True, exist_ok=True)
    save(config, out, {"command": options.command, "versions": versions()})
    shown = figures(session)
    if coupling is not None and shown is not None:
        report["coupling"], shown = coupling[0], replace(shown, coupling=coupling[1].coupling)
    if made:
        from app.sheet import drawn  # brings a renderer along

        shown = made.account.enter(report, shown, session, drawn)
    if maps:
        shown = maps.enter(report, shown, out)
    page = write_report(out, report, shown)
    if options.json:
        write_stdout(to_json(report))
    else:
        if made:
            made.tell(terminal, out)
        tell(report, terminal, page)
    return max(exit_status(session), made.status if made else 0)


def tell(report: dict[str, Any], terminal: Terminal, page: Path) -> None:
    """The verdict in a few lines."""
    source = report["source"]
    terminal.say(
        f"{source['name']}: {report['samples_received']} samples of {source['n_channels']} channels at "
        f"{source['sfreq_effective_hz']:.2f} Hz, {report['samples_lost']} lost in {len(report['gaps'])} gaps"
    )
    terminal.say(f"markers: {marker_table(report['markers']) or 'none, so there is nothing to cut epochs around'}")
    rejected = ", ".join(f"{n} {reason}" for reason, n in report["epochs"]["rejected"].items())
    terminal.say(f"epochs: {report['epochs']['accepted']} accepted" + (f"; rejected: {rejected}" if rejected else ""))
    if accuracy := report.get("accuracy"):
        low, high = accuracy["ci95"]
        terminal.say(
            f"balanced accuracy {accuracy['mean']:.1%} (95 % interval {low:.1%} to {high:.1%}, "
            f"chance {accuracy['chance']:.1%}, {accuracy['n']} trials)"
        )
        for stage in (row for row in accuracy.get("by_stage", ()) if row["stage"] != "refined"):
            terminal.say(f"{stage['stage']} answers: {stage['mean']:.1%} ({stage['n']} trials)")
    for text in report["warnings"]:
        terminal.warn(text)
    terminal.say(f"report: {page}")


def default_out(options: argparse.Namespace, name: str) -> Path:
    """`--out`, or a new folder under ./out named after the command and the time."""
    return options.out or Path("out") / f"{datetime.now():%Y%m%d-%H%M%S}-{name}"


def parse_speed(text: str) -> float:
    """`max` is infinity.

    Raises:
        InputError: neither "max" nor a positive number.
    """
    if text == "max":
        return float("inf")
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not speed > 0:
        raise InputError(f"--speed wants max or a number above 0 (1 is the original timing); got {text!r}")
    return speed


def subject_of(options: argparse.Namespace, config: Config, terminal: Terminal) -> AnySubject | None:
    """The subject asked for on the command line; what runs its network is said.

    Raises:
        InputError: there is none, or it may not decode live.
        NoRuntime: none of the allowed runtimes can run it.
    """
    if not options.subject:
        return None
    subject = load_subject(options.subject, config.decoding.runtimes, config.decoding.threads)
    if isinstance(subject, AnytimeSubject):
        terminal.say(f"decoder: {subject.manifest.system}, {subject.runtime}")
        for name, why in subject.decoder.choice.passed_over.items():
            terminal.say(f"not run by {name}: {why}")
    return subject
