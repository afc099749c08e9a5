"""How a training went, as a picture."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from calibration.report_images import STYLE, svg

_LOSS, _SCORE = "#D55E00", "#0072B2"


def curves_image(history: Sequence[Mapping[str, Any]], chance: float | None) -> str:
    """Loss of the training trials and score of the selection objects after each epoch, the kept one marked."""
    epochs = [step["epoch"] for step in history]
    kept = max(history, key=lambda step: step["score"])
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.2, 2.7), layout="constrained")
        loss, score = figure.subplots(1, 2)
        loss.plot(epochs, [step["loss"] for step in history], color=_LOSS, marker=".", lw=1.3)
        loss.set(title="Loss, training trials as varied", xlabel="epoch")
        score.plot(epochs, [step["score"] for step in history], color=_SCORE, marker=".", lw=1.3)
        score.plot(kept["epoch"], kept["score"], "o", ms=9, mfc="none", color=_SCORE, label="kept")
        if chance is not None:
            score.axhline(chance, color="#888888", lw=0.9, ls="--", label="chance")
        score.set(title="Mean reciprocal rank, selection objects", xlabel="epoch")
        score.legend(loc="best")
        for axis in (loss, score):
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        return svg(figure, "Loss and score of selection by epoch")
