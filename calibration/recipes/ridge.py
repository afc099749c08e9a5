"""The floor: a linear map from averaged samples to the embedding of the picture (Perceptogram, arXiv:2404.01250).

Features are means over 20 ms of the picture's stream and over 100 ms of the turn's; strength by leaving out pictures.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from calibration.decoding.fit import require_apart, selection_score
from calibration.decoding.fitted import FittedRidge, Scaling, features_of, prototypes_of
from calibration.decoding.steps import Progress, Step
from calibration.decoding.trials import TrialSet
from engines.models.ridge import fit_ridge


@dataclass(frozen=True)
class RidgeRecipe:
    """Implements `calibration.decoding.fit.Recipe`. Without `turns` the picture's stream alone is used."""

    turns: bool = True

    @property
    def name(self) -> str:
        """In tables."""
        return "ridge" if self.turns else "ridge/static only"

    def fit(
        self,
        training: TrialSet,
        selection: TrialSet,
        seed: int,
        progress: Progress | None = None,
        checkpoint: Path | None = None,
    ) -> FittedRidge:
        """See `Recipe`. Closed form: `seed` changes nothing, and `checkpoint` has nothing to keep.

        `selection` only tells how good it is. The one step's loss is the squared error of training pictures left out.
        """
        require_apart(training, selection)
        scaling = Scaling.of(training.targets[np.unique(training.item)])
        scaled = scaling.forward(training.targets)
        features = features_of(training, training.dynamic.shape[2], self.turns)
        mean, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)
        ridge = fit_ridge((features - mean) / deviation, scaled[training.item].astype(np.float64), groups=training.item)
        prototypes = prototypes_of(scaled, training)
        fitted = FittedRidge(ridge, mean, deviation, self.turns, scaling, *prototypes, training.channels)
        step = Step(1.0, 1, 1, min(ridge.errors), selection_score(fitted, selection))
        if progress:
            progress(step)
        return replace(fitted, score=step.score, history=(step,))
