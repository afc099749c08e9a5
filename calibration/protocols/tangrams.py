"""Figures laid of the seven pieces of a tangram, each with several plausible readings.

People read the same abstract figure differently, and some figures more so than others (Ji et al. 2022, KiloGram, EMNLP,
p. 582): what was on the screen does not tell what was seen. The figures are our own.
"""

import tomllib
from functools import cache
from importlib import resources

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from pipeline.types import Array

FILE = "_tangrams.toml"
# Together they fill a square of 2 * sqrt(2): triangles of three sizes, square and parallelogram.
PIECES = ("large1", "large2", "medium", "small1", "small2", "square", "slant")


class Figure(BaseModel):
    """`pieces` are corners in any order that goes round; `readings` what the participant can choose from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    readings: tuple[str, ...] = Field(min_length=2, max_length=5)
    pieces: dict[str, tuple[tuple[float, float], ...]]

    def polygons(self) -> tuple[Array, ...]:
        """The pieces, each (n_corners, 2), centred, the longer side of the whole being 2 (from -1 to 1), y upward."""
        corners = np.array([corner for piece in self.pieces.values() for corner in piece])
        low, high = corners.min(axis=0), corners.max(axis=0)
        centre, half = (low + high) / 2, (high - low).max() / 2
        return tuple((np.array(piece) - centre) / half for piece in self.pieces.values())


@cache
def figures() -> dict[str, Figure]:
    """The built-in figures by name, in the order of the file."""
    text = resources.files("calibration").joinpath("protocols", FILE).read_text(encoding="utf-8")
    return {f["name"]: Figure.model_validate(f) for f in tomllib.loads(text)["figure"]}
