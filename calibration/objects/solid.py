"""One object: a mesh of named, coloured parts."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import trimesh
from numpy.typing import NDArray

from pipeline.types import Array

N_POINTS = 8192


@dataclass(frozen=True, eq=False)
class Part:
    """`vertices` (n, 3) and `faces` (m, 3), anticlockwise from outside; `colour` (3,) red, green, blue from 0 to 1."""

    name: str
    vertices: Array
    faces: NDArray[np.int64]
    colour: Array


@dataclass(frozen=True, eq=False)
class Solid:
    """Object `number` of `category`: z up, front towards -y, centred, its farthest vertex at distance 1.

    `colour_label` is the number of its main colour in `colours.LABELS`.

    Thread: any.
    """

    category: str
    number: int
    parts: tuple[Part, ...]
    colour_label: int

    @property
    def name(self) -> str:
        """Its number as it stands in markers and file names."""
        return f"{self.number:02d}"

    @cached_property
    def vertices(self) -> Array:
        """(n, 3), those of all parts one after another."""
        return np.concatenate([p.vertices for p in self.parts])

    @cached_property
    def faces(self) -> NDArray[np.int64]:
        """(m, 3) rows of `vertices`."""
        starts = np.cumsum([0, *(len(p.vertices) for p in self.parts[:-1])])
        return np.concatenate([p.faces + start for p, start in zip(self.parts, starts, strict=True)])

    @cached_property
    def face_parts(self) -> NDArray[np.int64]:
        """(m,) the part that each face belongs to."""
        return np.repeat(np.arange(len(self.parts)), [len(p.faces) for p in self.parts])

    @cached_property
    def face_colours(self) -> Array:
        """(m, 3) from 0 to 1."""
        return np.array([p.colour for p in self.parts])[self.face_parts]

    def mesh(self) -> trimesh.Trimesh:
        """As one mesh with face colours, for export and ray casting."""
        colours = np.round(255 * np.column_stack([self.face_colours, np.ones(len(self.faces))])).astype(np.uint8)
        return trimesh.Trimesh(self.vertices, self.faces, face_colors=colours, process=False)

    def point_cloud(self, n: int = N_POINTS, seed: int = 0) -> Array:
        """(n, 6) x y z and red green blue from 0 to 1, even over the surface. The same seed gives the same points."""
        points, face = scatter(self.vertices, self.faces, n, np.random.default_rng([seed, self.number]))
        return np.asarray(np.column_stack([points, self.face_colours[face]]))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of shape and colours to 1e-4, the same on every machine."""
        digest = hashlib.sha256(f"{self.category}/{self.name}".encode())
        for part in self.parts:
            digest.update(part.name.encode())
            for values in (part.vertices, part.colour):
                digest.update((np.round(values * 1e4).astype("<i4") + 0).tobytes())
            digest.update(part.faces.astype("<i4").tobytes())
        return digest.hexdigest()


def scatter(
    vertices: Array, faces: NDArray[np.int64], n: int, rng: np.random.Generator
) -> tuple[Array, NDArray[np.int64]]:
    """`n` points (n, 3) even over the surface and the face (n,) that each lies on."""
    corners = vertices[faces]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    face = rng.choice(len(areas), size=n, p=areas / areas.sum())
    # Uniform in a triangle: Osada et al. 2002, ACM Trans Graph 21:807, equation 1.
    root, along = np.sqrt(rng.random((n, 1))), rng.random((n, 1))
    a, b, c = corners[face].transpose(1, 0, 2)
    return (1 - root) * a + root * (1 - along) * b + root * along * c, face
