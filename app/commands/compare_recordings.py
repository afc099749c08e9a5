"""`afterimage compare FILE...`: a network of one window beside the linear systems, on recordings of real people."""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from app.commands.calibrate import opened
from app.commands.run import default_out
from app.config import load
from app.headless import parse_events
from app.summary import versions
from app.tables import lines_of
from app.terminal import Terminal, write_stdout
from calibration.calibrate import READING, SIMULATED, cut_epochs
from calibration.comparing.single import WINDOW, Compared, SingleComparison, compare_single
from calibration.datasets.precut import OFFLINE, smni_epochs
from calibration.datasets.recording import EpochSet
from calibration.evaluate import METRIC, Progress
from calibration.report import to_json, write_report
from engines.errors import InputError

# Archives of trials that others have cut; everything else is a recording.
PRECUT = ".tar"
NO_EMBEDDINGS = (
    "no embeddings of these pictures exist: networks learned the class alone, without retrieval, the turn or coupling"
)


def compare_recordings(options: argparse.Namespace) -> int:
    """Answer the same trials with networks and linear systems, and tabulate both.

    Raises:
        InputError: no such file, recordings and pre-cut trials in one call, or trials that cannot be compared.
    """
    terminal = Terminal(quiet_stdout=options.json)
    config = load(options.config)
    for path in options.files:
        if not path.exists():
            raise InputError(f"no such file: {path}")
    events = parse_events(options.event) or config.events
    with terminal.progress("comparing") as progress:
        sets, said = _epochs(options, events, options.unit or config.unit, progress.update)
        found = compare_single(
            sets,
            options.leave_out,
            networks=options.systems.split(",") if options.systems else (),
            seeds=options.seeds,
            n_permutations=options.permutations,
            n_refits=config.calibrate.n_permutations,
            seed=config.seed if options.seed is None else options.seed,
            progress=lambda share, text: progress.update(READING + (1 - READING) * share, text),
        )
    report = report_of(found, [path.name for path in options.files], said)
    page = write_report(default_out(options, "comparison"), report)
    if options.json:
        write_stdout(to_json(report))
    tell(report, terminal)
    terminal.say(f"report: {page}")
    return 0


def _epochs(
    options: argparse.Namespace, events: Mapping[str, Sequence[str]], unit: str | None, progress: Progress
) -> tuple[dict[str, EpochSet], list[str]]:
    """The epochs of each window, and what is to be said of them."""
    precut = [path.suffix == PRECUT for path in options.files]
    if any(precut) and not all(precut):
        raise InputError(f"expected recordings, or {PRECUT} archives of cut trials; got both; compare them apart")
    if all(precut):
        epochs, warnings = smni_epochs(options.files, events)
        if options.leave_out != "participant" and len(set(epochs.file.tolist())) > 1:
            raise InputError("expected trials of one person; got several; add --leave-out participant")
        return {WINDOW: epochs, "oscillatory": epochs}, warnings
    files = [partial(opened, path, options) for path in options.files]
    cut = cut_epochs(files, events, unit=unit, trial_start=options.trial, progress=progress)
    return dict(cut.sets), [SIMULATED] if cut.simulated else []


def report_of(found: SingleComparison, files: list[str], said: Sequence[str]) -> dict[str, Any]:
    """The report's fields."""
    return {
        "command": "compare",
        "files": files,
        **found.fields(),
        "classes": list(found.trials),
        "validation": [_validation(row, found) for row in found.rows],
        "tables": [_table(found), *_people(found)],
        "warnings": [*found.warnings, *said, NO_EMBEDDINGS],
        "simulated": SIMULATED in said,
        "offline_only": OFFLINE in said,
        "versions": versions(),
    }


def tell(report: dict[str, Any], terminal: Terminal) -> None:
    """The tables as text."""
    counts = ", ".join(f"{name} {n}" for name, n in report["trials"].items())
    terminal.say(
        f"{counts}; {len(report['channels'])} channels, {report['window_s'][0]:g} to {report['window_s'][1]:g} s; "
        f"{report['scheme']}; chance {report['chance']:.1%}"
    )
    for table in report["tables"]:
        terminal.say(f"\n{table['title']}")
        for line in lines_of(table):
            terminal.say(line)
    for text in report["warnings"]:
        terminal.warn(text)


def _validation(row: Compared, found: SingleComparison) -> dict[str, Any]:
    return {
        "system": row.system,
        "scheme": found.scheme,
        "metric": METRIC,
        "mean": row.mean,
        "ci95": list(row.ci95),
        "chance": found.chance,
        "p_permutation": row.p,
        "n": row.n,
    }


def _table(found: SingleComparison) -> dict[str, Any]:
    return {
        "title": f"Balanced accuracy, %, 95 % intervals over {found.over}; p by shuffling classes within blocks",
        "head": [
            "system",
            "accuracy",
            "p",
            "p, neighbours only",
            "p, fitted anew",
            "less linear choice",
            "single starts",
        ],
        "rows": [_line(row) for row in found.rows],
        "n_text": 1,
    }


def _line(row: Compared) -> list[str]:
    less = row.less_linear
    return [
        row.system,
        _interval(row.mean, row.ci95),
        f"{row.p:.3f}",
        f"{row.p_near:.3f}",
        "" if row.p_refitted is None else f"{row.p_refitted:.3f}",
        "" if less is None else _interval(less.mean, less.ci95, "+"),
        ", ".join(f"{100 * one:.1f}" for one in row.starts),
    ]


def _people(found: SingleComparison) -> list[dict[str, Any]]:
    rows = [[row.system, *(f"{100 * one:.1f}" for one in row.participants)] for row in found.rows if row.participants]
    if not rows:
        return []
    head = ["system", *(str(number + 1) for number in range(len(rows[0]) - 1))]
    return [{"title": "Each participant left out, %", "head": head, "rows": rows, "n_text": 1}]


def _interval(mean: float, ci95: tuple[float, float], sign: str = "") -> str:
    return f"{100 * mean:{sign}.1f} ({100 * ci95[0]:{sign}.1f} to {100 * ci95[1]:{sign}.1f})"
