"""Reconstructed shapes as files, by the suffix of their names: meshes in three formats, and clouds of points."""

from pathlib import Path

import numpy as np

from engines.errors import InputError
from engines.generators.base import Surface
from engines.generators.meshes import N_POINTS, point_cloud, write_mesh
from pipeline.reconstruction import Mesh

CLOUD = "npy"
# Suffixes, the usual one first, and what a dialog calls them.
FORMATS = {
    "glb": "glTF with colours",
    "ply": "PLY with colours",
    "obj": "OBJ with colours",
    CLOUD: f"Cloud of {N_POINTS:,} points, xyz rgb",
}


def has_area(mesh: Mesh) -> bool:
    """Whether points can be put on it."""
    first, second, third = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return bool(np.any(np.cross(second - first, third - first)))


def write_shape(mesh: Mesh, path: Path) -> None:
    """Write it as the suffix says. A cloud is (8192, 6) float32 as EEG-3D keeps shapes, of equal meshes the same.

    Raises:
        InputError: another suffix than those of `FORMATS`, no such folder, or for a cloud a mesh without area.
        OSError: it cannot be written.
    """
    surface = Surface(mesh.vertices, mesh.faces, mesh.colours)
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise InputError(f"{path}: expected a name that ends in {', '.join('.' + known for known in FORMATS)}")
    if suffix == CLOUD:
        np.save(path, point_cloud(surface))
    else:
        write_mesh(surface, path)
