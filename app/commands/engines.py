"""`afterimage engines`: what runs an exported network here, whether it gives the network's numbers, and how fast."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from app.summary import versions
from app.terminal import Terminal, write_stdout
from calibration.decoding.subject import BARE_MODEL, MODEL
from calibration.report import to_json, write_report
from calibration.store import MANIFEST
from engines.errors import InputError
from engines.runtime.base import RAN, choose, precisions, runtimes, why_not
from engines.runtime.bench import Timing
from engines.runtime.bench import bench as time_runtimes
from engines.runtime.check import Checked
from engines.runtime.check import check as check_runtimes
from engines.runtime.errors import Disagreement
from engines.runtime.folder import SPEC, Exported
from engines.runtime.half import add_half
from engines.runtime.types import Options


def engines(options: argparse.Namespace) -> int:
    """Do one of the actions on the folder of an exported network, or of a subject that has one."""
    exported = Exported.read(_exported_in(options.folder))
    return ACTIONS[options.action](options, exported, Terminal(quiet_stdout=options.json))


def _exported_in(folder: Path) -> Path:
    """The exported network of a subject, else `folder` itself.

    Raises:
        InputError: a trained model that is no subject yet.
    """
    if (folder / SPEC).exists():
        return folder
    if not (folder / MANIFEST).exists() and (folder / BARE_MODEL).exists():
        raise InputError(
            f"{folder} holds a trained model and no graph of it; a subject's folder has one: "
            "afterimage calibrate FILE... --system NAME"
        )
    inside = folder / MODEL
    return inside if (inside / SPEC).exists() else folder


def build(options: argparse.Namespace, exported: Exported, terminal: Terminal) -> int:
    """Write the half-precision graph if asked for, open every runtime (which builds its engines), and check them.

    Raises:
        NoRuntime: a runtime that was named is not here.
        Disagreement: something gives other numbers; told before.
    """
    if options.keep and not options.half:
        raise InputError("--keep is of the half-precision graph: add --half")
    _require_here(options, exported)
    if options.half:
        with terminal.progress(f"half precision of {exported.network}"):
            exported = add_half(exported, options.keep)
    return check(options, exported, terminal)


def check(options: argparse.Namespace, exported: Exported, terminal: Terminal) -> int:
    """Compare every runtime's numbers with those of the export.

    Raises:
        NoRuntime: a runtime that was named is not here.
        Disagreement: something gives other numbers; told before.
    """
    _require_here(options, exported)
    with terminal.progress(f"checking {exported.network}"):
        found = check_runtimes(exported, _options(options), options.runtime or None)
    for checked in found:
        terminal.say(_told(checked))
    refused = [checked.refused for checked in found if checked.refused]
    shown = _shown(refused[0] if refused else "Every runtime that is here gives the network's numbers.", not refused)
    tables = [_agreement_table(found)]
    report = {"runtimes": [_fields(c) for c in found], "verdict": shown, "tables": tables}
    status = _finish(options, exported, report, terminal)
    if refused:
        raise Disagreement(f"{len(refused)} of {len(found)} refused, {refused[0]}")
    return status


def bench(options: argparse.Namespace, exported: Exported, terminal: Terminal) -> int:
    """Time every runtime that is here, in every precision of the folder."""
    _require_here(options, exported)
    names = options.runtime or [name for name in runtimes() if why_not(name, exported) is None]
    chosen = _options(options)
    wanted = [
        (name, replace(chosen, precision=precision)) for name in names for precision in precisions(name, exported)
    ]
    with terminal.progress(f"timing {exported.network}"):
        timings = time_runtimes(exported.folder, wanted, options.calls, options.batch)
    for timing in timings:
        terminal.say(
            f"{timing.runtime} {timing.precision}: median {timing.median_ms:.2f} ms, 95 % under {timing.p95_ms:.2f}, "
            f"99 % under {timing.p99_ms:.2f} ({timing.n} calls of {timing.batch})"
        )
    best = min(timings, key=lambda timing: timing.median_ms)
    shown = _shown(f"{best.median_ms:.2f} ms for a call of {best.batch} in {best.description}.", True)
    report = {"timings": [asdict(t) for t in timings], "verdict": shown, "tables": [_timing_table(timings)]}
    return _finish(options, exported, report, terminal)


def _options(options: argparse.Namespace) -> Options:
    return Options(threads=options.threads, most=options.most, cache=options.cache)


def _require_here(options: argparse.Namespace, exported: Exported) -> None:
    """A runtime that was named must be here; without names, whatever is here is taken."""
    for name in options.runtime:
        choose(exported, [name])


def _told(checked: Checked) -> str:
    name = f"{checked.runtime} {checked.precision}"
    if checked.absent:
        return f"absent   {name}: {checked.absent}"
    if checked.refused:
        return f"REFUSED  {name}: {checked.refused}"
    return f"ok       {name}: {'; '.join(map(str, checked.agreement))}"


def _shown(text: str, good: bool) -> dict[str, str]:
    return {"text": text, "colour": "good" if good else "bad"}


def _agreement_table(found: Sequence[Checked]) -> dict[str, Any]:
    rows = [
        [c.runtime, c.precision, a.output, f"{a.max_abs:.2g}", f"{a.relative:.2g}", f"{a.cosine:.7f}"]
        for c in found
        for a in c.agreement
    ]
    rows += [[c.runtime, c.precision, c.absent or c.refused, "–", "–", "–"] for c in found if not c.agreement]
    head = ["runtime", "precision", "output", "largest difference", "of the largest magnitude", "smallest cosine"]
    return {"title": "Agreement", "head": head, "rows": rows, "n_text": 3}


def _timing_table(timings: Sequence[Timing]) -> dict[str, Any]:
    rows = [[t.description, t.batch, t.n, *(f"{ms:.2f}" for ms in (t.median_ms, t.p95_ms, t.p99_ms))] for t in timings]
    head = ["runtime", "trials in a call", "calls", "median, ms", "95 % under", "99 % under"]
    return {"title": "Times", "head": head, "rows": rows, "n_text": 1}


def _fields(checked: Checked) -> dict[str, Any]:
    return {**asdict(checked), "agreement": [a.to_json() for a in checked.agreement]}


def _finish(options: argparse.Namespace, exported: Exported, found: dict[str, Any], terminal: Terminal) -> int:
    report = {
        "command": f"engines {options.action}",
        "folder": exported.folder,
        "network": exported.network,
        "about": exported.about,
        "opset": exported.opset,
        "graphs": {precision: asdict(graph) for precision, graph in exported.graphs.items()},
        "exported_with": exported.versions,
        **found,
        "never_run": [
            f"{name}: no GPU was at hand where Afterimage was made" for name in runtimes() if name not in RAN
        ],
        "versions": versions(),
        "warnings": [],
    }
    if options.out:
        terminal.say(f"report: {write_report(options.out, report)}")
    if options.json:
        write_stdout(to_json(report))
    return 0


ACTIONS: dict[str, Callable[[argparse.Namespace, Exported, Terminal], int]] = {
    "build": build,
    "check": check,
    "bench": bench,
}
