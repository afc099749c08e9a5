"""Objects from their makers: found, put together, centred, scaled and painted."""

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache, lru_cache

import numpy as np
import trimesh

from calibration.objects import categories
from calibration.objects.catalogue import N_OBJECTS
from calibration.objects.colours import colour_label, paint
from calibration.objects.draw import Draw, Parts
from calibration.objects.solid import Part, Solid, scatter
from calibration.objects.view import Pose, look
from engines.errors import InputError
from pipeline.types import Array

Maker = Callable[[Draw], Parts]

_N_POINTS = 20_000
_LOOKS_DEG = (0.0, 0.0, 0.0, 90.0, 180.0, 270.0)
"""Where from the areas of parts are judged: the front, where pictures are taken, counts as much as the rest."""


@cache
def makers() -> dict[str, Maker]:
    """What builds each category, from every module of `calibration.objects.categories`."""
    merged: dict[str, Maker] = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(categories.__path__)):
        merged |= getattr(importlib.import_module(f"{categories.__name__}.{module}"), "MAKERS", {})
    return merged


@lru_cache(maxsize=128)
def build(category: str, number: int) -> Solid:
    """Object `number` of `category`, always the same one.

    Raises InputError for a category or number that there is not.

    Thread: any.
    """
    if category not in makers():
        raise InputError(f"Expected a built-in category, got {category!r}. There are: {', '.join(makers())}.")
    if number not in range(N_OBJECTS):
        raise InputError(f"Expected an object number from 0 to {N_OBJECTS - 1}, got {number}.")
    pieces = makers()[category](Draw("shape", category, number))
    corners = np.concatenate([mesh.vertices for mesh in pieces.values()])
    centre = (corners.min(axis=0) + corners.max(axis=0)) / 2
    reach = np.linalg.norm(corners - centre, axis=1).max()
    placed = {
        name: trimesh.Trimesh((mesh.vertices - centre) / reach, mesh.faces, process=False)
        for name, mesh in pieces.items()
    }
    colours = paint(category, number, seen_areas(placed))
    parts = tuple(
        Part(name, np.array(mesh.vertices), np.array(mesh.faces, dtype=np.int64), colour)
        for (name, mesh), colour in zip(placed.items(), colours, strict=True)
    )
    return Solid(category, number, parts, colour_label(category, number))


def seen_areas(parts: Parts) -> Array:
    """How much is seen of each of `parts`, in a unit sphere together, as a share of all that is seen."""
    whole = trimesh.util.concatenate(list(parts.values()))
    marks = np.repeat(np.arange(len(parts)), [len(mesh.faces) for mesh in parts.values()])
    points, face = scatter(whole.vertices, whole.faces, _N_POINTS, np.random.default_rng(0))
    views = np.concatenate([look(points, marks[face], Pose(), turn_deg).ravel() for turn_deg in _LOOKS_DEG])
    counts = np.bincount(views[views >= 0], minlength=len(parts))
    return np.asarray(counts / counts.sum())
