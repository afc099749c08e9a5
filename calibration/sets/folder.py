"""Any folder of pictures, videos and meshes as a stimulus set.

One sub-folder a category, each file named after its object (`cat/01.jpg` is cat/01); or all files in one folder, the
category before the first `_`, `-` or digit (`cat_01.jpg`, `cat01.jpg` and `cat-01.jpg` are cat/01, `cat.jpg` is
cat/cat).
Files of one stem are one item: `cat/01.jpg`, `cat/01.mp4` and `cat/01.glb` are its picture, its turn and its shape.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import trimesh

from calibration.objects.solid import N_POINTS
from calibration.sets import manifest as lists
from calibration.sets import meshes, pictures, videos
from calibration.sets.errors import SetUnusable
from calibration.sets.manifest import ItemEntry, Manifest
from calibration.sets.paths import checked_name, files_below, inside
from calibration.sets.shown import mesh_picture, mesh_turn
from calibration.stimuli import Item, Picture
from pipeline.types import Array

_CATEGORY = re.compile(r"[^\d_\-]+")


@dataclass(frozen=True)
class Files:
    """Relative paths of what shows one item."""

    picture: str | None = None
    video: str | None = None
    mesh: str | None = None


class Folder:
    """A folder of stimuli. With a manifest everything in it was checked; without one `warnings` says so.

    An item without a picture shows the first frame of its video or, with neither, its mesh from the front; an item
    without a video turns its mesh. An item with neither video nor mesh does not turn.

    Thread: any, one at a time.
    """

    def __init__(self, folder: Path | str) -> None:
        """Look at the files of `folder`; nothing is decoded yet.

        Raises:
            SetUnusable: no such folder, nothing to show in it, or two files for the same thing; whatever
                `read_manifest` refuses.
        """
        self.folder = Path(folder)
        found = files_below(self.folder)
        if (self.folder / lists.FILE_NAME).is_file():
            listed = lists.read_manifest(self.folder)
            self.name, self.licence = listed.name, listed.licence
            self._files = {entry.item: _listed(entry) for entry in listed.items}
            known = {entry.path for entry in listed.files}
            told: list[str] = []
        else:
            self.name, self.licence = self.folder.resolve().name, ""
            self._files, parts = scan(self.folder, found)
            known = parts.union(*(_paths(files) for files in self._files.values()))
            told = [f"{self.folder} has no {lists.FILE_NAME}: nothing is known of its licence, and no file was checked"]
        self.items = tuple(sorted(self._files))
        self.ignored = tuple(sorted(set(found) - known - {lists.FILE_NAME}))
        if self.ignored:
            told.append(f"not used: {_some(self.ignored)}")
        self.warnings = tuple(told)

    def picture(self, item: Item) -> Picture:
        """(height, width, 3).

        Raises:
            SetUnusable: no such item, or its file is missing, damaged or outside the folder.
        """
        files = self._of(item)
        if files.picture is not None:
            return pictures.read_picture(inside(self.folder, files.picture))
        if files.video is not None:
            return videos.first_frame(inside(self.folder, files.video))
        return mesh_picture(self._mesh(files))

    def turn(self, item: Item) -> tuple[Picture, float] | None:
        """(n, height, width, 3) and Hz.

        Raises:
            SetUnusable: as `picture`.
        """
        files = self._of(item)
        if files.video is not None:
            return videos.read_video(inside(self.folder, files.video))
        return None if files.mesh is None else mesh_turn(self._mesh(files))

    def mesh(self, item: Item) -> trimesh.Trimesh | None:
        """Its shape: z up, front towards -y, farthest vertex at distance 1, face colours.

        Raises:
            SetUnusable: as `picture`.
        """
        files = self._of(item)
        return None if files.mesh is None else self._mesh(files)

    def point_cloud(self, item: Item) -> Array | None:
        """(8192, 6) points sampled from its mesh, always the same ones.

        Raises:
            SetUnusable: as `picture`.
        """
        mesh = self.mesh(item)
        return None if mesh is None else meshes.sample(mesh, N_POINTS)

    def colour_label(self, item: Item) -> int | None:
        """None: a folder of files has no colour labels."""
        self._of(item)
        return None

    def verify(self, item: Item) -> None:
        """Read every file of `item` whole.

        Raises:
            SetUnusable: no such item, or one of its files is missing, damaged or outside the folder.
        """
        files = self._of(item)
        if files.picture is not None:
            self.picture(item)
        if files.video is not None:
            videos.read_video(inside(self.folder, files.video))
        self.mesh(item)

    def _of(self, item: Item) -> Files:
        if item not in self._files:
            raise SetUnusable(f"{self.name} has no {item.key}; `afterimage stimuli list` names what it has")
        return self._files[item]

    def _mesh(self, files: Files) -> trimesh.Trimesh:
        if files.mesh is None:
            raise SetUnusable(f"{self.folder}: nothing shows this item; index the folder again")
        return meshes.read_mesh(inside(self.folder, files.mesh))


def scan(folder: Path, found: Iterable[str]) -> tuple[dict[Item, Files], set[str]]:
    """What the files `found` below `folder` show, and which of them are only parts of meshes.

    Raises:
        SetUnusable: nothing to show, files both beside and inside category folders, folders in folders, two files for
            the same thing, or a name that yields no category.
    """
    media = {path: kind for path in found if (kind := _kind(path)) is not None}
    parts = {part for path, kind in media.items() if kind == "mesh" for part in _parts(folder, path)}
    shown = {path: kind for path, kind in media.items() if path not in parts}
    if not shown:
        raise SetUnusable(f"{folder} holds no picture, video or mesh; expected e.g. {folder.name}/cat/01.jpg")
    depths = {path.count("/") for path in shown}
    if len(depths) > 1 or max(depths) > 1:
        raise SetUnusable(
            f"{folder}: expected one sub-folder a category or all files in one, came both or deeper: {_some(shown)}"
        )
    items: dict[Item, dict[str, str]] = {}
    for path, kind in shown.items():
        kinds = items.setdefault(item_of(path), {})
        if kind in kinds:
            raise SetUnusable(
                f"{folder}: {kinds[kind]} and {path} are both the {kind} of one item; rename or remove one"
            )
        kinds[kind] = path
    return {item: Files(**kinds) for item, kinds in items.items()}, parts


def item_of(path: str) -> Item:
    """The item that a relative path shows, by the rule on top of this file.

    Raises:
        SetUnusable: the name of a file without a category folder begins with a digit, `_` or `-`; or a name that
            `checked_name` refuses.
    """
    pure = PurePosixPath(path)
    if pure.parent.name:
        return Item(checked_name(pure.parent.name), checked_name(pure.stem))
    begin = _CATEGORY.match(pure.stem)
    if begin is None:
        raise SetUnusable(f"{path} names no category; expected e.g. cat_01.jpg, or a sub-folder for each category")
    category = checked_name(begin.group().strip())
    return Item(category, checked_name(pure.stem[begin.end() :].strip("_- ") or category))


def index(folder: Path | str, name: str, licence: str) -> Path:
    """Write the manifest of `folder` as it is now; returns its path.

    Raises:
        SetUnusable: as `scan`, or a file cannot be read.
        OSError: the folder cannot be written.
    """
    folder = Path(folder)
    items, parts = scan(folder, [path for path in files_below(folder) if path != lists.FILE_NAME])
    entries = [
        ItemEntry(
            category=item.category,
            object=item.object,
            **{kind: lists.file_entry(folder, path) for kind, path in vars(files).items() if path is not None},
        )
        for item, files in sorted(items.items())
    ]
    needed = [lists.file_entry(folder, path) for path in sorted(parts)]
    return lists.write_manifest(folder, Manifest(name=name, licence=licence, items=tuple(entries), parts=tuple(needed)))


def _kind(path: str) -> str | None:
    suffix = PurePosixPath(path).suffix.lower()
    kinds = {"picture": pictures.SUFFIXES, "video": videos.SUFFIXES, "mesh": meshes.SUFFIXES}
    return next((kind for kind, suffixes in kinds.items() if suffix in suffixes), None)


def _parts(folder: Path, mesh: str) -> set[str]:
    beside = PurePosixPath(mesh).parent
    parts = set()
    for name in meshes.referenced(inside(folder, mesh)):
        part = (beside / name).as_posix()
        if not inside(folder, part).is_file():
            raise SetUnusable(f"{folder / mesh} needs {name} beside it, and it is not there")
        parts.add(part)
    return parts


def _listed(entry: ItemEntry) -> Files:
    return Files(*(None if file is None else file.path for file in (entry.picture, entry.video, entry.mesh)))


def _paths(files: Files) -> set[str]:
    return {path for path in vars(files).values() if path is not None}


def _some(paths: Iterable[str], most: int = 5) -> str:
    listed = sorted(paths)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")
