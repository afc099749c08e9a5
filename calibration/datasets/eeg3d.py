"""EEG-3D (Guo et al. 2025, CVPR, arXiv:2411.12248): 72 categories of 10 objects, each as picture, video and points.

Confirmed in the authors' code (github.com/gzq17/neuro-3D at 277b9ca: EEG_organization.py, EEGdataset.py), in the
dataset card, and in a published copy of description.json:

    EEGdata/<subject>/process_data_1s_250Hz.npy     (1728, 64, 250), process_data_6s_100Hz.npy (1728, 64, 600)
    EEGdata/<subject>/name_label.npy                (1728,) names such as 01_airplane_06, the last two digits the object
    EEGdata/<subject>/<subject>_{train,test}_data_{1s_250Hz,6s_100Hz}.npy   (72, 8, 2, 64, T) and (72, 2, 4, 64, T)
    video_new/01_airplane_06.mp4                    the list of objects, in lexicographic order
    point_cloud_simple/airplane_06.npy              (8192, 6) x y z and red green blue from 0 to 1
    color_label.xlsx                                columns `name` (airplane_06) and `label` (0 to 5)
    description.json                                {airplane_06: {uid, description}}
    clip_feature.pth, clip_feature_gray.pth         {airplane_06: {text, video, point}}; see eeg3d_features.py

Seen only in the code of others who use the data: image/airplane/01_airplane_06.png, and that categories are numbered
from 01. Not known, and so not relied on: what is in point_cloud.zip (read if it has the same form) and in model3d.zip
(not read); frame size and rate of the videos; the type of the numbers in the arrays (float32 and float64 are taken).
"""

import json
from functools import cached_property
from pathlib import Path

import numpy as np
import trimesh
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from calibration.datasets.arrays import open_array
from calibration.datasets.eeg3d_names import Label
from calibration.datasets.eeg3d_trials import N_PER_SESSION, NAMES_FILE, Trials, open_trials
from calibration.datasets.xlsx import read_table
from calibration.objects.solid import N_POINTS
from calibration.sets import pictures, videos
from calibration.sets.errors import SetUnusable
from calibration.sets.paths import files_below
from calibration.stimuli import Item, Picture
from pipeline.types import Array

N_COLOURS = 6
# As numbers or as text, which the authors' int() takes as well.
_LABELS: dict[object, int] = {form: k for k in range(N_COLOURS) for form in (float(k), str(k))}
ORIGIN_FILE = "origin.json"
OFFLINE_REASON = (
    "EEG-3D was filtered forwards and backwards (zero phase), so that each sample knows what comes after it; "
    "no live signal is like that"
)


class Origin(BaseModel):
    """What a folder of this layout says of itself when we wrote it; the published data set has no such file.

    `n_per_session` trials were recorded between two long breaks.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    made_by: str
    simulated: bool
    causal: bool
    n_per_session: int = Field(default=N_PER_SESSION, ge=1)


class Eeg3d:
    """A folder in the layout of EEG-3D. `offline_only`: no decoder trained on it may run live, for `offline_reason`.

    A folder that we wrote says where it is from (`origin`); then `simulated` and `offline_only` are as it says.

    Thread: any, one at a time.
    """

    def __init__(self, folder: Path | str) -> None:
        """Look at what there is; nothing is decoded yet.

        Raises:
            SetUnusable: no such folder, no object in it, a name of another form, or one category with two numbers.
        """
        self.folder = Path(folder)
        self.origin = _origin(self.folder)
        self.simulated = self.origin is not None and self.origin.simulated
        self.offline_only = self.origin is None or not self.origin.causal
        self.offline_reason = OFFLINE_REASON if self.offline_only else ""
        self.name = "EEG-3D" if self.origin is None else f"EEG-3D layout, {self.origin.made_by}"
        self.licence = ""
        self._pictures = _by_label(self.folder / "image", ".png")
        self._videos = _by_label(self.folder / "video_new", ".mp4")
        self.subjects = _subjects(self.folder / "EEGdata")
        self._labels = self._all_labels()
        self.items = tuple(self._labels)
        self.warnings = tuple(self._told())

    def label(self, item: Item) -> Label:
        """The name of `item` in the files.

        Raises:
            SetUnusable: no such item.
        """
        if item not in self._labels:
            raise SetUnusable(f"{self.name} has no {item.key}; `afterimage stimuli list` names what it has")
        return self._labels[item]

    def picture(self, item: Item) -> Picture:
        """(height, width, 3); without image/ the first frame of the video.

        Raises:
            SetUnusable: no such item, neither picture nor video of it, or a damaged file.
        """
        label = str(self.label(item))
        if label in self._pictures:
            return pictures.read_picture(self._pictures[label])
        if label in self._videos:
            return videos.first_frame(self._videos[label])
        raise SetUnusable(f"{self.folder} has neither image/{item.category}/{label}.png nor video_new/{label}.mp4")

    def turn(self, item: Item) -> tuple[Picture, float] | None:
        """(n, height, width, 3) and Hz.

        Raises:
            SetUnusable: no such item, or a damaged file.
        """
        video = self._videos.get(str(self.label(item)))
        return None if video is None else videos.read_video(video)

    def mesh(self, item: Item) -> trimesh.Trimesh | None:
        """None: how model3d.zip is laid out is not known."""
        self.label(item)
        return None

    def point_cloud(self, item: Item) -> Array | None:
        """(8192, 6) centred, farthest point at distance 1, red green blue from 0 to 1.

        Raises:
            SetUnusable: no such item, or an array of another form.
        """
        name = f"{self.label(item).key}.npy"
        places = (self.folder / "point_cloud_simple" / name, self.folder / "point_cloud" / name)
        path = next((place for place in places if place.is_file()), None)
        return None if path is None else normalised(path, np.asarray(open_array(path, (N_POINTS, 6)), np.float64))

    def colour_label(self, item: Item) -> int | None:
        """0 to 5; what each number means is not published.

        Raises:
            SetUnusable: no such item, or color_label.xlsx is not such a table or does not name it.
        """
        key = self.label(item).key
        if not self._colours:
            return None
        if key not in self._colours:
            raise SetUnusable(f"{self.folder / 'color_label.xlsx'} has no row for {key}")
        return self._colours[key]

    def description(self, item: Item) -> str | None:
        """What the authors wrote of the object.

        Raises:
            SetUnusable: no such item, or description.json is no such file.
        """
        return self._descriptions.get(self.label(item).key)

    def verify(self, item: Item) -> None:
        """Read every file of `item` whole.

        Raises:
            SetUnusable: no such item, or one of its files is missing or damaged.
        """
        self.picture(item)
        self.turn(item)
        self.point_cloud(item)
        self.colour_label(item)

    def trials(self, subject: str) -> Trials:
        """Everything recorded from `subject`, opened and not read.

        Raises:
            SetUnusable: no such subject, or arrays of another form.
        """
        if subject not in self.subjects:
            known = ", ".join(self.subjects) or "none"
            raise SetUnusable(f"{self.folder / 'EEGdata'} has no subject {subject!a}; it has {known}")
        n_per_session = N_PER_SESSION if self.origin is None else self.origin.n_per_session
        return open_trials(self.folder / "EEGdata" / subject, list(self._labels.values()), n_per_session)

    @cached_property
    def _colours(self) -> dict[str, int]:
        path = self.folder / "color_label.xlsx"
        if not path.is_file():
            return {}
        colours = {}
        for row in read_table(path):
            name, number = row.get("name"), _LABELS.get(row.get("label"))
            if not isinstance(name, str) or number is None:
                raise SetUnusable(f"{path}: expected columns name and label (0 to {N_COLOURS - 1}), came {row}")
            colours[name] = number
        return colours

    @cached_property
    def _descriptions(self) -> dict[str, str]:
        path = self.folder / "description.json"
        if not path.is_file():
            return {}
        try:
            return {key: str(entry["description"]) for key, entry in json.loads(path.read_text("utf-8")).items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SetUnusable(f"{path}: expected {{name: {{uid, description}}}}, came {error!r}") from error

    def _all_labels(self) -> dict[Item, Label]:
        texts = {*self._pictures, *self._videos}
        for subject in self.subjects:
            names = self.folder / "EEGdata" / subject / NAMES_FILE
            if names.is_file():
                texts.update(str(name) for name in open_array(names, (None,), kinds="U"))
        if not texts:
            found = "no object" if self.folder.is_dir() else "no such folder"
            raise SetUnusable(f"{self.folder}: {found}; expected image/, video_new/ or EEGdata/<subject>/{NAMES_FILE}")
        labels: dict[Item, Label] = {}
        for label in map(Label.parse, sorted(texts)):
            if labels.setdefault(label.item, label) != label:
                raise SetUnusable(
                    f"{self.folder}: {labels[label.item]} and {label} are one object; expected one number"
                )
        return labels

    def _told(self) -> list[str]:
        told = []
        if self.offline_only:
            told.append(f"offline only: {self.offline_reason}")
        if self.simulated:
            told.append("simulated")
        for place in ("image", "video_new", "point_cloud_simple"):
            if (self.folder / f"{place}.zip").is_file() and not (self.folder / place).is_dir():
                told.append(f"{place}.zip is not unpacked; unpack it into {place}/")
        for place, there in (("image", self._pictures), ("video_new", self._videos)):
            if missing := [str(label) for label in self._labels.values() if str(label) not in there]:
                told.append(f"{place}/ lacks {len(missing)} of {len(self._labels)} objects, the first {missing[0]}")
        return told


def normalised(path: Path, points: Array) -> Array:
    """`points` (n, 6) centred on their mean, the farthest at distance 1, as EEGdataset.py does; colours as they are.

    Raises:
        SetUnusable: all points are one, a value is no number, or a colour is outside 0 to 1.
    """
    if not np.isfinite(points).all() or points[:, 3:].min() < 0 or points[:, 3:].max() > 1:
        raise SetUnusable(f"{path}: expected x y z and red green blue from 0 to 1, came values outside")
    centred = points[:, :3] - points[:, :3].mean(axis=0)
    reach = np.linalg.norm(centred, axis=1).max()
    if reach == 0:
        raise SetUnusable(f"{path}: all points are one; expected a surface")
    return np.column_stack([centred / reach, points[:, 3:]])


def signed_colours(points: Array) -> Array:
    """`points` (n, 6) with colours from -1 to 1, as Neuro-3D's networks take them."""
    return np.column_stack([points[:, :3], 2 * points[:, 3:] - 1])


def looks_like(folder: Path) -> bool:
    """Whether `folder` has the layout of EEG-3D."""
    return (folder / "EEGdata").is_dir() or (folder / "video_new").is_dir()


def _by_label(folder: Path, suffix: str) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    found: dict[str, Path] = {}
    for relative in files_below(folder):
        path = folder / relative
        if path.suffix.lower() == suffix and found.setdefault(path.stem, path) != path:
            raise SetUnusable(f"{found[path.stem]} and {path} are the same object; expected one")
    return found


def _subjects(folder: Path) -> tuple[str, ...]:
    """Names of subject folders; their numbers have gaps and mean nothing."""
    if not folder.is_dir():
        return ()
    return tuple(sorted({name.split("/")[0] for name in files_below(folder) if "/" in name and name.endswith(".npy")}))


def _origin(folder: Path) -> Origin | None:
    path = folder / ORIGIN_FILE
    if not path.is_file():
        return None
    try:
        return Origin.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise SetUnusable(f"{path}: expected made_by, simulated and causal; {error}") from error
