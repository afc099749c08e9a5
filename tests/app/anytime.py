"""Trials of an anytime decoder as a script says them."""

from collections.abc import Sequence

from app.panels.frame import Scored
from pipeline.anytime import Windows
from pipeline.types import Decision, Nearest

WINDOWS = Windows()
CLASSES = ("car", "chair", "dog")
COLOURS = ("green", "blue", "red")
TRIAL_S = 8.0


def answer(
    trial: int,
    n_dynamic: int,
    top: str = "chair",
    share: float = 0.6,
    classes: Sequence[str] = CLASSES,
    nearest: Sequence[str] = ("chair/03", "chair/07", "dog/01"),
) -> Decision:
    """An answer after `n_dynamic` samples of the turn, `share` of it for `top`."""
    others = (1 - share) / (len(classes) - 1)
    onset_s = 100.0 + TRIAL_S * trial
    stop_s = onset_s + (1.0 + WINDOWS.seen_s(n_dynamic) if n_dynamic else 0.8)
    return Decision(
        trial=trial,
        stage="static" if n_dynamic == 0 else "fused" if n_dynamic == WINDOWS.n_dynamic else "refined",
        onset_s=onset_s,
        window_stop_s=stop_s,
        decided_s=stop_s + 0.01,
        classes=tuple(classes),
        probabilities=tuple(share if name == top else others for name in classes),
        colours=COLOURS,
        colour_probabilities=(0.2, 0.1, 0.7),
        nearest=tuple(Nearest(key, 0.8 - 0.1 * n) for n, key in enumerate(nearest)),
        n_dynamic=n_dynamic,
    )


def trial(number: int, true: str | None = "chair", tops: Sequence[str] = ("dog", "chair")) -> tuple[Scored, ...]:
    """A whole trial: `tops[0]` from the picture, `tops[1]` once half of it has turned."""
    steps = (0, *WINDOWS.steps)
    tops = [tops[0] if k < len(steps) / 2 else tops[1] for k in range(len(steps))]
    shares = [0.4 + 0.5 * k / (len(steps) - 1) for k in range(len(steps))]
    found = [answer(number, n, top, share) for n, top, share in zip(steps, tops, shares, strict=True)]
    return tuple(Scored(decision, true, "red") for decision in found)
