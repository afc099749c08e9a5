"""Mesh files: z up, front towards -y, centred, the farthest vertex at distance 1, one colour a face.

glTF is y up with the front towards +z by its specification (Khronos glTF 2.0, 3.4), OBJ by the custom of its
exporters; both are turned. PLY and STL say nothing and stay as they lie.
"""

import json
import re
import struct
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import trimesh
from numpy.typing import NDArray
from PIL import Image

from calibration.sets.errors import SetUnusable
from calibration.sets.paths import inside
from pipeline.types import Array

SUFFIXES = frozenset({".glb", ".gltf", ".obj", ".ply", ".stl"})
MAX_FACES = 5_000_000
_Y_UP = frozenset({".glb", ".gltf", ".obj"})
_TO_Z_UP = np.array([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]], dtype=np.float64)
# What trimesh's readers, numpy, json and Pillow raise when they meet a damaged file.
_DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    Image.DecompressionBombError,
    LookupError,
    NameError,
    NotImplementedError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)
_GLB_HEAD, _GLB_JSON = 12, 0x4E4F534A


def read_mesh(path: Path) -> trimesh.Trimesh:
    """The whole file as one mesh with face colours; a texture is read at the middle of each face.

    Raises:
        SetUnusable: missing, damaged, without faces, more than `MAX_FACES`, or a file
            that it needs is missing or lies outside its folder.
    """
    for name in referenced(path):
        if not inside(path.parent, name).is_file():
            raise SetUnusable(f"{path} needs {name} beside it, and it is not there")
    try:
        # What overflows or is no number is found by `_unit`, not by numpy's warnings.
        with np.errstate(all="ignore"):
            return _unit(path, _upright(path, _loaded(path)))
    except _DAMAGE as error:
        told = str(error) or type(error).__name__
        raise SetUnusable(f"{path} cannot be read as a mesh: {told}; is the file whole?") from error


def sample(mesh: trimesh.Trimesh, n: int, seed: int = 0) -> Array:
    """(n, 6) x y z and red green blue from 0 to 1, even over the surface. The same seed gives the same points."""
    points, faces = trimesh.sample.sample_surface(mesh, n, seed=seed)
    colours = np.asarray(mesh.visual.face_colors)[faces, :3] / 255.0
    return np.asarray(np.column_stack([points, colours]), dtype=np.float64)


def referenced(path: Path) -> list[str]:
    """Files that the mesh needs beside itself (buffers, materials, textures), relative to its own folder.

    Raises:
        SetUnusable: the file cannot be read, or is no JSON where glTF must be.
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".gltf":
            return _uris(json.loads(path.read_bytes()))
        if suffix == ".glb":
            return _uris(_glb_json(path))
        return _obj_files(path) if suffix == ".obj" else []
    except (OSError, ValueError, struct.error, TypeError, AttributeError) as error:
        raise SetUnusable(f"{path} cannot be read as a mesh: {error}; is the file whole?") from error


def _loaded(path: Path) -> trimesh.Trimesh:
    """All surfaces of the file's scene, where they stand in it."""
    pieces = [_coloured(piece) for piece in trimesh.load_scene(path).dump() if isinstance(piece, trimesh.Trimesh)]
    n_faces = sum(len(piece.faces) for piece in pieces)
    if not 0 < n_faces <= MAX_FACES:
        raise SetUnusable(f"{path} holds {n_faces} faces; expected a surface of 1 to {MAX_FACES} faces")
    return trimesh.util.concatenate(pieces)


def _upright(path: Path, mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    return mesh.apply_transform(_TO_Z_UP) if path.suffix.lower() in _Y_UP else mesh


def _coloured(piece: trimesh.Trimesh) -> trimesh.Trimesh:
    """`piece` with nothing but one colour a face."""
    return trimesh.Trimesh(piece.vertices, piece.faces, face_colors=_face_colours(piece), process=False)


def _face_colours(piece: trimesh.Trimesh) -> NDArray[np.uint8]:
    visual = piece.visual
    if visual.kind != "texture":
        plain: NDArray[np.uint8] = np.asarray(visual.face_colors, dtype=np.uint8)
        return plain
    material = visual.material
    texture = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    factor = getattr(material, "baseColorFactor", None)
    tint = np.asarray([255] * 4 if factor is None else factor, dtype=np.float64) / 255.0
    if texture is None or visual.uv is None:
        return np.tile(np.asarray(material.main_color, dtype=np.uint8), (len(piece.faces), 1))
    middles = np.asarray(visual.uv)[piece.faces].mean(axis=1)
    looked_up = np.asarray(trimesh.visual.uv_to_color(middles, texture), dtype=np.float64)
    return np.round(looked_up * tint).astype(np.uint8)


def _unit(path: Path, mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    if not np.isfinite(mesh.vertices).all():
        raise SetUnusable(f"{path} has vertices that are no numbers; expected a surface")
    mesh.apply_translation(-mesh.bounds.mean(axis=0))
    reach = float(np.linalg.norm(mesh.vertices, axis=1).max())
    if not 0.0 < reach < np.inf:
        raise SetUnusable(f"{path} has a radius of {reach:g}; expected a surface")
    mesh.apply_scale(1.0 / reach)
    return mesh


def _glb_json(path: Path) -> Any:
    with path.open("rb") as file:
        magic, _, _ = struct.unpack("<4sII", file.read(_GLB_HEAD))
        length, kind = struct.unpack("<II", file.read(8))
        if magic != b"glTF" or kind != _GLB_JSON or length > path.stat().st_size:
            raise ValueError("no binary glTF")
        return json.loads(file.read(length))


def _uris(gltf: Any) -> list[str]:
    entries = [*gltf.get("buffers", []), *gltf.get("images", [])]
    return [unquote(entry["uri"]) for entry in entries if "uri" in entry and not entry["uri"].startswith("data:")]


def _obj_files(path: Path) -> list[str]:
    """Material libraries of an OBJ, and the textures they name last on their `map_` lines."""
    libraries = re.findall(r"^mtllib[ \t]+(.+?)[ \t]*$", path.read_text("latin-1"), re.MULTILINE)
    found = list(libraries)
    for name in libraries:
        beside = path.parent / name
        text = beside.read_text("latin-1") if beside.is_file() else ""
        found += re.findall(r"^[ \t]*map_\w+[ \t]+(?:.*[ \t])?(\S+)[ \t]*$", text, re.MULTILINE)
    return found
