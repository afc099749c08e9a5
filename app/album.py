"""What was reconstructed of each trial, as files and as rows of the report.

OUT/reconstructions/trial-0012-fused.png, .glb     the last answer of each trial that was made
OUT/reconstructions.png                            trials beside what was shown (`app.sheet`)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from engines.generators.base import Surface
from engines.generators.meshes import write_mesh
from pipeline.reconstruction import Picture, Reconstruction
from pipeline.timing import Ledger

FOLDER, SHEET = "reconstructions", "reconstructions.png"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class SheetWanted:
    """A contact sheet of `rows` as `Album.rows` gives them, whose files lie in `out`.

    `stimuli` is the set that was shown from, as `calibration.open_set` takes it; `marks` say what the pictures are not.
    """

    out: Path
    rows: Sequence[Row]
    stimuli: str
    title: str
    marks: tuple[str, ...] = ()


class Album:
    """Keeps what was made under `out`, of each trial the last that came whole; writes a trial when the next begins.

    Thread: `add` from one while it is made; everything else when nothing more comes.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self._open: Reconstruction | None = None
        self._written: dict[int, Row] = {}
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
                (self.out / before).unlink()
        self._written[trial] = self._row(made)

    def rows(self, truth: Mapping[int, str], labels: Mapping[int, str]) -> list[dict[str, Any]]:
        """The `trials` of the report, in their order; `labels` are the markers' own."""
        return [
            {**row, "true": truth.get(trial), "shown": _key(labels.get(trial, ""))}
            for trial, row in sorted(self._written.items())
        ]

    def save_sheet(self, picture: Picture) -> str:
        """Write the sheet; its name."""
        Image.fromarray(picture).save(self.out / SHEET)
        return SHEET

    def __len__(self) -> int:
        return len(self._written)

    def _row(self, made: Reconstruction) -> Row:
        """Write the files, tell of them."""
        wish = made.wish
        (self.out / FOLDER).mkdir(parents=True, exist_ok=True)
        stem = f"{FOLDER}/trial-{wish.trial:04d}-{wish.stage}"
        files: dict[str, str | None] = {"picture": None, "mesh": None}
        if made.picture is not None:
            files["picture"] = f"{stem}.png"
            Image.fromarray(made.picture).save(self.out / f"{stem}.png")
        if (mesh := made.mesh) is not None:
            files["mesh"] = f"{stem}.glb"
            write_mesh(Surface(mesh.vertices, mesh.faces, mesh.colours), self.out / f"{stem}.glb")
        return {
            "trial": wish.trial,
            "stage": wish.stage,
            "top": wish.category,
            **files,
            "caption": made.caption,
            "caption_route": made.caption_route,
            "error": made.error,
        }


def _key(label: str) -> str:
    """Of a marker such as "stim/chair/08", what stimulus sets call it; any other label as it is."""
    _, slash, key = label.partition("/")
    return key if slash else label
