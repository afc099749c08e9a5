"""Decoded embeddings with the lengths of true ones, which is what generators were trained on.

Regression answers with the mean of what could have been seen: decoded embeddings lie close to the mean embedding, the
closer the weaker the signal. A generator makes a mean picture of them. So, for reconstruction alone,

    restored = centre + gain (decoded - mean of decoded),    gain^2 = sum |true - mean|^2 / sum |decoded - mean|^2

One gain for all features, fitted on predictions of the selection objects; `centre` is the mean embedding of the
training pictures. Beside it stands how far restored embeddings agree with true ones,

    certainty = sum (true - mean)(decoded - mean) / sqrt(sum |true - mean|^2 sum |decoded - mean|^2), at least 0

so that a generator which knows what to make of a mean can undo what is not known: certainty * (restored - centre) is
the part of the deviation to be expected (docs/decisions/0183-how-sure-an-embedding-is.md).

Nothing is gained in knowledge: probabilities and nearest pictures come from what was decoded.
docs/decisions/0177-restored-embeddings.md says why not feature by feature.

Numpy. Thread: any.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from calibration.decoding.trials import Floats, Numbers
from engines.errors import InputError

PREFIX = "restore."
# Of a decoder that always answers the same: there is nothing to lengthen.
_LEAST = 1e-12
_STORED = ("n_dynamic", "decoded", "gains", "certainties")


@dataclass(frozen=True, eq=False)
class Restore:
    """From decoded embeddings with mean `decoded` (dim,) to such about `centre` (dim,), `gain` times as long.

    `certainty` from 0 to 1 is their correlation with true ones.
    """

    decoded: Floats
    centre: Floats
    gain: float
    certainty: float

    @classmethod
    def fit(cls, decoded: Floats, true: Floats, centre: Floats) -> Self:
        """From predictions (n, dim) that did not train the decoder, and the true raw embeddings (n, dim) beside them.

        Raises:
            InputError: fewer than two, or not as many of one as of the other.
        """
        if decoded.shape != true.shape or len(decoded) < 2:
            raise InputError(
                f"expected two predictions or more with their true embeddings; got {decoded.shape} and {true.shape}"
            )
        mean = decoded.mean(axis=0, dtype=np.float64)
        away, towards = true - true.mean(axis=0, dtype=np.float64), decoded - mean
        wanted, found, both = (float(np.sum(a * b)) for a, b in ((away, away), (towards, towards), (away, towards)))
        told = wanted > _LEAST and found > _LEAST
        gain, certainty = (np.sqrt(wanted / found), both / np.sqrt(wanted * found)) if told else (1.0, 0.0)
        return cls(mean.astype(np.float32), centre.astype(np.float32), float(gain), max(0.0, float(certainty)))

    def apply(self, embeddings: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Decoded (..., dim) to restored."""
        return np.asarray(self.centre + self.gain * (embeddings - self.decoded), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class StagedRestore:
    """One for every number of samples of the turn, `n_dynamic` (k,) going up: early answers lie closer to the mean."""

    n_dynamic: Numbers
    decoded: Floats
    gains: Floats
    certainties: Floats
    centre: Floats

    @classmethod
    def of_stages(cls, stages: Mapping[int, Restore]) -> Self:
        """From those of each number of samples."""
        counts = sorted(stages)
        return cls(
            np.array(counts, dtype=np.int64),
            np.stack([stages[n].decoded for n in counts]),
            np.array([stages[n].gain for n in counts], dtype=np.float32),
            np.array([stages[n].certainty for n in counts], dtype=np.float32),
            stages[counts[0]].centre,
        )

    def of(self, n_dynamic: int) -> Restore:
        """That of the last stage with no more samples than `n_dynamic`."""
        stage = max(int(np.searchsorted(self.n_dynamic, n_dynamic, side="right")) - 1, 0)
        return Restore(
            self.decoded[stage], self.centre, float(self.gains[stage]), min(1.0, float(self.certainties[stage]))
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a subject's file keeps beside the centre that it has anyway."""
        return {f"{PREFIX}{name}": getattr(self, name) for name in _STORED}

    @classmethod
    def from_arrays(cls, stored: Mapping[str, NDArray[Any]]) -> Self | None:
        """The inverse; None for subjects of before, which answer with what was decoded.

        Some of before have gains alone. A regression answers as far from the mean as it is sure: their certainty is
        how far decoded embeddings lie from their mean, as a share of true ones.
        """
        own = {name.removeprefix(PREFIX): values for name, values in stored.items() if name.startswith(PREFIX)}
        if not own:
            return None
        return cls(**{"certainties": 1 / own["gains"], **own}, centre=stored["centre"])
