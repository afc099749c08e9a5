"""The pictures of a report, as self-contained `<img>` elements. No window, no pyplot state, no network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
import mne
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from calibration.report_coupling import CouplingFigures
from calibration.report_images import MIN_TOPOGRAPHY, STYLE, png, svg
from pipeline.evoked import Evoked
from pipeline.montage import Position, positions, why_no_positions
from pipeline.quality import ChannelQuality
from pipeline.types import Array

# Okabe & Ito's palette: told apart by colour-blind readers too, on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933")
MAX_CLASSES = 8
N_CHANNELS = 3
TOPOGRAPHY_TIMES_S = (0.1, 0.17, 0.25, 0.4, 0.6)


@dataclass(frozen=True, eq=False)
class ReportFigures:
    """Arrays a report may draw.

    `evoked` mean responses as the causal chain gave them, (n_channels, n_samples) each, the first sample `tmin_s` from
    the onset; `group_delay_s` of that chain, taken off in every plot. `positions_m` overrides template positions.
    `quality` verdicts per channel, in any order; `coupling` what a report on coupling draws; `sheet` (height, width, 3)
    what was shown beside what was reconstructed, `sheets` more of such by what they show.
    """

    channels: tuple[str, ...] = ()
    evoked: tuple[Evoked, ...] = ()
    sfreq_hz: float = 0.0
    tmin_s: float = 0.0
    group_delay_s: float = 0.0
    positions_m: Mapping[str, Position] = field(default_factory=dict)
    quality: tuple[ChannelQuality, ...] = ()
    coupling: CouplingFigures | None = None
    sheet: NDArray[np.uint8] | None = None
    sheets: tuple[tuple[str, NDArray[np.uint8]], ...] = ()

    @property
    def times_s(self) -> Array:
        """Of the evoked samples, from the onset, the chain's delay taken off."""
        return self.tmin_s + np.arange(self.evoked[0].mean_uv.shape[1]) / self.sfreq_hz - self.group_delay_s


def evoked_image(figures: ReportFigures) -> str:
    """Mean responses of the classes at the channels where they differ most."""
    shown = figures.evoked[:MAX_CLASSES]
    rows = telling_channels(figures)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.2, 2.7), layout="constrained")
        axes = figure.subplots(1, len(rows), sharey=True, squeeze=False)[0]
        for axis, row in zip(axes, rows, strict=True):
            axis.axhline(0.0, color="#bbbbbb", lw=0.7)
            axis.axvline(0.0, color="#bbbbbb", lw=0.7)
            for evoked, colour in zip(shown, COLOURS, strict=False):
                axis.plot(figures.times_s * 1e3, evoked.mean_uv[row], color=colour, lw=1.3)
            axis.set_title(figures.channels[row])
            axis.set_xlabel("ms from onset")
            axis.margins(x=0)
        axes[0].set_ylabel("µV")
        named = [f"{e.label} (n = {e.n})" for e in shown]
        figure.legend(axes[0].lines[2:], named, loc="outside lower center", ncols=4)
        return svg(figure, "Mean responses of the classes at the channels where they differ most")


def telling_channels(figures: ReportFigures) -> list[int]:
    """The channels whose class means differ most from one another, in their own order.

    Behind the ears only, where there are such channels: at the front a few blinks outweigh every visual response.
    """
    placed = {**positions(figures.channels), **figures.positions_m}
    behind = [i for i, name in enumerate(figures.channels) if name in placed and placed[name][1] < 0]
    rows = np.array(behind if len(behind) >= N_CHANNELS else range(len(figures.channels)))
    means = np.array([e.mean_uv[rows] for e in figures.evoked])
    spread = means.std(axis=0).max(axis=1) if len(means) > 1 else np.abs(means[0]).max(axis=1)
    return sorted(int(i) for i in rows[np.argsort(spread)[::-1][:N_CHANNELS]])


def topography_image(figures: ReportFigures) -> tuple[str, str]:
    """Scalp maps of the classes at fixed times, and what could not be drawn and why; one of the two may be empty."""
    placed = {**positions(figures.channels), **figures.positions_m}
    rows = [i for i, name in enumerate(figures.channels) if name in placed]
    why = why_no_positions(figures.channels, placed)
    if len(rows) < MIN_TOPOGRAPHY:
        few = f"maps need {MIN_TOPOGRAPHY} electrodes with known places, {len(rows)} have one"
        return "", f"{few}; {why}" if why else few
    first_s, last_s = figures.times_s[0], figures.times_s[-1]
    times_s = [t for t in TOPOGRAPHY_TIMES_S if first_s <= t <= last_s]
    if not times_s:
        return "", f"the epoch ends {last_s * 1e3:.0f} ms after the onset, before the first map"
    info = mne.create_info([figures.channels[i] for i in rows], figures.sfreq_hz, "eeg")
    montage = mne.channels.make_dig_montage({figures.channels[i]: placed[figures.channels[i]] for i in rows})
    info.set_montage(montage, verbose="ERROR")
    return _maps(figures, info, rows, times_s), why


def _maps(figures: ReportFigures, info: mne.Info, rows: Sequence[int], times_s: Sequence[float]) -> str:
    columns = [int(np.argmin(np.abs(figures.times_s - t))) for t in times_s]
    shown = figures.evoked[:MAX_CLASSES]
    values = np.array([[e.mean_uv[rows, c] for c in columns] for e in shown])
    limit = max(float(np.percentile(np.abs(values), 99)), 1e-9)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.35 * len(columns) + 1.6, 1.35 * len(shown) + 0.3), layout="constrained")
        axes = figure.subplots(len(shown), len(columns), squeeze=False)
        for axis_row, evoked, maps in zip(axes, shown, values, strict=True):
            axis_row[0].set_ylabel(evoked.label)
            for axis, one in zip(axis_row, maps, strict=True):
                image, _ = mne.viz.plot_topomap(
                    one, info, axes=axis, show=False, vlim=(-limit, limit), cmap="RdBu_r", contours=4, sensors=False
                )
        for axis, time_s in zip(axes[0], times_s, strict=True):
            axis.set_title(f"{time_s * 1e3:.0f} ms")
        figure.colorbar(image, ax=axes, shrink=min(1.0, 1.6 / len(shown)), label="µV", aspect=12)
        return png(figure, "Scalp maps of the mean responses")


def timeline_image(
    length_s: float, gaps: Sequence[Mapping[str, Any]], resets: Sequence[Mapping[str, Any]], onsets_s: Sequence[float]
) -> str:
    """The recording from left to right: what is missing, where clocks jumped, when decisions were made."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.2, 1.1), layout="constrained")
        axis = figure.subplots()
        axis.barh(0, length_s, height=0.5, color="#dce6ee")
        narrowest_s = length_s / 400
        for gap in gaps:
            width_s = max(gap["stop_s"] - gap["start_s"], narrowest_s)
            axis.barh(0, width_s, left=gap["start_s"], height=0.5, color="#D55E00", align="center")
        axis.plot(onsets_s, np.full(len(onsets_s), -0.42), "|", color="#0072B2", ms=5)
        axis.plot([r["at_s"] for r in resets], np.full(len(resets), 0.42), "v", color="#7b3294", ms=6)
        axis.set(xlim=(0, length_s), ylim=(-0.6, 0.6), yticks=[], xlabel="s from the first sample")
        axis.spines["left"].set_visible(False)
        return svg(figure, "Time line of the recording")
