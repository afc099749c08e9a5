"""What every picture encoder offers, and the two kinds of embeddings, kept apart by type.

Retrieval compares normalised embeddings, reconstruction wants raw ones with their own lengths: generators conditioned
on normalised embeddings, and losses that mix both, are what users of published systems report as "unrelated pictures"
(ATM trains 9 MSE on raw and 0.99 InfoNCE on normalised targets: Li et al. 2024, arXiv:2403.07721).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engines.errors import InputError

Floats = NDArray[np.float32]
Pictures = NDArray[np.uint8]

_UNIT_TOLERANCE = 1e-4


class PictureEncoder(Protocol):
    """Pictures in, embeddings out.

    Thread: any, one at a time.
    """

    @property
    def name(self) -> str:
        """What files and reports call the encoder; embeddings of different names are never compared."""
        ...

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        ...

    def embed(self, pictures: Pictures) -> Floats:
        """(n, height, width, 3) red, green, blue to (n, dim), raw: as the last layer gives them.

        Raises:
            InputError: something else than pictures came.
        """
        ...


@dataclass(frozen=True, eq=False)
class Normalised:
    """Directions of embeddings, (n, dim), each of length 1: what retrieval compares."""

    encoder: str
    unit: Floats

    def cosines(self, others: "Normalised") -> Floats:
        """(n, m) cosine of each with each of `others`.

        Raises:
            InputError: `others` come from another encoder.
        """
        if self.encoder != others.encoder:
            raise InputError(
                f"embeddings of {self.encoder} and {others.encoder} live in different spaces; "
                "embed both sides with the same encoder"
            )
        return np.asarray(self.unit @ others.unit.T)


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Raw embeddings (n, dim) and the name of the encoder that made them: what generators and decoders are given.

    Raises:
        InputError: not (n, dim) float32, not finite, or normalised before they came here.
    """

    encoder: str
    raw: Floats

    def __post_init__(self) -> None:
        """Refuse what would be trouble later."""
        if self.raw.ndim != 2 or self.raw.dtype != np.float32 or not np.isfinite(self.raw).all():
            raise InputError(f"expected finite float32 (n, dim), got {self.raw.dtype} {self.raw.shape}")
        lengths = np.linalg.norm(self.raw, axis=1)
        if len(lengths) and np.all(np.abs(lengths - 1) < _UNIT_TOLERANCE):
            raise InputError(
                "expected raw embeddings, got rows of length 1; keep what `embed` returned and call `normalised` on it"
            )

    @classmethod
    def of(cls, encoder: PictureEncoder, pictures: Pictures) -> "Embeddings":
        """Those of (n, height, width, 3) pictures."""
        return cls(encoder.name, encoder.embed(pictures))

    def normalised(self) -> Normalised:
        """Their directions."""
        return Normalised(self.encoder, normalised(self.raw))


def normalised(raw: Floats) -> Floats:
    """(n, dim) divided by each row's length; a row of zeros stays."""
    lengths = np.linalg.norm(raw, axis=-1, keepdims=True)
    return np.asarray(raw / np.where(lengths > 0, lengths, 1), dtype=np.float32)
