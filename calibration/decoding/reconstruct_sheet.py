"""Contact sheets of reconstructions: what was seen, what was made of it from either stream and both, and the floors.

Which objects are shown is fixed before anything is made: object by object in the order of the test set, evenly spaced.

Thread: the one that called; renders.
"""

from collections.abc import Sequence

from calibration.contact_sheet import Tile, sheet
from calibration.decoding.reconstruct import NEAREST, NOTHING, ROWS, TRUE, Reconstructions, TableRow
from calibration.decoding.reconstruct_dependency import Dependencies
from calibration.dominance import CAVEATS, KEY, LEAST_INLIERS, tinted
from calibration.metrics.shapes import f_score
from calibration.stimuli import Item, Picture
from calibration.surface_view import SurfaceRenderer
from pipeline.types import Array

SEEN = "seen"
_F_AT, _TILE_PX = 0.05, 96
_HEADS = {TRUE: "of the truth*", NEAREST: "nearest", NOTHING: "of nothing"}
_STAR = "* made from the embedding of the picture that was seen: nothing was decoded."


def picture_sheet(found: Reconstructions, marks: Sequence[str], places: Sequence[int], title: str) -> Picture:
    """Pictures, a row for each of `places`."""
    shown = [row for row in found.rows if row.pictures is not None]
    rows = [
        (Tile(found.truth.pictures[at], _name(found.truth.items[at])), *(
            Tile(row.pictures[at], _name(row.sources[at]) if row.sources else "") for row in shown
            if row.pictures is not None
        ))
        for at in places
    ]  # fmt: skip
    heads = (SEEN, *(_HEADS.get(row.name, row.name) for row in shown))
    return sheet(rows, heads, title, marks, (_STAR,), across=2, tile_px=_TILE_PX)


def shape_sheet(found: Reconstructions, marks: Sequence[str], places: Sequence[int], title: str) -> Picture:
    """Shapes from one side, a row for each of `places`, with their F-scores below."""
    shown = [row for row in found.rows if row.clouds is not None]
    rows = []
    with SurfaceRenderer(_TILE_PX) as renderer:
        for at in places:
            seen = None if found.truth.surfaces is None else found.truth.surfaces[at]
            drawn = None if seen is None else renderer.picture(seen)
            tiles = (_shape(renderer, row, at, found.truth.clouds) for row in shown)
            rows.append((Tile(drawn, _name(found.truth.items[at])), *tiles))
    heads = (SEEN, *(_HEADS.get(row.name, row.name) for row in shown))
    notes = (
        _STAR,
        f"F: F-score at {_F_AT:g} of the unit sphere, as made. The last two shapes are the same in every row.",
    )
    return sheet(rows, heads, title, marks, notes, across=2, tile_px=_TILE_PX)


def _shape(renderer: SurfaceRenderer, row: TableRow, at: int, truth: Sequence[Array] | None) -> Tile:
    surface = None if row.surfaces is None else row.surfaces[at]
    cloud = None if row.clouds is None else row.clouds[at]
    score = "" if cloud is None or truth is None else f"F {f_score(cloud, truth[at], _F_AT):.2f}"
    caption = f"{_name(row.sources[at])} {score}" if row.sources else score
    return Tile(None if surface is None else renderer.picture(surface), caption)


def dependency_sheet(
    found: Reconstructions, told: Dependencies, marks: Sequence[str], places: Sequence[int], title: str
) -> Picture:
    """What was seen, made from both streams and from either, and the map: warm the turn, cool the picture."""
    heads = (SEEN, *ROWS[:3], "map", "by part", "another trial's")
    rows = []
    for at in places:
        own, item = told.own[at], found.truth.items[at]
        made = [row.pictures[at] for row in found.rows[:3] if row.pictures is not None]
        best = sorted(own.parts, key=lambda part: -abs(part[1]))[:2]
        parts = ", ".join(f"{name} {value:+.2f}" for name, value in best)
        by_part = Tile(None) if own.by_part is None else Tile(tinted(own.by_part, made[0]), parts)
        rows.append((
            Tile(found.truth.pictures[at], _name(item)), *(Tile(one) for one in made),
            Tile(tinted(own.map, made[0]), _ALIGNED[own.aligned]), by_part,
            Tile(tinted(told.shuffled[at].map, made[0])),
        ))  # fmt: skip
    laid = f"Aligned: laid over the answer of both by at least {LEAST_INLIERS} matching points, which blurs lack."
    over = f"By part: {'; '.join(told.averaged_over)}."
    return sheet(rows, heads, title, marks, (KEY, laid, over, *CAVEATS), across=1, tile_px=112)


def _name(item: Item) -> str:
    return f"{item.category} {item.object}"


_ALIGNED = {
    (False, False): "neither aligned", (True, False): "picture's aligned",
    (False, True): "turn's aligned", (True, True): "both aligned",
}  # fmt: skip
