"""The floor: a linear map from averaged samples to the embedding of the picture (Perceptogram, arXiv:2404.01250).

Features are means over 20 ms of the picture's stream and over 100 ms of the turn's; strength by leaving out pictures.
"""

from dataclasses import dataclass

import numpy as np

from calibration.decoding.fit import (
    Predictions,
    Progress,
    Scaling,
    Step,
    prototypes_of,
    selection_score,
    towards,
)
from calibration.decoding.trials import Floats, TrialSet
from calibration.decoding.vary import shortened
from engines.errors import InputError
from engines.models.ridge import Ridge, fit_ridge
from pipeline.types import Array

_STATIC_SAMPLES, _DYNAMIC_SAMPLES = 5, 10


@dataclass(frozen=True)
class RidgeRecipe:
    """Implements `calibration.decoding.fit.Recipe`. Without `turns` the picture's stream alone is used."""

    turns: bool = True

    @property
    def name(self) -> str:
        """In tables."""
        return "ridge" if self.turns else "ridge/static only"

    def fit(
        self, training: TrialSet, selection: TrialSet, seed: int, progress: Progress | None = None
    ) -> "FittedRidge":
        """Closed form: `seed` changes nothing, and `selection` only tells how good it is."""
        scaling = Scaling.of(training.targets[np.unique(training.item)])
        scaled = scaling.forward(training.targets)
        features = features_of(training, training.dynamic.shape[2] if self.turns else 0, self.turns)
        mean, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)
        ridge = fit_ridge((features - mean) / deviation, scaled[training.item].astype(np.float64), groups=training.item)
        fitted = FittedRidge(
            ridge, mean, deviation, self.turns, scaling, *prototypes_of(scaled, training), training.channels
        )
        if progress:
            progress(Step(1.0, 1, 1, ridge.errors[ridge.alphas.index(ridge.alpha)], selection_score(fitted, selection)))
        return fitted


@dataclass(frozen=True, eq=False)
class FittedRidge:
    """Implements `Fitted`."""

    ridge: Ridge
    mean: Array
    deviation: Array
    turns: bool
    scaling: Scaling
    prototypes: Floats
    colour_prototypes: Floats
    channels: tuple[str, ...]

    def predict(self, trials: TrialSet, n_dynamic: int | None = None) -> Predictions:
        """See `Fitted`. What has not come of the turn counts as zero."""
        if trials.channels != self.channels:
            raise InputError(f"expected the channels {', '.join(self.channels)}; got {', '.join(trials.channels)}")
        n_samples = trials.dynamic.shape[2] if n_dynamic is None else n_dynamic
        features = features_of(trials, n_samples, self.turns)
        embedding = self.ridge((features - self.mean) / self.deviation).astype(np.float32)
        return Predictions(
            self.scaling.back(embedding),
            towards(embedding, self.prototypes),
            towards(embedding, self.colour_prototypes),
            self.scaling.centre,
        )


def features_of(trials: TrialSet, n_samples: int, turns: bool) -> Array:
    """(n, feature) float64: means over few samples of each channel, of the turn only its first `n_samples`."""
    parts = [_means(trials.static, _STATIC_SAMPLES)]
    if turns:
        parts.append(_means(shortened(trials.dynamic, n_samples)[0], _DYNAMIC_SAMPLES))
    return np.concatenate(parts, axis=1).astype(np.float64)


def _means(stream: Floats, samples: int) -> Floats:
    n, channels, time = stream.shape
    whole = time // samples * samples
    means: Floats = stream[:, :, :whole].reshape(n, channels, -1, samples).mean(axis=3).reshape(n, -1)
    return means
