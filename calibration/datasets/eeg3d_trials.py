"""The recordings of one EEG-3D subject, trial by trial, without reading more than is asked for.

`static` is what was recorded around the picture, -0.2 to 0.8 s at 250 Hz; `dynamic` around the start of the turning
video, -0.2 to 5.8 s at 100 Hz. Both are (64, n): z-scores over the whole trial, one mean and one deviation for all
channels, after re-referencing to FZ, which therefore has the same value throughout a trial.
Channel names are not in the files; the authors' code picks them in the order of pipeline.montage.NEUROSCAN_64.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from calibration.datasets.arrays import AnyArray, open_array
from calibration.datasets.eeg3d_names import Label
from calibration.sets.errors import SetUnusable
from calibration.stimuli import Item

N_CHANNELS = 64
NAMES_FILE = "name_label.npy"
N_PER_SESSION = 72
Stream = Literal["static", "dynamic"]
Part = Literal["train", "test"]


@dataclass(frozen=True)
class Cut:
    """How trials were cut: `name` in file names, samples, rate, and seconds from the onset to the first sample."""

    name: str
    n_samples: int
    sfreq_hz: float
    start_s: float = -0.2


CUTS: dict[Stream, Cut] = {
    "static": Cut("1s_250Hz", 250, 250.0),
    "dynamic": Cut("6s_100Hz", 600, 100.0),
}


@dataclass(frozen=True, eq=False)
class Trial:
    """One showing. `static` (64, 250) and `dynamic` (64, 600) read-only; `repeat` counts showings of one object from 0.

    `session` counts from 0; None where the files no longer tell.
    """

    label: Label
    repeat: int
    session: int | None
    static: AnyArray
    dynamic: AnyArray

    @property
    def item(self) -> Item:
        """What was shown."""
        return self.label.item


class Trials:
    """All trials of one subject, in the order of the files.

    Thread: any.
    """

    def __init__(
        self, labels: Sequence[Label], arrays: dict[Stream, list[AnyArray]], n_per_session: int | None
    ) -> None:
        """`arrays` hold (n, 64, time) blocks one after another; `n_per_session` is None if not in recorded order."""
        self.labels = tuple(labels)
        self._arrays = arrays
        self._n_per_session = n_per_session
        self._starts = np.cumsum([0, *(len(block) for block in arrays["static"])])
        seen: Counter[Label] = Counter()
        repeats = []
        for label in self.labels:
            repeats.append(seen[label])
            seen[label] += 1
        self.repeats = tuple(repeats)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, number: int) -> Trial:
        """Trial `number`, from 0.

        Raises:
            IndexError: no such trial.
            SetUnusable: it holds values that are no numbers.
        """
        if not 0 <= number < len(self):
            raise IndexError(f"trial {number} of {len(self)}")
        static, dynamic = self._one("static", number), self._one("dynamic", number)
        return Trial(self.labels[number], self.repeats[number], self.session(number), static, dynamic)

    def session(self, number: int) -> int | None:
        """The session of trial `number`, from 0; None where the files no longer tell."""
        return None if self._n_per_session is None else number // self._n_per_session

    def read(self, stream: Stream, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """(*numbers.shape, 64, time) copies of those trials.

        Raises:
            SetUnusable: one holds values that are no numbers.
        """
        out = np.empty((numbers.size, N_CHANNELS, CUTS[stream].n_samples), dtype=np.float32)
        for row, number in zip(out, numbers.flat, strict=True):
            row[:] = self._one(stream, int(number))
        return out.reshape(*numbers.shape, *out.shape[1:])

    def grid(self, part: Part) -> NDArray[np.int64]:
        """(categories, objects, repeats) trial numbers as published: objects 00 to 07 train, 08 and 09 test.

        Categories and objects in lexicographic order of the labels, repeats as they come (EEG_organization.py).

        Raises:
            SetUnusable: not every category has as many objects, or not every object as many repeats.
        """
        trials: defaultdict[Label, list[int]] = defaultdict(list)
        for number, label in enumerate(self.labels):
            if label.held_out == (part == "test"):
                trials[label].append(number)
        objects: defaultdict[str, list[list[int]]] = defaultdict(list)
        for label in sorted(trials, key=str):
            objects[label.category].append(trials[label])
        if not objects:
            raise SetUnusable(f"there is no trial of the {part} objects; expected some")
        shapes = Counter((len(rows), len(row)) for rows in objects.values() for row in rows)
        if len(shapes) > 1:
            raise SetUnusable(f"{part}: expected as many objects a category and repeats an object, came {dict(shapes)}")
        return np.array(list(objects.values()), dtype=np.int64)

    def _one(self, stream: Stream, number: int) -> AnyArray:
        block = int(np.searchsorted(self._starts, number, side="right")) - 1
        trial: AnyArray = self._arrays[stream][block][number - self._starts[block]]
        if not np.isfinite(trial).all():
            raise SetUnusable(f"trial {number} ({self.labels[number]}), {stream}: holds values that are no numbers")
        return trial


def open_trials(folder: Path, labels: Sequence[Label], n_per_session: int = N_PER_SESSION) -> Trials:
    """The trials in `folder`, whose name is the subject's: as recorded, or as EEG_organization.py sorts them.

    `labels` are all objects of the set in lexicographic order, of which sorted arrays are made.

    Raises:
        SetUnusable: neither is there whole, or an array or a name has another form.
    """
    if (folder / NAMES_FILE).is_file():
        names = [Label.parse(str(name)) for name in open_array(folder / NAMES_FILE, (None,), kinds="U")]
        recorded: dict[Stream, list[AnyArray]] = {
            stream: [open_array(folder / f"process_data_{cut.name}.npy", (len(names), N_CHANNELS, cut.n_samples))]
            for stream, cut in CUTS.items()
        }
        return Trials(names, recorded, n_per_session)
    return _open_sorted(folder, labels)


def _open_sorted(folder: Path, labels: Sequence[Label]) -> Trials:
    names: list[Label] = []
    arrays: dict[Stream, list[AnyArray]] = {"static": [], "dynamic": []}
    parts: tuple[Part, Part] = ("train", "test")
    for part in parts:
        held = [label for label in labels if label.held_out == (part == "test")]
        n_categories = len({label.category for label in held})
        n_objects = len(held) // max(n_categories, 1)
        repeats: int | None = None
        for stream, cut in CUTS.items():
            path = folder / f"{folder.name}_{part}_data_{cut.name}.npy"
            array = open_array(path, (n_categories, n_objects, repeats, N_CHANNELS, cut.n_samples))
            repeats = array.shape[2]
            arrays[stream].append(array.reshape(-1, N_CHANNELS, cut.n_samples))
        names += [label for label in held for _ in range(repeats or 0)]
    return Trials(names, arrays, None)
