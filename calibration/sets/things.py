"""Folders of THINGS pictures (Hebart et al. 2019, doi:10.1371/journal.pone.0223792) and their THINGS-EEG2 selection.

THINGS-EEG2 (Gifford et al. 2022, doi:10.1016/j.neuroimage.2022.119754) has 1654 concepts of 10 pictures, as
`training_images/00001_aardvark/aardvark_01b.jpg`, and 200 other concepts of one, as
`test_images/00001_aircraft_carrier/aircraft_carrier_06s.jpg`. Row of a picture in the EEG arrays: (number of the
concept's folder - 1) x pictures a concept + place of the picture by name. THINGS itself:
`object_images/aardvark/aardvark_01b.jpg`, any number of pictures a concept.
"""

import re
from collections import Counter
from pathlib import Path

import trimesh

from calibration.sets import pictures
from calibration.sets.errors import SetUnusable
from calibration.sets.paths import files_below
from calibration.stimuli import Item, Picture
from pipeline.types import Array

N_TRAINING, N_TEST = 10, 1
_TRAINING, _TEST, _DATABASE = "training_images", "test_images", "object_images"
_NUMBERED = re.compile(r"(\d{5})_(.+)")


class Things:
    """Pictures only: nothing turns, nothing has a shape or a colour label.

    `training` and `test` are their items in the order of the EEG arrays; empty in `object_images`.

    Thread: any, one at a time.
    """

    def __init__(self, folder: Path | str) -> None:
        """Look at what there is; nothing is decoded yet.

        Raises:
            SetUnusable: no such folder, no picture in it, or concepts with too many or too few pictures.
        """
        self.folder = Path(folder)
        self._rows: dict[Item, int] = {}
        self._paths: dict[Item, Path] = {}
        self.training = self._numbered(_TRAINING, N_TRAINING)
        self.test = self._numbered(_TEST, N_TEST)
        self.items = self.training + self.test or self._database()
        self.name = "THINGS-EEG2 pictures" if self._rows else "THINGS"
        self.licence = ""
        self.warnings = ("nothing in these folders tells their licence, and no file was checked",)

    def row(self, item: Item) -> int:
        """Row of `item` in the training or the test array, from 0.

        Raises:
            SetUnusable: no such item, or it is not from THINGS-EEG2.
        """
        self._path(item)
        if item not in self._rows:
            raise SetUnusable(
                f"{self.folder / _DATABASE} has no order of THINGS-EEG2; expected {_TRAINING}/ or {_TEST}/"
            )
        return self._rows[item]

    def picture(self, item: Item) -> Picture:
        """(height, width, 3).

        Raises:
            SetUnusable: no such item, or a damaged file.
        """
        return pictures.read_picture(self._path(item))

    def turn(self, item: Item) -> tuple[Picture, float] | None:
        """None."""
        self._path(item)
        return None

    def mesh(self, item: Item) -> trimesh.Trimesh | None:
        """None."""
        self._path(item)
        return None

    def point_cloud(self, item: Item) -> Array | None:
        """None."""
        self._path(item)
        return None

    def colour_label(self, item: Item) -> int | None:
        """None."""
        self._path(item)
        return None

    def verify(self, item: Item) -> None:
        """Read the picture of `item` whole.

        Raises:
            SetUnusable: no such item, or a damaged file.
        """
        self.picture(item)

    def _path(self, item: Item) -> Path:
        if item not in self._paths:
            raise SetUnusable(f"{self.name} has no {item.key}; `afterimage stimuli list` names what it has")
        return self._paths[item]

    def _numbered(self, part: str, n_pictures: int) -> tuple[Item, ...]:
        items = []
        for concept, names in _concepts(self.folder / part).items():
            numbered = _NUMBERED.fullmatch(concept)
            if numbered is None or len(names) != n_pictures:
                raise SetUnusable(
                    f"{self.folder / part / concept} holds {len(names)} pictures; "
                    f"expected {n_pictures} in a folder such as 00001_aardvark"
                )
            for place, name in enumerate(names):
                item = self._add(part, concept, numbered.group(2), name)
                self._rows[item] = (int(numbered.group(1)) - 1) * n_pictures + place
                items.append(item)
        self._refuse_shared_rows(part, items)
        return tuple(items)

    def _database(self) -> tuple[Item, ...]:
        concepts = _concepts(self.folder / _DATABASE)
        if not concepts:
            raise SetUnusable(f"{self.folder} has no picture; expected {_TRAINING}/, {_TEST}/ or {_DATABASE}/")
        return tuple(
            self._add(_DATABASE, concept, concept, name) for concept, names in concepts.items() for name in names
        )

    def _add(self, part: str, concept: str, category: str, name: str) -> Item:
        item, path = Item(category, Path(name).stem), self.folder / part / concept / name
        if item in self._paths:
            raise SetUnusable(f"{self._paths[item]} and {path} are both {item.key}; expected one")
        self._paths[item] = path
        return item

    def _refuse_shared_rows(self, part: str, items: list[Item]) -> None:
        shared = [row for row, n in Counter(self._rows[item] for item in items).items() if n > 1]
        if shared:
            raise SetUnusable(f"{self.folder / part}: two concepts have one number; rows {shared} would be both")


def looks_like(folder: Path) -> bool:
    """Whether `folder` has one of these layouts."""
    return any((folder / part).is_dir() for part in (_TRAINING, _TEST, _DATABASE))


def _concepts(folder: Path) -> dict[str, list[str]]:
    """Names of pictures in each concept's folder, both sorted."""
    concepts: dict[str, list[str]] = {}
    for path in files_below(folder) if folder.is_dir() else []:
        concept, _, name = path.partition("/")
        if Path(path).suffix.lower() not in pictures.SUFFIXES:
            continue
        if not name or "/" in name:
            raise SetUnusable(f"{folder / path}: expected a picture inside a concept's folder")
        concepts.setdefault(concept, []).append(name)
    return concepts
