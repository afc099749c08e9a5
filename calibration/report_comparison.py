"""What a report shows of several decoders: accuracy of each as the turn unfolds."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from calibration.report_images import STYLE, svg

Fields = Mapping[str, Any]

# Okabe & Ito's palette, black last.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999933", "#000000")


def systems_image(unfolding: Sequence[Fields]) -> str:
    """One panel a measure: a line for each system, the first one's interval as a band, chance dashed.

    Each entry has `metric`, `chance`, and `systems`: {name: {seen_s, mean, low, high}}, lists of one length.
    """
    names = list(dict.fromkeys(name for one in unfolding for name in one["systems"]))
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.2, 3.4), layout="constrained")
        axes = figure.subplots(1, len(unfolding), squeeze=False)[0]
        for axis, one in zip(axes, unfolding, strict=True):
            axis.axhline(100 * one["chance"], color="#999999", lw=1, ls="--")
            for number, (name, line) in enumerate(one["systems"].items()):
                if number == 0:
                    band = [[100 * value for value in line[side]] for side in ("low", "high")]
                    axis.fill_between(line["seen_s"], *band, color=colours[name], alpha=0.15, lw=0)
                style = "-" if names.index(name) < len(COLOURS) else ":"
                shown = [100 * value for value in line["mean"]]
                axis.plot(line["seen_s"], shown, f".{style}", color=colours[name], lw=1.2, ms=4, label=name)
            axis.set(title=one["metric"], xlabel="turn seen, s (0: picture alone)", ylim=(0, None))
        axes[0].set_ylabel("right, % of single trials")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", fontsize=8)
        return svg(figure, "Accuracy of each system over the seconds of the turn that were seen")
