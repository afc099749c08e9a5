"""What a report shows of an anytime decoder: accuracy as the turn unfolds, and how honest its confidence is."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from calibration.report_images import STYLE, svg

Fields = Mapping[str, Any]

ACCURACY, CHANCE = "#0072B2", "#999999"
# Picture alone and whole turn.
RELIABILITY = ("#D55E00", "#0072B2", "#009E73")


def unfolding_image(stages: Sequence[Fields]) -> str:
    """Balanced accuracy with its interval over the seconds of the turn that were seen; 0 is the picture alone."""
    seen_s = [stage["seen_s"] for stage in stages]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.2, 2.9), layout="constrained")
        axis = figure.subplots()
        low, high = ([100 * stage["ci95"][i] for stage in stages] for i in (0, 1))
        chance = 100 * stages[0]["chance"]
        axis.fill_between(seen_s, low, high, color=ACCURACY, alpha=0.15, lw=0)
        axis.plot(seen_s, [100 * stage["mean"] for stage in stages], ".-", color=ACCURACY, lw=1.4)
        axis.axhline(chance, color=CHANCE, lw=1, ls="--")
        axis.text(max(seen_s), chance, "chance", color="#666666", ha="right", va="bottom")
        axis.set(xlabel="turn seen, s (0: picture alone)", ylabel="balanced accuracy, %", ylim=(0, 100))
        return svg(figure, "Balanced accuracy over the seconds of the turn that were seen")


def reliability_image(found: Mapping[str, Fields]) -> str:
    """Accuracy over confidence in bins of equal counts; on the diagonal an answer is right as often as it says."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.3, 2.9), layout="constrained")
        axis = figure.subplots()
        axis.plot([0, 1], [0, 1], color=CHANCE, lw=1, ls="--")
        for (name, bins), colour in zip(found.items(), RELIABILITY, strict=False):
            label = f"{name}, error {bins['ece']:.2f}"
            axis.plot(bins["confidence"], bins["accuracy"], "o-", color=colour, lw=1, ms=4, label=label)
        axis.set(xlabel="confidence", ylabel="share that was right", xlim=(0, 1), ylim=(0, 1))
        axis.legend(loc="upper left", fontsize=7.5)
        return svg(figure, "Share of right answers over their confidence")
