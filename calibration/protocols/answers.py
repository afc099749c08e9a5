"""What a participant would press: answers of a simulated one, as markers beside the protocol's own."""

from collections.abc import Sequence

import numpy as np

from calibration.protocols.steps import Screen, Step, markers_of, timed
from calibration.stimuli import Item
from pipeline.simulation import Shown

REACTION_S = {Screen.PICTURE: 0.42, Screen.QUESTION: 0.75, Screen.READING: 1.1}  # medians, ours
REACTION_SPREAD = 0.2  # of its logarithm, Luce 1986 (Response Times): skewed to the right
SOONEST_S = 0.2
FALSE_ALARMS = 0.1  # of the share of misses: a key pressed where nothing was asked


def answered(steps: Sequence[Step], *, accuracy: float, seed: int | Sequence[int]) -> tuple[Shown, ...]:
    """The markers of the steps and of the keys pressed, in order of time.

    Questions and targets are answered rightly with probability `accuracy`, within the question, else wrongly; what a
    tangram is read as is a liking of the participant's own, kept with the same probability.
    """
    rng = np.random.default_rng([*np.atleast_1d(seed).tolist(), 21])
    likings: dict[Item | None, str] = {}
    pressed: list[Shown] = []
    for at_s, step in timed(steps):
        if step.keys and step.screen in REACTION_S:
            right, reaction = bool(rng.random() < accuracy), float(rng.lognormal(0.0, REACTION_SPREAD))
            if key := _key(step, right, accuracy, likings, rng):
                pressed += _press(step, key, at_s, reaction)
    return tuple(sorted([*markers_of(steps), *pressed], key=lambda shown: shown.at_s))


def _key(step: Step, right: bool, accuracy: float, likings: dict[Item | None, str], rng: np.random.Generator) -> str:
    """What is pressed at a step, "" for nothing."""
    keys = [key for key, _ in step.keys]
    any_key = keys[rng.integers(len(keys))]
    if step.screen is Screen.READING:
        liked = likings.setdefault(step.item, any_key)
        return liked if right else any_key
    if step.screen is Screen.QUESTION:
        return step.correct if right else next(key for key in keys if key != step.correct)
    if step.correct:
        return step.correct if right else ""
    return keys[0] if rng.random() < FALSE_ALARMS * (1 - accuracy) else ""


def _press(step: Step, key: str, at_s: float, reaction: float) -> list[Shown]:
    latest_s = np.inf if step.screen is Screen.PICTURE else 0.95 * step.duration_s
    when_s = at_s + min(max(SOONEST_S, REACTION_S[step.screen] * reaction), latest_s)
    return [
        Shown(f"response/{key}", when_s),
        *(Shown(marker, when_s) for k, marker in step.keys if k == key and marker),
    ]
