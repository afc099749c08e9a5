"""What `evaluate --reconstruct` tells: tables of every row by every measure, of captions, of the dependency index.

Thread: any.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from calibration.decoding.alone import BOTH
from calibration.decoding.reconstruct import FLOORS, MEANINGS, ROWS, SEEN, Reconstructions
from calibration.decoding.reconstruct_captions import Captioned, about
from calibration.decoding.reconstruct_dependency import N_SEEDED, N_SEEDS, Dependencies
from calibration.decoding.reconstruct_scores import (
    ACCURACY,
    ALIGNED,
    AS_MADE,
    CHAMFER,
    DISTANCE,
    FRECHET,
    INCEPTION,
    LOOKS,
    LPIPS,
    Scored,
)
from calibration.dominance import CAVEATS
from calibration.stimuli import evenly

Table = dict[str, Any]

PIXELS = ("PSNR", "SSIM", "PixCorr", LPIPS)
SHAPES = "Shapes, as they were made"
MISSING, NOT_MADE = "n/a", "not made"
JUDGES = ("CLIP", "AlexNet 5", "pocket")
"""Whose identification the verdict goes by: the first that measured. Published networks know nothing of generators."""
N_CAPTIONS_SHOWN = 12


def marks_of(simulated: bool, pocket: Sequence[str]) -> tuple[str, ...]:
    """What every sheet and table says of itself."""
    said = ["simulated participant"] if simulated else []
    return (*said, *([f"made by small stand-ins: {', '.join(pocket)}"] if pocket else []))


def tables(
    scores: Sequence[Scored], unit: str, marks: Sequence[str], not_made: Mapping[str, str] | None = None
) -> list[Table]:
    """Pictures, identification, shapes, what each row means; `unit` says what intervals are over.

    `not_made` tells of each row that has shapes how many of its items have none.
    """
    metrics = list(dict.fromkeys(one.metric for one in scores))
    kinds = {
        "Pictures": [m for m in metrics if m in PIXELS or m.startswith(DISTANCE)],
        "Pictures, two-way identification and generation accuracy": [
            m for m in metrics if m.startswith(("2-way", ACCURACY))
        ],
        "All pictures together": [m for m in metrics if m.startswith((f"{FRECHET} ", f"{INCEPTION} "))],
        SHAPES: [m for m in metrics if m.endswith(f", {AS_MADE}")],
        "Shapes, aligned": [m for m in metrics if m.endswith(f", {ALIGNED}")],
        "Shapes, what they look like from four sides": [m for m in metrics if m.startswith(f"{LOOKS} ")],
    }
    how = f"objects 08 and 09, mean EEG of all showings; 95 % intervals over {unit}"
    said = "; ".join([how, *marks])
    found = []
    for kind, chosen in kinds.items():
        beside = not_made or {} if kind == SHAPES else {}
        if chosen or beside:
            title = "; ".join([f"Reconstruction. {kind}", said, *_cautions(scores, chosen)])
            found.append(_by_row(title, scores, chosen, beside))
    there = dict.fromkeys(one.row for one in scores)
    meanings = [[row, MEANINGS[row]] for row in _ORDER if row in there]
    if not meanings:
        return []
    return [
        *found,
        {"title": "Rows of the tables of reconstructions", "head": ["row", "is"], "rows": meanings, "n_text": 2},
    ]


def caption_tables(
    told: Sequence[Captioned], scores: Sequence[Scored], author: str, unit: str, marks: Sequence[str]
) -> list[Table]:
    """How good captions are by row, how they came about, and those of some objects of the first participant."""
    first = told[0]
    made = f"by {first.captioner}, route {first.route}"
    metrics = list(dict.fromkeys(one.metric for one in scores))
    title = f"Captions {made}; true ones by {author}; 95 % intervals over {unit}"
    found = [_by_row("; ".join([title, *marks]), scores, metrics, {})] if metrics else []
    found.append({
        "title": "How captions came about", "head": ["", ""], "rows": [list(line) for line in about(first, author)],
        "n_text": 2,
    })  # fmt: skip
    true = [] if first.true is None else ["true"]
    rows = [
        [first.items[at].key, *([first.true[at][0]] if first.true else []), *(said[at] for said in first.said.values())]
        for at in evenly(len(first.items), N_CAPTIONS_SHOWN)
    ]
    title = "; ".join([f"Captions {made}, participant {first.participant}", *marks])
    head = ["object", *true, *first.said]
    return [*found, {"title": title, "head": head, "rows": rows, "n_text": len(head)}]


def dependency_tables(told: Sequence[Dependencies], marks: Sequence[str], layers: str) -> list[Table]:
    """The index over objects, own EEG beside another trial's, and the spread over seeds."""
    found: dict[str, list[Mapping[str, float]]] = {}
    for one in told:
        for name, values in one.table():
            found.setdefault(name, []).append(values)
    heads = list(next(iter(found.values()))[0])
    rows = [[name, *(f"{np.mean([v[head] for v in values]):.3f}" for head in heads)] for name, values in found.items()]
    over: Counter[str] = Counter()
    for one in told:
        over.update(one.averaged_over)
    averaged = [f"{what} ({n} objects)" if len(over) > 1 else what for what, n in over.items()]
    title = "; ".join([f"Dependency index, through {layers}; means over objects 08 and 09", *averaged, *marks])
    spread = [
        [f"deviation over {N_SEEDS} seeds of the generator, {N_SEEDED} objects",
         f"{np.mean([one.spread_over_seeds for one in told]):.3f}"],
        ["deviation over objects", f"{np.mean([one.spread_over_objects for one in told]):.3f}"],
    ]  # fmt: skip
    return [
        {"title": title, "head": ["pictures from one stream", *heads], "rows": rows, "n_text": 1},
        {"title": "Spread of the dependency index", "head": ["over", "RDI"], "rows": spread, "n_text": 1},
        {"title": "How to read the dependency index", "head": [""], "rows": [[one] for one in CAVEATS], "n_text": 1},
    ]


def verdict(scores: Sequence[Scored]) -> tuple[str, str]:
    """Whether what both streams give is identified, beside the floors, in a sentence, and good or bad.

    By pictures where there are some, else by shapes.
    """
    metrics = [*(f"2-way {judge}" for judge in JUDGES), *(f"{LOOKS} 2-way top-1 {judge}" for judge in JUDGES)]
    metric = next((name for name in metrics if any(one.metric == name for one in scores)), "")
    cells = {one.row: one for one in scores if one.metric == metric}
    own = cells.get(BOTH)
    if own is None or own.ci95 is None:
        return "Nothing was reconstructed.", ""
    floors = ", ".join(f"{name} {100 * cells[name].mean:.1f} %" for name in FLOORS if name in cells)
    p = "" if own.p is None else f", p = {own.p:.3g} by permutation"
    above = own.ci95[0] > 0.5 and (own.p is None or own.p < 0.05)
    low, high = (f"{100 * end:.1f}" for end in own.ci95)
    what = "looks more like the category that was seen than like another"
    if not metric.startswith(LOOKS):
        what = "is more like what was seen than like another object"
    return (
        f"{'Above' if above else 'Not above'} chance. What was reconstructed {what} "
        f"in {100 * own.mean:.1f} % of cases (95 % interval {low} to {high} %, chance 50 %{p}; "
        f"{floors}; {metric})."
    ), "good" if above else "bad"


def not_made(found: Sequence[Reconstructions]) -> dict[str, str]:
    """By row that has shapes: how many of all items have none, since the generator found no surface."""
    n = sum(len(one.truth.items) for one in found)
    rows = [name for name in ROWS if any(row.name == name and row.clouds is not None for row in found[0].rows)]
    return {name: f"{sum(one.row(name).n_not_made for one in found)} of {n}" for name in rows}


def gains_line(found: Reconstructions) -> str:
    """By how much decoded embeddings were lengthened, and how far they agree with true ones."""
    told = ", ".join(
        f"{name} {gain:.1f} (correlation {found.certainties[name]:.2f})" for name, gain in found.gains.items()
    )
    return (
        f"participant {found.participant}: decoded embeddings were lengthened to the spread of true ones, "
        f"times {told}; generators of shapes are told the correlation with true ones, that of object 07"
    )


def _cautions(scores: Sequence[Scored], metrics: Sequence[str]) -> list[str]:
    """What is to be said beside any of these measures, once for each."""
    said = dict.fromkeys((one.metric, one.caution) for one in scores if one.metric in metrics and one.caution)
    return [f"{metric}: {caution}" for metric, caution in said]


def _by_row(title: str, scores: Sequence[Scored], metrics: Sequence[str], beside: Mapping[str, str]) -> Table:
    """`beside` is a last column, for the rows that it names."""
    cells = {(one.row, one.metric): one for one in scores}
    heads = [_head(metric) for metric in metrics]
    rows = [
        [row, *(_cell(cells.get((row, metric))) for metric in metrics), *([beside.get(row, MISSING)] if beside else [])]
        for row in _ORDER
        if row in beside or any((row, metric) in cells for metric in metrics)
    ]
    return {"title": title, "head": ["row", *heads, *([NOT_MADE] if beside else [])], "rows": rows, "n_text": 1}


def _head(metric: str) -> str:
    """With its unit, and an arrow where less is better; how shapes were laid stands in the title."""
    if metric == "PSNR":
        return "PSNR, dB"
    name = metric.removesuffix(f", {AS_MADE}").removesuffix(f", {ALIGNED}")
    return f"{name} ↓" if name in (*CHAMFER, LPIPS) or name.startswith((DISTANCE, f"{FRECHET} ")) else name


def _cell(one: Scored | None) -> str:
    if one is None:
        return MISSING
    digits = 2 if one.metric == "PSNR" else 3
    if one.spread is not None:
        return f"{one.mean:.{digits}f} ± {one.spread:.{digits}f}"
    if one.ci95 is None:
        return f"{one.mean:.{digits}f}"
    low, high = one.ci95
    told = f"{one.mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
    return told if one.p is None else f"{told} p {one.p:.3g}"


_ORDER = (SEEN, *ROWS)
