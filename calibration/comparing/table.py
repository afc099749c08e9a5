"""What a comparison shows: each system beside chance, how systems differ, what controls say, and what it cost.

Thread: any.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from calibration.comparing.cells import Cell, Comparison
from calibration.comparing.plan import BASELINE, Plan
from calibration.comparing.published import published_table
from calibration.comparing.run import PUBLISHED, Record, Run
from calibration.decoding.controls import CONTROLS, TRAINED
from calibration.decoding.evaluate import AVERAGED, SINGLE
from pipeline.anytime import Windows

Table = dict[str, Any]
MISSING = "n/a"


def report_of(plan: Plan, records: Mapping[Run, Record], failures: Mapping[Run, str], note: str = "") -> dict[str, Any]:
    """The fields of a comparison's report (DESIGN section 5), its tables, and where the data are from."""
    comparison = Comparison(plan, records, failures)
    any_record = next(iter(records.values()), None)
    about = any_record.about if any_record is not None else {}
    return {
        "classes": list(about.get("classes", [])),
        "n_epochs": _n_test(comparison),
        "validation": _validation(comparison),
        "tables": _tables(comparison),
        "unfolding": _curves(comparison),
        "warnings": _warnings(comparison),
        "simulated": bool(about.get("simulated", False)),
        "data": origin_of(plan, about, note),
        "runs": {"done": len(records), "wanted": len(plan.orders), "failed": {str(r): t for r, t in failures.items()}},
    }


def origin_of(plan: Plan, about: Mapping[str, Any], note: str) -> dict[str, Any]:
    """Where the data are from, for whoever reads the table later."""
    return {
        "set": plan.origin,
        "participants": list(plan.participants),
        "seeds": list(plan.seeds),
        "sha256": plan.digest,
        "encoder": about.get("encoder"),
        "size": plan.size,
        "offline_reason": about.get("offline_reason", ""),
        "note": note,
    }


def origin_line(data: Mapping[str, Any]) -> str:
    """The same in one line."""
    parts = [
        data["set"],
        f"participants {', '.join(data['participants'])}",
        f"seeds {', '.join(map(str, data['seeds']))}",
        f"{data['size']} size",
        f"picture embeddings by {data['encoder']}",
        f"data {data['sha256'][:12]}",
        data["note"],
    ]
    return "; ".join(part for part in parts if part)


def _validation(comparison: Comparison) -> list[dict[str, Any]]:
    """The first system's rows, then the baseline's, then the others'."""
    systems = comparison.plan.systems
    ordered = [systems[0], *sorted(systems[1:], key=lambda name: name != BASELINE)]
    rows = []
    for system in ordered:
        for trials in (SINGLE, AVERAGED):
            for metric in comparison.metrics(trials):
                cell = comparison.cell(system, (trials, None, "", metric))
                if cell is not None:
                    rows.append(_validation_row(comparison, system, trials, metric, cell))
    return rows


def _validation_row(comparison: Comparison, system: str, trials: str, metric: str, cell: Cell) -> dict[str, Any]:
    plan = comparison.plan
    chosen = "step chosen on the TEST objects" if system.endswith(f"@{PUBLISHED}") else "step chosen on objects 07"
    units = f"{len(cell.by_participant)} participants, {len(plan.seeds)} seeds"
    return {
        "system": system,
        "scheme": f"{trials}, whole turn, objects 08 and 09; {chosen}; {units}",
        "metric": metric,
        "mean": cell.mean,
        "ci95": list(cell.ci95),
        "chance": cell.chance,
        "p_permutation": cell.p,
        "n": cell.n,
        "by_participant": dict(cell.by_participant),
        "by_seed": {str(seed): mean for seed, mean in cell.by_seed.items()},
        "sd_between_starts": cell.sd_starts,
        "ci95_participants_and_starts": None if cell.ci95_both is None else list(cell.ci95_both),
    }


def _tables(comparison: Comparison) -> list[Table]:
    found = [
        *(_scores(comparison, trials, "") for trials in (SINGLE, AVERAGED)),
        _pictures(comparison),
        *(_unfolding(comparison, k) for k in (1, 5)),
        _differences(comparison),
        _starts(comparison),
        _controls(comparison),
        _meanings(comparison),
        published_table(comparison),
        _confidence(comparison),
        _cost(comparison),
    ]
    return [table for table in found if table["rows"]]


def _scores(comparison: Comparison, trials: str, control: str) -> Table:
    metrics = [one for one in comparison.metrics(trials) if "way" in one or "colour" in one]
    metrics = [one for one in metrics if not one.startswith("picture")]
    return _by_system(comparison, f"{trials.capitalize()}, whole turn, %", trials, metrics, control)


def _pictures(comparison: Comparison) -> Table:
    metrics = [one for one in comparison.metrics(AVERAGED) if one.startswith(("picture", "category"))]
    title = "Retrieval among pictures never seen, by the decoded embedding, averaged trials, %"
    return _by_system(comparison, title, AVERAGED, metrics, "")


def _by_system(comparison: Comparison, title: str, trials: str, metrics: Sequence[str], control: str) -> Table:
    rows, chance = [], ["chance", "", *("" for _ in metrics)]
    for system in comparison.plan.systems:
        cells = [comparison.cell(system, (trials, None, control, metric)) for metric in metrics]
        rows.append([system, comparison.done(system), *map(_shown, cells)])
        for column, cell in enumerate(cells):
            if cell is not None:
                chance[2 + column] = f"{100 * cell.chance:.1f}"
    title += " (95 % interval; * p < 0.05, ** p < 0.01 by permutation)"
    return {
        "title": title,
        "head": ["system", "runs", *metrics],
        "rows": [*rows, chance] if metrics else [],
        "n_text": 1,
    }


def _unfolding(comparison: Comparison, k: int) -> Table:
    """Single trials, the picture alone first."""
    metric, times = _followed(comparison, k)
    rows = []
    for system in comparison.plan.systems:
        cells = [comparison.cell(system, (SINGLE, seen_s, "", metric)) for seen_s in times]
        if any(cell is not None for cell in cells):
            rows.append([system, *(MISSING if cell is None else f"{100 * cell.mean:.1f}" for cell in cells)])
    head = ["s of the turn seen", *("whole" if one is None else f"{one:g}" for one in times)]
    return {"title": f"As the turn unfolds: {metric}, single trials, %", "head": head, "rows": rows, "n_text": 1}


def _followed(comparison: Comparison, k: int) -> tuple[str, list[float | None]]:
    """The measure that is followed as the turn unfolds, "" for none, and the seconds it was taken at."""
    metric = next((one for one in comparison.metrics(SINGLE) if one.endswith(f"-way top-{k}") and one[0] != "p"), "")
    seen = {
        row.seen_s
        for record in comparison.records.values()
        for row in record.evaluation.rows
        if row.metric == metric and not row.control
    }
    return metric, [*sorted(one for one in seen if one is not None), *([None] if None in seen else [])]


def _curves(comparison: Comparison) -> list[dict[str, Any]]:
    """The same for a figure (`calibration.report_comparison`); changed systems are left out."""
    whole_s = Windows().seen_s(Windows().n_dynamic)
    found = []
    for metric, times in (_followed(comparison, k) for k in (1, 5)):
        systems = {}
        chance = 0.0
        for system in (one for one in comparison.plan.systems if "@" not in one):
            cells = {one: comparison.cell(system, (SINGLE, one, "", metric)) for one in times}
            there = {whole_s if one is None else one: cell for one, cell in cells.items() if cell is not None}
            if there:
                chance = next(iter(there.values())).chance
                systems[system] = {
                    "seen_s": list(there),
                    "mean": [cell.mean for cell in there.values()],
                    "low": [cell.ci95[0] for cell in there.values()],
                    "high": [cell.ci95[1] for cell in there.values()],
                }
        if systems:
            found.append({"metric": metric, "chance": chance, "systems": systems})
    return found


def _differences(comparison: Comparison) -> Table:
    """Every system less the first, within participants."""
    first, *others = comparison.plan.systems
    keys = {
        f"{metric}, {trials}": (trials, None, "", metric)
        for trials in (SINGLE, AVERAGED)
        for metric in comparison.metrics(trials)[:2]
    }
    rows = []
    for system in others:
        found = [comparison.difference(system, first, key) for key in keys.values()]
        if any(found):
            rows.append([system, *(MISSING if one is None else _apart(one) for one in found)])
    title = f"Difference from {first}, within participants, percentage points (95 % interval)"
    return {"title": title, "head": ["system", *keys], "rows": rows, "n_text": 1}


def _apart(found: tuple[float, tuple[float, float], int]) -> str:
    mean, (low, high), n = found
    return f"{100 * mean:+.1f} ({100 * low:+.1f} to {100 * high:+.1f}), n = {n}"


def _starts(comparison: Comparison) -> Table:
    """Of the first measure: how far participants and how far starts lie apart."""
    keys = {
        trials: (trials, None, "", metric) for trials in (SINGLE, AVERAGED) for metric in comparison.metrics(trials)[:1]
    }
    rows = []
    for system in comparison.plan.systems:
        cells = [comparison.cell(system, key) for key in keys.values()]
        if any(cell is not None and cell.sd_starts is not None for cell in cells):
            shown = [text for cell in cells for text in _spread(cell)]
            rows.append([system, str(max(len(cell.by_seed) for cell in cells if cell is not None)), *shown])
    columns = ("sd between participants", "sd between starts", "95 % over both")
    metric = next((key[-1] for key in keys.values()), "")
    return {
        "title": f"What hangs on the participant, and what on the start of training: {metric}, points "
        "(sd between starts within a participant; 95 % interval of the mean for other participants from other starts)",
        "head": ["system", "starts", *(f"{trials}: {column}" for trials in keys for column in columns)],
        "rows": rows,
        "n_text": 1,
    }


def _spread(cell: Cell | None) -> list[str]:
    if cell is None:
        return [MISSING] * 3
    apart = float(np.std(list(cell.by_participant.values()), ddof=1)) if len(cell.by_participant) > 1 else None
    both = cell.ci95_both
    return [
        *(MISSING if one is None else f"{100 * one:.1f}" for one in (apart, cell.sd_starts)),
        MISSING if both is None else f"{100 * both[0]:.1f} to {100 * both[1]:.1f}",
    ]


def _controls(comparison: Comparison) -> Table:
    metrics = comparison.metrics(SINGLE)[:2]
    rows = []
    for system in comparison.plan.systems:
        for control in CONTROLS:
            cells = [comparison.cell(system, (SINGLE, None, control.name, metric)) for metric in metrics]
            if any(cell is not None for cell in cells):
                rows.append([system, control.name, *map(_shown, cells)])
        recipe, _, change = system.partition("@")
        if change in TRAINED:
            cells = [comparison.cell(system, (SINGLE, None, "", metric)) for metric in metrics]
            rows.append([recipe, f"trained @{change}", *map(_shown, cells)])
    return {
        "title": "Controls, single trials, whole turn, %",
        "head": ["system", "control", *metrics],
        "rows": rows,
        "n_text": 2,
    }


def _meanings(comparison: Comparison) -> Table:
    changes = [change for change in TRAINED if any(one.endswith(f"@{change}") for one in comparison.plan.systems)]
    rows = [[control.name, control.meaning] for control in CONTROLS]
    rows += [[f"trained @{change}", TRAINED[change].meaning] for change in changes]
    return {"title": "What the controls mean", "head": ["control", "meaning"], "rows": rows, "n_text": 2}


def _confidence(comparison: Comparison) -> Table:
    rows = []
    for system in comparison.plan.systems:
        told = [record.evaluation.confidence for run, record in comparison.records.items() if run.system == system]
        if told:
            cells = [
                f"{np.mean([one[view][how]['ece'] for one in told]):.3f}"
                for view in ("picture alone", "whole turn")
                for how in ("as trained", "with temperature")
            ]
            rows.append([system, *cells])
    head = [
        "system",
        "picture, as trained",
        "picture, with temperature",
        "whole, as trained",
        "whole, with temperature",
    ]
    title = "How far confidence is from accuracy (expected calibration error; temperature from objects 07)"
    return {"title": title, "head": head, "rows": rows, "n_text": 1}


def _cost(comparison: Comparison) -> Table:
    rows = []
    for system in comparison.plan.systems:
        told = [record.about for run, record in comparison.records.items() if run.system == system]
        if told:
            budget, work = told[0]["budget"], told[0].get("work", {})  # runs of before have not counted
            passes = f"{budget['epochs']} x {told[0]['n_trials']['training']}" if budget else "closed form"
            counts = [told[0]["n_parameters"], *(work.get(one) for one in ("multiply_adds", "flops", "tokens"))]
            times = [[one[what] for one in told if one[what] is not None] for what in ("fit_s", "fit_cpu_s")]
            shown = (f"{np.mean(one):.0f}" if one else "–" for one in times)
            counted = ["–" if n is None else f"{n:,}" for n in counts]
            rows.append([system, *counted, work.get("counter") or "–", passes, *shown])
    arithmetic = ("multiply-adds", "FLOPs", "tokens", "counted")
    head = ["system", "parameters", *arithmetic, "epochs x training trials", "s to fit", "s of processor"]
    title = "Cost of a run (multiply-adds and FLOPs, two for each, of one trial; tokens of the first level)"
    return {"title": title, "head": head, "rows": rows, "n_text": 1}


def _warnings(comparison: Comparison) -> list[str]:
    plan, said = comparison.plan, []
    missing = len(plan.orders) - len(comparison.records)
    if missing:
        said.append(f"{missing} of {len(plan.orders)} runs are not done; rows rest on those that are, as `runs` says")
    said += [f"{run} failed: {text}" for run, text in comparison.failures.items()]
    if len(plan.participants) == 1:
        said.append("one participant: intervals are over objects and hold for this participant alone")
    if any(system.endswith(f"@{PUBLISHED}") for system in plan.systems):
        said.append("rows @published chose their step on the test objects, as published tables did: they are too good")
    about = next(iter(comparison.records.values())).about if comparison.records else {}
    if about.get("offline_reason"):
        said.append(f"offline only: {about['offline_reason']}")
    if plan.size != "full":
        said.append(f"{plan.size} size: what these rows show of a system holds for that size alone")
    return said


def _n_test(comparison: Comparison) -> int:
    """Test trials of all participants, once each."""
    by_participant = {run.participant: record.about["n_trials"]["test"] for run, record in comparison.records.items()}
    return sum(by_participant.values())


def _shown(cell: Cell | None) -> str:
    return MISSING if cell is None else str(cell)
