"""What a decoder answers from one stream alone, and from both.

    both streams        the whole trial
    picture alone       no sample of the turn (`Fitted.predict(trials, 0)`): BrainSSD and its like were trained to
                        answer so; a system that only answers to whole turns gets zeros in place of the turn
    turn alone          no decoder was trained without the picture's stream. Its place is taken by the streams of
                        `N_OTHERS` trials of the selection objects, drawn without looking at labels, and what is
                        decoded is averaged: what they tell of the trial's own picture is nothing

Thread: any, one at a time.
"""

from dataclasses import dataclass, replace

import numpy as np

from calibration.decoding.fitted import Fitted, Predictions
from calibration.decoding.restore import Restore
from calibration.decoding.trials import Floats, Numbers, TrialSet

BOTH, PICTURE, TURN = "both streams", "picture alone", "turn alone"
STREAMS = (BOTH, PICTURE, TURN)
N_OTHERS = 8


@dataclass(frozen=True, eq=False)
class Decoded:
    """Raw embeddings (n, dim) as they were decoded, and restored to the lengths that generators know.

    `gain` and `certainty` as in `Restore`; `category` and `colour` (n,) are the likeliest, by number.
    """

    as_decoded: Floats
    restored: Floats
    gain: float
    certainty: float
    category: Numbers
    colour: Numbers


def decode(fitted: Fitted, selection: TrialSet, trials: TrialSet, streams: str, seed: int = 0) -> Decoded:
    """Embeddings of `trials` from `streams`, one of `STREAMS`, restored as predictions of `selection` tell.

    `selection` in the same view as `trials`, both averaged or neither: averages are decoded more surely.

    Raises:
        InputError: other channels than the decoder was trained on.
    """
    centre = fitted.predict(selection.take(np.arange(1))).centre
    known = _predicted(fitted, selection, selection, streams, seed).embedding
    restore = Restore.fit(known, selection.targets[selection.item], centre)
    found = _predicted(fitted, selection, trials, streams, seed)
    restored = restore.apply(found.embedding).astype(np.float32)
    category, colour = (logits.argmax(axis=1) for logits in (found.category, found.colour))
    return Decoded(found.embedding, restored, restore.gain, restore.certainty, category, colour)


def _predicted(fitted: Fitted, others: TrialSet, trials: TrialSet, streams: str, seed: int) -> Predictions:
    if streams == TURN:
        return from_turn(fitted, others, trials, seed)
    return fitted.predict(trials, 0 if streams == PICTURE else None)


def from_turn(fitted: Fitted, others: TrialSet, trials: TrialSet, seed: int = 0) -> Predictions:
    """Answers with the picture's stream drawn from `others`, embeddings and logits averaged."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(N_OTHERS):
        drawn = rng.integers(len(others), size=len(trials))
        found.append(fitted.predict(replace(trials, static=others.static[drawn])))
    embedding, category, colour = (
        np.asarray(np.mean([getattr(one, name) for one in found], axis=0, dtype=np.float64), dtype=np.float32)
        for name in ("embedding", "category", "colour")
    )
    return Predictions(embedding, category, colour, found[0].centre)
