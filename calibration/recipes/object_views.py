"""Built-in objects from all sides and in other colours: what the pocket models learn from.

Thread: one at a time (rendering holds a graphics context).
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray

from calibration.objects.build import build, seen_areas
from calibration.objects.colours import colour_label, paint
from calibration.objects.pose import pose_of
from calibration.objects.render import Renderer
from calibration.objects.solid import Solid
from calibration.recipes.progress import Progress
from pipeline.types import Array

N_ANGLES = 16
N_PAINTS = 8
"""How many ways each object is painted: its own, and others drawn by the same rules."""

# Painted "number" of an object's k-th other paint: no object has it, so nobody's colours are given away.
_OTHER_PAINTS = 100
_DARKEST = 0.02


@dataclass(frozen=True, eq=False)
class ObjectViews:
    """Objects seen from `n` angles, the first of them as their pictures show them.

    `pictures` (object, angle, size, size, 3); `parts` (object, angle, size, size) is 0 where there is nothing and the
    part's number from 1 elsewhere; `gains` (object, paint, 1 + part, 3) turn the object's own colours into those of a
    paint when multiplied, 1 for no part and for paint 0; `colours` (object, paint) are main colours, `categories`
    (object,) numbers of categories in the order they were asked for.
    """

    pictures: NDArray[np.uint8]
    parts: NDArray[np.uint8]
    gains: NDArray[np.float32]
    colours: NDArray[np.int64]
    categories: NDArray[np.int64]

    @property
    def fronts(self) -> NDArray[np.uint8]:
        """(object, size, size, 3)."""
        return self.pictures[:, 0]


def digest_of(solids: Iterable[Solid]) -> str:
    """SHA-256 over the digests of `solids`, in their order."""
    digest = hashlib.sha256()
    for solid in solids:
        digest.update(bytes.fromhex(solid.digest))
    return digest.hexdigest()


def solids_of(categories: Sequence[str], numbers: Iterable[int]) -> list[Solid]:
    """Objects `numbers` of each of `categories`, category by category."""
    return [build(category, number) for category in categories for number in numbers]


def views_of(solids: Sequence[Solid], size_px: int, cache: Path, progress: Progress | None = None) -> ObjectViews:
    """Render `solids` at `N_ANGLES` angles, or read what was rendered before from the folder `cache`."""
    shape = (len(solids), N_ANGLES, size_px, size_px)
    pictures, parts = np.empty((*shape, 3), dtype=np.uint8), np.empty(shape, dtype=np.uint8)
    painted = []
    cache.mkdir(parents=True, exist_ok=True)
    with Renderer(size_px) as renderer:
        for i, solid in enumerate(solids):
            path = cache / f"{_look_of(solid, size_px)}.npz"
            if not path.exists():
                _render(renderer, solid, path)
            with np.load(path) as stored:
                pictures[i], parts[i] = stored["pictures"], stored["parts"]
            painted.append(_paints(solid))
            if progress:
                progress((i + 1) / len(solids))
    names = list(dict.fromkeys(solid.category for solid in solids))
    categories = np.array([names.index(solid.category) for solid in solids])
    return ObjectViews(pictures, parts, _filled(painted), np.array([labels for _, labels in painted]), categories)


def _look_of(solid: Solid, size_px: int) -> str:
    """A name for all that decides what the views of `solid` look like, but for the light."""
    look = repr((solid.digest, pose_of(solid), size_px, N_ANGLES))
    return f"{solid.category}-{solid.name}-{hashlib.sha256(look.encode()).hexdigest()[:16]}"


def _render(renderer: Renderer, solid: Solid, path: Path) -> None:
    views = [renderer.view(solid, 360.0 * k / N_ANGLES) for k in range(N_ANGLES)]
    parts = np.stack([view.parts + 1 for view in views]).astype(np.uint8)
    unfinished = path.with_suffix(".part.npz")
    np.savez(unfinished, pictures=np.stack([view.picture for view in views]), parts=parts)
    unfinished.replace(path)


def _filled(painted: Sequence[tuple[Array, list[int]]]) -> NDArray[np.float32]:
    """Gains of objects with different numbers of parts in one array."""
    gains = np.ones((len(painted), N_PAINTS, max(own.shape[1] for own, _ in painted), 3), dtype=np.float32)
    for row, (own, _) in zip(gains, painted, strict=True):
        row[:, : own.shape[1]] = own
    return gains


def _paints(solid: Solid) -> tuple[Array, list[int]]:
    """(paint, 1 + part, 3) gains and the main colour of each paint."""
    meshes = {part.name: trimesh.Trimesh(part.vertices, part.faces, process=False) for part in solid.parts}
    areas = seen_areas(meshes)
    own = np.array([part.colour for part in solid.parts])
    gains, labels = np.ones((N_PAINTS, 1 + len(own), 3)), [solid.colour_label]
    for k in range(1, N_PAINTS):
        number = _OTHER_PAINTS * k + solid.number
        gains[k, 1:] = paint(solid.category, number, areas) / np.maximum(own, _DARKEST)
        labels.append(colour_label(solid.category, number))
    return gains, labels
