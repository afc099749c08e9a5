"""What was reconstructed of each trial, as files and as rows of the report, and the truth beside it on one sheet.

OUT/reconstructions/trial-0012-fused.png, .glb     the last answer of each trial that was made
OUT/reconstructions.png                            the first trials, what was shown beside what was made of it
"""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from calibration.contact_sheet import Tile, sheet
from calibration.stimuli import Item, Picture, StimulusSet
from calibration.surface_view import SurfaceRenderer, surface_of
from engines.generators.base import Surface
from engines.generators.meshes import write_mesh
from pipeline.reconstruction import Reconstruction
from pipeline.timing import Ledger

FOLDER, SHEET = "reconstructions", "reconstructions.png"
ON_SHEET = 24
TILE_PX = 160
ACROSS = 2


class Album:
    """Keeps what was made under `out`, of each trial the last that came whole; writes a trial when the next begins.

    Thread: `add` from one while it is made; everything else when nothing more comes.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._open: Reconstruction | None = None
        self._written: dict[int, Mapping[str, Any]] = {}
        self._for_sheet: dict[int, Reconstruction] = {}
        self.ledger = Ledger()

    def add(self, made: Reconstruction) -> None:
        """Take a part; only whole ones are kept. One that failed takes no other's place.

        Raises:
            OSError: it cannot be written.
        """
        if not made.complete:
            return
        for part, took_ms in made.ms:
            self.ledger.add(part, took_ms / 1e3)
        trial = made.wish.trial
        if self._open is not None and self._open.wish.trial != trial:
            self.write()
        if not made.error or (self._open is None and trial not in self._written):
            self._open = made

    def write(self) -> None:
        """Write the trial that is open."""
        made, self._open = self._open, None
        if made is None:
            return
        trial = made.wish.trial
        for name in ("picture", "mesh"):
            if before := self._written.get(trial, {}).get(name):
                (self._out / before).unlink()
        self._written[trial] = self._row(made)
        if trial in self._for_sheet or len(self._for_sheet) < ON_SHEET:
            self._for_sheet[trial] = made

    def rows(self, truth: Mapping[int, str], labels: Mapping[int, str]) -> list[dict[str, Any]]:
        """The `trials` of the report, in their order; `labels` are the markers' own."""
        return [
            {**row, "true": truth.get(trial), "shown": _key(labels.get(trial, ""))}
            for trial, row in sorted(self._written.items())
        ]

    def sheet(self, stimuli: StimulusSet | None, labels: Mapping[int, str], title: str, marks: list[str]) -> Picture:
        """The first trials, truth beside reconstruction; without `stimuli` the truth is named only."""
        items = {item.key: item for item in stimuli.items} if stimuli else {}
        chosen = sorted(self._for_sheet.items())
        meshed = any(made.mesh is not None for _, made in chosen)
        with ExitStack() as stack:
            renderer = stack.enter_context(SurfaceRenderer(TILE_PX)) if meshed else None
            rows = [
                _tiles(made, _key(labels.get(trial, "")), items, stimuli, renderer) for trial, made in chosen
            ]  # fmt: skip
        columns = ("shown", "picture", "shown, shape", "shape") if meshed else ("shown", "picture")
        notes = [] if stimuli else ["The stimulus set is not on this machine: what was shown is named only."]
        if len(self._written) > len(chosen):
            notes.append(f"The first {len(chosen)} of {len(self._written)} trials.")
        return sheet(rows, columns, title, marks, notes, across=ACROSS, tile_px=TILE_PX)

    def save_sheet(self, picture: Picture) -> str:
        """Write the sheet; its name."""
        Image.fromarray(picture).save(self._out / SHEET)
        return SHEET

    def __len__(self) -> int:
        return len(self._written)

    def _row(self, made: Reconstruction) -> dict[str, Any]:
        """Write the files, tell of them."""
        wish = made.wish
        (self._out / FOLDER).mkdir(parents=True, exist_ok=True)
        stem = f"{FOLDER}/trial-{wish.trial:04d}-{wish.stage}"
        files: dict[str, str | None] = {"picture": None, "mesh": None}
        if made.picture is not None:
            files["picture"] = f"{stem}.png"
            Image.fromarray(made.picture).save(self._out / f"{stem}.png")
        if (mesh := made.mesh) is not None:
            files["mesh"] = f"{stem}.glb"
            write_mesh(Surface(mesh.vertices, mesh.faces, mesh.colours), self._out / f"{stem}.glb")
        return {
            "trial": wish.trial,
            "stage": wish.stage,
            "top": wish.category,
            **files,
            "caption": made.caption,
            "caption_route": made.caption_route,
            "error": made.error,
        }


def _tiles(
    made: Reconstruction,
    key: str,
    items: Mapping[str, Item],
    stimuli: StimulusSet | None,
    renderer: SurfaceRenderer | None,
) -> tuple[Tile, ...]:
    item = items.get(key)
    seen = stimuli.picture(item) if stimuli and item else None
    tiles = (Tile(seen, key), Tile(made.picture, made.caption or made.error))
    if renderer is None:
        return tiles
    true_mesh = stimuli.mesh(item) if stimuli and item else None
    true_shape = None if true_mesh is None else renderer.picture(surface_of(true_mesh))
    shape = None if made.mesh is None else np.asarray(renderer.picture(made.mesh))
    return (*tiles, Tile(true_shape), Tile(shape))


def _key(label: str) -> str:
    """Of a marker such as "stim/chair/08", what stimulus sets call it; any other label as it is."""
    _, slash, key = label.partition("/")
    return key if slash else label
