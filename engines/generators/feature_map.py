"""From an embedding to what a captioner's picture tower would have seen: the route from EEG to words without a picture.

    features = mean + ((embedding - centre) @ weights) @ components        # (n, tokens, width)

ATM maps its 1024 numbers to the 257 tokens that GIT's picture tower gives, by a small network trained on pictures with
the mean squared error (Li et al. 2024, arXiv:2403.07721, PixelProjector). This is the same map in closed form: linear,
of low rank, fitted by `calibration/recipes/feature_map.py`.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from engines.errors import InputError
from engines.vision.base import Floats

FORMAT = "afterimage feature map 1"
HOW_TO_MAKE = "make it with `afterimage train caption-map`, or take the route by the reconstructed picture"


@dataclass(frozen=True)
class MapOrigin:
    """Between what it maps, and what it was fitted on. `unexplained` is the share of the features' variance that
    pictures left out in turn were wrong by; `pictures` a SHA-256 over the embeddings it was fitted on.
    """

    encoder: str
    captioner: str
    n_pictures: int
    unexplained: float
    pictures: str


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """`centre` (dim,), `weights` (dim, rank), `components` (rank, tokens, width), `mean` (tokens, width), float32."""

    origin: MapOrigin
    centre: Floats
    weights: Floats
    components: Floats
    mean: Floats

    def __post_init__(self) -> None:
        """Refuse tensors that do not fit each other."""
        dim, rank = self.weights.shape
        if self.centre.shape != (dim,) or self.components.shape != (rank, *self.mean.shape) or self.mean.ndim != 2:
            raise InputError(
                f"expected centre (dim,), weights (dim, rank), components (rank, tokens, width), mean (tokens, width), "
                f"got {self.centre.shape}, {self.weights.shape}, {self.components.shape}, {self.mean.shape}"
            )

    def features(self, embeddings: Floats) -> Floats:
        """(n, dim) raw to (n, tokens, width).

        Raises:
            InputError: embeddings of another length.
        """
        if embeddings.ndim != 2 or embeddings.shape[1] != len(self.centre):
            raise InputError(
                f"expected embeddings of {self.origin.encoder}, (n, {len(self.centre)}), got {embeddings.shape}"
            )
        scores = (embeddings - self.centre) @ self.weights
        return np.asarray(self.mean + np.tensordot(scores, self.components, axes=1), dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write it; components in half precision, everything else in single."""
        tensors: dict[str, NDArray[np.generic]] = {
            "centre": self.centre, "weights": self.weights, "mean": self.mean,
            "components": self.components.astype(np.float16),
        }  # fmt: skip
        save_file(tensors, path, metadata={"format": FORMAT, "origin": json.dumps(asdict(self.origin))})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: there is no such file, or it is of another format.
        """
        try:
            with safe_open(path, framework="np") as file:
                told = file.metadata() or {}
                tensors = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
        except (FileNotFoundError, SafetensorError) as error:
            raise InputError(
                f"{path}: expected a map from embeddings to a captioner's features ({error}); {HOW_TO_MAKE}"
            ) from error
        if told.get("format") != FORMAT:
            raise InputError(f"{path}: expected format {FORMAT!r}, got {told.get('format')!r}; {HOW_TO_MAKE}")
        return cls(MapOrigin(**json.loads(told["origin"])), **tensors)
