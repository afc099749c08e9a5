"""The contact sheet of a session: what was shown beside what was made of it, drawn from the files of an album.

Thread: any, and a process without a window of Qt's: it renders.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image

from app.album import Row, SheetWanted
from calibration.contact_sheet import Tile, sheet
from calibration.open_set import open_set
from calibration.stimuli import StimulusSet, evenly
from calibration.surface_view import SurfaceRenderer, surface_of
from engines.errors import AfterimageError
from engines.generators.meshes import read_surface
from pipeline.reconstruction import Picture

MOST = 48
TILE_PX = 160
# Tiles beside one another on a page.
ACROSS = 8
ELSEWHERE = "The stimulus set is not on this machine: what was shown is named only."


def chosen(rows: Sequence[Row]) -> list[Row]:
    """All of them, or `MOST`, evenly from the first to the last."""
    return [rows[place] for place in evenly(len(rows), MOST)]


def drawn(wanted: SheetWanted) -> Picture | None:
    """(height, width, 3), with a column for what there is any of; None where neither a picture nor a mesh was made."""
    rows, stimuli = chosen(wanted.rows), _opened(wanted.stimuli)
    kinds = [kind for kind in ("picture", "mesh") if any(row[kind] for row in rows)]
    if not kinds:
        return None
    with ExitStack() as stack:
        renderer = stack.enter_context(SurfaceRenderer(TILE_PX)) if "mesh" in kinds else None
        columns = _Columns(wanted.out, stimuli, renderer)
        tiles = [columns.tiles(row, kinds) for row in rows]
    heads = {"picture": ("shown", "picture"), "mesh": ("shown, shape", "shape")}
    names = [name for kind in kinds for name in (heads[kind] if stimuli else heads[kind][1:])]
    notes = [] if stimuli else [ELSEWHERE]
    if len(rows) < len(wanted.rows):
        notes.append(f"{len(rows)} of {len(wanted.rows)} trials, evenly from the first to the last.")
    across = max(1, ACROSS // len(names))
    return sheet(tiles, names, wanted.title, wanted.marks, notes, across=across, tile_px=TILE_PX)


class _Columns:
    """Tiles of one trial after another. Truth is left out where nobody has the set."""

    def __init__(self, out: Path, stimuli: StimulusSet | None, renderer: SurfaceRenderer | None) -> None:
        self._out = out
        self._stimuli = stimuli
        self._items = {item.key: item for item in stimuli.items} if stimuli else {}
        self._renderer = renderer

    def tiles(self, row: Row, kinds: Sequence[str]) -> tuple[Tile, ...]:
        """Of each kind what was shown and what was made; under the first its trial, under the second its words."""
        trial = f"trial {row['trial']}: {row['shown'] or 'unknown'}"
        words = row["caption"] or row["error"]
        made = {"picture": self._picture, "mesh": self._shape}
        shown = {"picture": self._true_picture, "mesh": self._true_shape}
        tiles: list[Tile] = []
        for number, kind in enumerate(kinds):
            if self._stimuli:
                tiles.append(Tile(shown[kind](row["shown"]), "" if number else trial))
                tiles.append(Tile(made[kind](row), "" if number else words))
            else:
                tiles.append(Tile(made[kind](row), "" if number else f"{trial}: {words}"))
        return tuple(tiles)

    def _picture(self, row: Row) -> Picture | None:
        return np.asarray(Image.open(self._out / row["picture"]).convert("RGB")) if row["picture"] else None

    def _shape(self, row: Row) -> Picture | None:
        assert self._renderer is not None
        return self._renderer.picture(read_surface(self._out / row["mesh"])) if row["mesh"] else None

    def _true_picture(self, key: str) -> Picture | None:
        item = self._items.get(key)
        return self._stimuli.picture(item) if self._stimuli and item else None

    def _true_shape(self, key: str) -> Picture | None:
        item = self._items.get(key)
        mesh = self._stimuli.mesh(item) if self._stimuli and item else None
        assert self._renderer is not None
        return None if mesh is None else self._renderer.picture(surface_of(mesh))


def _opened(stimuli: str) -> StimulusSet | None:
    try:
        return open_set(stimuli)
    except AfterimageError:  # the sheet says so
        return None
