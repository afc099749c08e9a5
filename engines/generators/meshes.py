"""Meshes as files that other programs open, and as clouds of points.

glTF is y up with the front towards +z by its specification (Khronos glTF 2.0, 3.4), OBJ by the custom of its
exporters: a surface is turned for them. PLY says nothing and stays z up. Thread: any.
"""

from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray

from engines.errors import InputError
from engines.generators.base import Surface

SUFFIXES = (".glb", ".ply", ".obj")
N_POINTS = 8192

_Y_UP = (".glb", ".obj")
_TO_Y_UP = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=np.float32)


def write_mesh(surface: Surface, path: Path) -> None:
    """Write `surface` with the colours of its vertices; the suffix names the format.

    Raises:
        InputError: another suffix than one of `SUFFIXES`, or a folder that is not there.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: expected a name that ends in {', '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent} is no folder; make it first")
    vertices = surface.vertices @ _TO_Y_UP.T if suffix in _Y_UP else surface.vertices
    mesh = trimesh.Trimesh(vertices, surface.faces, vertex_colors=surface.colours, process=False)
    mesh.export(path)


def read_surface(path: Path) -> Surface:
    """What `write_mesh` has written, with the colours of its vertices.

    Raises:
        InputError: another suffix than one of `SUFFIXES`.
        OSError: it cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: expected a name that ends in {', '.join(SUFFIXES)}")
    mesh = trimesh.load(path, force="mesh", process=False)
    vertices = np.asarray(mesh.vertices, dtype=np.float32)
    colours = np.asarray(mesh.visual.vertex_colors, dtype=np.uint8)[:, :3]
    return Surface(vertices @ _TO_Y_UP if suffix in _Y_UP else vertices, np.asarray(mesh.faces, np.int32), colours)


def point_cloud(surface: Surface, n: int = N_POINTS, seed: int = 0) -> NDArray[np.float32]:
    """(n, 6) as EEG-3D keeps shapes: x y z, their mean at 0 and the farthest at distance 1, and red green blue, 0 to 1.

    Points are even over the surface, colours between those of the corners. The same seed gives the same points.

    Raises:
        InputError: the surface has no area.
    """
    mesh = trimesh.Trimesh(surface.vertices, surface.faces, process=False)
    if not mesh.area > 0:
        raise InputError(f"expected a surface to put points on, got {len(surface.faces)} faces without area")
    points, face = trimesh.sample.sample_surface(mesh, n, seed=seed)
    shares = trimesh.triangles.points_to_barycentric(mesh.triangles[face], points)  # (n, 3) of each corner
    colours = (shares[:, :, None] * surface.colours[surface.faces[face]]).sum(axis=1) / 255
    centred = points - points.mean(axis=0)
    placed = centred / np.linalg.norm(centred, axis=1).max()
    return np.column_stack([placed, np.clip(colours, 0, 1)]).astype(np.float32)
