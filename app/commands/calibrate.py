"""`afterimage calibrate`: recordings and event patterns in, an evaluated subject out."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from app.accuracy import stage_tables
from app.commands.coupling import coupling_of
from app.commands.run import default_out
from app.config import Config, load, save
from app.headless import located, parse_events
from app.summary import versions
from app.terminal import Terminal, write_stdout
from calibration.calibrate import CalibrationResult
from calibration.calibrate import calibrate as fit
from calibration.datasets.recording import survey
from calibration.decoding.process import Finished, Standing, TrainingProcess
from calibration.defaults import default_chain
from calibration.report import to_json, write_report
from calibration.store import digest_of
from calibration.subjects import save as save_subject
from calibration.turning.order import SIZES, CalibrationOrder, is_of_two_windows
from engines.errors import InputError
from pipeline.epochs import EpochConfig
from pipeline.sources.base import Source
from pipeline.sources.select import open_source


def calibrate(options: argparse.Namespace) -> int:
    """Fit and honestly evaluate a decoder, and keep it as a subject."""
    terminal = Terminal(quiet_stdout=options.json)
    config = load(options.config)
    out = default_out(options, "subject")
    if is_of_two_windows(_system(options, config)):
        report = trained(options, config, terminal, options.files, out)
    else:
        report = keep(fitted(options, config, terminal, options.files), config, out)
    if options.json:
        write_stdout(to_json(report))
    tell(report, terminal, out)
    return 0


def opened(path: Path, options: argparse.Namespace) -> Source:
    """The recording, with the streams, markers and locations that the options name."""
    markers, stream = getattr(options, "markers", None), getattr(options, "stream", None)
    source = open_source(str(path), markers or None, stream=stream)
    return located(source, getattr(options, "locations", None))


def fitted(options: argparse.Namespace, config: Config, terminal: Terminal, paths: list[Path]) -> CalibrationResult:
    """Run the calibration with its progress on the terminal."""
    files: list[Callable[[], Source]] = [partial(opened, path, options) for path in paths]
    recordings = {path.name: digest_of(path) for path in paths}
    unit = options.unit or config.unit
    chain = epoch = None
    if config.chain.model_fields_set:
        chain = config.chain_from(default_chain(survey(files[0](), unit).info))
    if config.epoch.model_fields_set:
        epoch = config.epoch_from(EpochConfig())
    with terminal.progress("calibrating") as progress:
        return fit(
            files,
            parse_events(getattr(options, "event", ())) or config.events,
            system=_system(options, config),
            chain=chain,
            epoch=epoch,
            unit=unit,
            trial_start=getattr(options, "trial", None),
            recordings=recordings,
            versions=versions(),
            n_permutations=config.calibrate.n_permutations,
            seed=config.seed if options.seed is None else options.seed,
            progress=progress.update,
        )


def keep(result: CalibrationResult, config: Config, out: Path) -> dict[str, Any]:
    """Store the subject with its report and configuration; answers the report."""
    out.mkdir(parents=True, exist_ok=True)
    save_subject(result.subject, out)
    report = {
        "command": "calibrate",
        "files": list(result.subject.manifest.recordings),
        **result.fields(),
        "versions": versions(),
    }
    save(config, out, {"command": "calibrate", "versions": versions()})
    write_report(out, report, None)
    return report


def _system(options: argparse.Namespace, config: Config) -> str:
    return getattr(options, "system", None) or config.calibrate.system or "auto"


def trained(
    options: argparse.Namespace, config: Config, terminal: Terminal, paths: list[Path], out: Path
) -> dict[str, Any]:
    """Train a decoder of two windows in a process of its own, which writes the subject; answers the report.

    Raises:
        InputError: the recordings, or the configuration, do not fit such a decoder.
    """
    if config.epoch.model_fields_set or parse_events(getattr(options, "event", ())) or getattr(options, "trial", None):
        raise InputError(
            "decoders of two windows have their own windows and classes (markers stim/<category>/<object> and "
            "turn/<category>/<object>): leave out [epoch], --event and --trial"
        )
    order = _order(options, config, paths, out)
    out.mkdir(parents=True, exist_ok=True)
    with terminal.progress("calibrating") as progress, TrainingProcess(order) as training:
        progress.update(0.0, "reading")
        while not isinstance(news := training.poll(0.5), Finished):
            if news is not None:
                progress.update(*_told(news))
    fields: dict[str, Any] = news.result
    with terminal.progress("coupling") as progress:
        coupling = coupling_of(options, config, paths[0], tuple(fields["classes"]), progress.callback)
    report = {
        "command": "calibrate",
        "files": [path.name for path in paths],
        **fields,
        "tables": stage_tables(fields),
        "coupling": coupling[0] if coupling else None,
        "versions": versions(),
    }
    save(config, out, {"command": "calibrate", "versions": versions()})
    write_report(out, report, coupling[1] if coupling else None)
    return report


def _order(options: argparse.Namespace, config: Config, paths: list[Path], out: Path) -> CalibrationOrder:
    files = tuple(partial(opened, path, options) for path in paths)
    unit = options.unit or config.unit
    chain = None
    if config.chain.model_fields_set:
        chain = config.chain_from(default_chain(survey(files[0](), unit).info))
    return CalibrationOrder(
        files=files,
        out=out,
        system=_system(options, config),
        size=getattr(options, "size", None) or SIZES[0],
        where=getattr(options, "set", None) or "builtin",
        encoder=getattr(options, "encoder", None) or "auto",
        weights=getattr(options, "weights", None),
        chain=chain,
        unit=unit,
        recordings={path.name: digest_of(path) for path in paths},
        versions=versions(),
        epochs=getattr(options, "epochs", None),
        n_permutations=config.calibrate.n_permutations,
        seed=config.seed if options.seed is None else options.seed,
    )


def _told(news: Standing) -> tuple[float, str]:
    step, left_s = news.step, news.seconds_left
    if step.share >= 1.0:
        return 1.0, "trained; validating and exporting"
    left = "" if left_s is None else f", about {left_s:.0f} s left"
    return step.share, f"epoch {step.epoch} of {step.epochs}{left}"


def tell(report: dict[str, Any], terminal: Terminal, out: Path) -> None:
    """The verdict in a few lines, the chosen system first."""
    for row in report["validation"]:
        low, high = row["ci95"]
        p = "" if row["p_permutation"] is None else f", p = {row['p_permutation']:.3f}"
        terminal.say(
            f"{row['system']}: {row['metric']} {row['mean']:.1%} (95 % interval {low:.1%} to {high:.1%}, "
            f"chance {row['chance']:.1%}, {row['n']} trials{p}); {row['scheme']}"
        )
    for text in report["warnings"]:
        terminal.warn(text)
    if "seconds" in report:
        terminal.say(f"{report['seconds']:.0f} s, {report['training']['seconds']:.0f} s of them training")
    terminal.say(f"subject: {out}")
