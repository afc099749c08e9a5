"""What a decoder answers from one stream alone, and from both.

    both streams        the whole trial
    picture alone       no sample of the turn (`Fitted.predict(trials, 0)`): BrainSSD and its like were trained to
                        answer so; a system that only answers to whole turns gets zeros in place of the turn
    turn alone          no decoder was trained without the picture's stream. Its place is taken by the streams of
                        `N_OTHERS` trials of the selection objects, drawn without looking at labels, and the decoded
                        embeddings are averaged: what they tell of the trial's own picture is nothing

Thread: any, one at a time.
"""

from dataclasses import dataclass, replace

import numpy as np

from calibration.decoding.fitted import Fitted
from calibration.decoding.restore import Restore
from calibration.decoding.trials import Floats, TrialSet

BOTH, PICTURE, TURN = "both streams", "picture alone", "turn alone"
STREAMS = (BOTH, PICTURE, TURN)
N_OTHERS = 8


@dataclass(frozen=True, eq=False)
class Decoded:
    """Raw embeddings (n, dim) as they were decoded, and restored to the lengths that generators know.

    `gain` and `certainty` as in `Restore`.
    """

    as_decoded: Floats
    restored: Floats
    gain: float
    certainty: float


def decode(fitted: Fitted, selection: TrialSet, trials: TrialSet, streams: str, seed: int = 0) -> Decoded:
    """Embeddings of `trials` from `streams`, one of `STREAMS`, restored as predictions of `selection` tell.

    `selection` in the same view as `trials`, both averaged or neither: averages are decoded more surely.

    Raises:
        InputError: other channels than the decoder was trained on.
    """
    centre = fitted.predict(selection.take(np.arange(1))).centre
    known = _embeddings(fitted, selection, selection, streams, seed)
    restore = Restore.fit(known, selection.targets[selection.item], centre)
    found = _embeddings(fitted, selection, trials, streams, seed)
    return Decoded(found, restore.apply(found).astype(np.float32), restore.gain, restore.certainty)


def _embeddings(fitted: Fitted, others: TrialSet, trials: TrialSet, streams: str, seed: int) -> Floats:
    if streams == TURN:
        return from_turn(fitted, others, trials, seed)
    return fitted.predict(trials, 0 if streams == PICTURE else None).embedding


def from_turn(fitted: Fitted, others: TrialSet, trials: TrialSet, seed: int = 0) -> Floats:
    """Embeddings (n, dim) with the picture's stream drawn from `others`."""
    rng = np.random.default_rng(seed)
    total = np.zeros(0)
    for _ in range(N_OTHERS):
        drawn = rng.integers(len(others), size=len(trials))
        found = fitted.predict(replace(trials, static=others.static[drawn])).embedding
        total = found.astype(np.float64) if not total.size else total + found
    return np.asarray(total / N_OTHERS, dtype=np.float32)
