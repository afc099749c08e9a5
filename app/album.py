"""What was reconstructed of each trial, as files and as rows of the report.

OUT/reconstructions/trial-0012-fused.png, .glb     the last answer of each trial that was made, in the formats asked for
OUT/reconstructions.png                            trials beside what was shown (`app.sheet`)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from app.shape_files import CLOUD, has_area, write_shape
from app.writing import Writing
from pipeline.reconstruction import MeshComes, Picture, Reconstruction, Wish
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

    A mesh that comes later joins the answer that it was made of, unless that has been replaced meanwhile. Meshes are
    written in each of `formats` (`app.shape_files.FORMATS`). `apart`: by a process of its own, so that a session beside
    is not held up; `close` ends it.

    Thread: `add` from one while it is made; everything else when nothing more comes.
    """

    def __init__(self, out: Path, formats: Sequence[str] = ("glb",), apart: bool = False) -> None:
        self.out = out
        self._formats = formats
        self._writing = Writing() if apart else None
        self._open: Reconstruction | None = None
        self._written: dict[int, tuple[Wish, Row]] = {}
        self.ledger = Ledger()

    def add(self, made: Reconstruction) -> None:
        """Take a part; only whole ones are kept. One that failed takes no other's place.

        Raises:
            OSError: it cannot be written, or one before it could not.
        """
        if not made.complete:
            return
        late = made.mesh_comes is MeshComes.LATE
        for part, took_ms in made.ms:
            if not late or part == "mesh":
                self.ledger.add(part, took_ms / 1e3)
        if late:
            self._join(made)
        else:
            self._take(made)

    def _join(self, made: Reconstruction) -> None:
        """A mesh that came late, or why it did not."""
        trial = made.wish.trial
        wish, row = self._written.get(trial, (None, {}))
        if self._open is not None and self._open.wish is made.wish:
            self._open = made
        elif wish is made.wish:
            self._written[trial] = made.wish, {**row, **self._mesh_files(made), "error": made.error}

    def _take(self, made: Reconstruction) -> None:
        trial = made.wish.trial
        if self._open is not None and self._open.wish.trial != trial:
            self.write()
        if not made.error or (self._open is None and trial not in self._written):
            self._open = made

    def write(self) -> None:
        """Write the trial that is open.

        Raises:
            OSError: as `add`.
        """
        made, self._open = self._open, None
        if made is None:
            return
        trial = made.wish.trial
        _, before = self._written.get(trial, (None, {}))
        for name in (before.get("picture"), *before.get("mesh_files", ())):
            if name is not None:
                self._do(Path.unlink, self.out / name)
        self._written[trial] = made.wish, self._row(made)

    def close(self) -> None:
        """Write the trial that is open, and wait until everything is written. Safe to call twice.

        Raises:
            OSError: as `add`.
        """
        try:
            self.write()
        finally:
            if self._writing is not None:
                self._writing.finish()

    def _do(self, job: Callable[..., None], *arguments: object) -> None:
        if self._writing is not None:
            self._writing.put(job, *arguments)
        else:
            job(*arguments)

    def rows(self, truth: Mapping[int, str], labels: Mapping[int, str]) -> list[dict[str, Any]]:
        """The `trials` of the report, in their order; `labels` are the markers' own."""
        return [
            {**row, "true": truth.get(trial), "shown": _key(labels.get(trial, ""))}
            for trial, (_, row) in sorted(self._written.items())
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
        picture = None
        if made.picture is not None:
            picture = f"{_stem(wish)}.png"
            self._do(_save_picture, made.picture, self.out / picture)
        return {
            "trial": wish.trial,
            "stage": wish.stage,
            "top": wish.category,
            "picture": picture,
            **self._mesh_files(made),
            "caption": made.caption,
            "caption_route": made.caption_route,
            "error": made.error,
        }

    def _mesh_files(self, made: Reconstruction) -> Row:
        """Write the mesh; `mesh` is the one that draws again, None where there is none or only its cloud."""
        if made.mesh is None:
            return {"mesh": None, "mesh_files": []}
        suffixes = [suffix for suffix in self._formats if suffix != CLOUD or has_area(made.mesh)]
        files = [f"{_stem(made.wish)}.{suffix}" for suffix in suffixes]
        for name in files:
            self._do(write_shape, made.mesh, self.out / name)
        return {"mesh": next((name for name in files if not name.endswith(CLOUD)), None), "mesh_files": files}


def _save_picture(picture: Picture, path: Path) -> None:
    Image.fromarray(picture).save(path)


def _stem(wish: Wish) -> str:
    return f"{FOLDER}/trial-{wish.trial:04d}-{wish.stage}"


def _key(label: str) -> str:
    """Of a marker such as "stim/chair/08", what stimulus sets call it; any other label as it is."""
    _, slash, key = label.partition("/")
    return key if slash else label
