"""What a report shows of coupling: the verdict, a head, the comodulogram and the amplitude over the phase."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
import mne
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from calibration.coupling import OverTime
from calibration.report_images import MIN_TOPOGRAPHY, STYLE, png, svg
from pipeline.coupling.comodulogram import Comodulogram
from pipeline.coupling.index import bin_centres, preferred_phase
from pipeline.montage import Position, positions, why_no_positions
from pipeline.types import Array

SIGNIFICANT = 0.05


@dataclass(frozen=True, eq=False)
class CouplingFigures:
    """Arrays a coupling report draws: per channel `score` (z, or the index without surrogates) and family-wise p.

    `means` (n_bins,) mean amplitude over phase of the channel `strongest`; `course` is drawn from `origin_s` on;
    `positions_m` overrides template positions.
    """

    channels: tuple[str, ...]
    score: Array
    score_name: str
    p_family: Array
    strongest: int
    means: NDArray[np.floating]
    comodulogram: Comodulogram | None = None
    course: OverTime | None = None
    origin_s: float = 0.0
    positions_m: Mapping[str, Position] = field(default_factory=dict)


def coupling_verdict(report: Mapping[str, Any]) -> tuple[str, str]:
    """One sentence, and good, bad or "" for neither."""
    slow, fast = (f"{low:g}-{high:g} Hz" for low, high in (report["phase_hz"], report["amplitude_hz"]))
    what = f"The phase of {slow} with the amplitude of {fast}, {report['seconds_used']:.0f} s"
    if report["n_trials"] is not None:
        what += f" in {report['n_trials']} trials"
    found = [
        (p, name)
        for p, name in zip(report["p_family"], report["channels"], strict=True)
        if p is not None and p < SIGNIFICANT
    ]
    if not report["n_surrogates"]:
        return f"{what}: no surrogates, so nothing can be said of chance.", ""
    n = len(report["channels"])
    if not found:
        return (
            f"No coupling beyond chance in any of {n} channels. {what}; family-wise p at least {SIGNIFICANT:g}.",
            "bad",
        )
    names = ", ".join(name for _, name in sorted(found)[:6]) + ("..." if len(found) > 6 else "")
    said = f"Coupling beyond chance in {len(found)} of {n} channels ({names})"
    return f"{said}. {what}; family-wise p below {SIGNIFICANT:g}, {report['n_surrogates']} surrogates.", "good"


def head_image(figures: CouplingFigures) -> tuple[str, str]:
    """The score over the head, and what could not be drawn and why; one of the two may be empty."""
    placed = {**positions(figures.channels), **figures.positions_m}
    rows = [i for i, n in enumerate(figures.channels) if n in placed and np.isfinite(figures.score[i])]
    why = why_no_positions(figures.channels, placed)
    if len(rows) < MIN_TOPOGRAPHY:
        few = f"a map needs {MIN_TOPOGRAPHY} electrodes with known places, {len(rows)} have one"
        return "", f"{few}; {why}" if why else few
    names = [figures.channels[i] for i in rows]
    info = mne.create_info(names, 100.0, "eeg")  # the rate plays no part in a map
    info.set_montage(mne.channels.make_dig_montage({name: placed[name] for name in names}), verbose="ERROR")
    marked = np.array([bool(figures.p_family[i] < SIGNIFICANT) for i in rows])
    values = figures.score[rows]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.6, 3.2), layout="constrained")
        axis = figure.subplots()
        image, _ = mne.viz.plot_topomap(
            values,
            info,
            axes=axis,
            show=False,
            cmap="viridis",
            vlim=(min(0.0, float(values.min())), max(float(values.max()), 1e-9)),
            contours=0,
            mask=marked,
            mask_params={"marker": "o", "markersize": 6, "markerfacecolor": "white", "markeredgecolor": "black"},
        )
        figure.colorbar(image, ax=axis, shrink=0.8, label=figures.score_name)
        return png(figure, f"{figures.score_name} of every channel on the head"), why


def comodulogram_image(found: Comodulogram) -> str:
    """The index over pairs of bands; what the rule of widths, the mains or the rate forbid is grey."""
    grid = found.grid
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 3.2), layout="constrained")
        axis = figure.subplots()
        axis.set_facecolor("#c8c8c8")
        image = axis.pcolormesh(
            grid.phase_hz,
            grid.amplitude_hz,
            np.ma.masked_invalid(found.mi.T),
            shading="nearest",
            cmap="viridis",
            vmin=0.0,
        )
        axis.set(xlabel="phase, Hz", ylabel="amplitude, Hz", title=found.channel)
        figure.colorbar(image, ax=axis, label="modulation index")
        return png(figure, f"Comodulogram of channel {found.channel}")


def course_image(course: OverTime, origin_s: float) -> str:
    """The strongest channel's index along the recording, above its shuffles."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.2, 1.7), layout="constrained")
        axis = figure.subplots()
        axis.axhline(0.0, color="#bbbbbb", lw=0.7)
        axis.plot(course.starts_s - origin_s + course.window_s / 2, course.excess, ".-", color="#0072B2", lw=0.8, ms=3)
        axis.set(xlabel="s from the first sample", ylabel="index above\nshuffles", title=course.channel)
        axis.margins(x=0.01)
        return svg(figure, f"Coupling of channel {course.channel} along the recording")


def histogram_image(figures: CouplingFigures) -> str:
    """The strongest channel's amplitude over the phase, twice around, with a cosine for orientation."""
    n_bins = len(figures.means)
    share = figures.means / figures.means.sum()
    phase_deg = np.degrees(np.concatenate([bin_centres(n_bins), bin_centres(n_bins) + 2 * np.pi]))
    preferred_deg = float(np.degrees(preferred_phase(figures.means)))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 3.2), layout="constrained")
        axis = figure.subplots()
        axis.bar(phase_deg, np.tile(share, 2), width=360 / n_bins * 0.9, color="#0072B2")
        turn_deg = np.linspace(-180, 540, 200)
        axis.plot(turn_deg, share.mean() * (1 + 0.5 * np.cos(np.radians(turn_deg))), color="#999999", lw=1)
        axis.axvline(preferred_deg, color="#D55E00", lw=1.2)
        axis.set(xlabel="phase, degrees (0: peak)", ylabel="share of the amplitude", xticks=range(-180, 541, 180))
        axis.set_title(f"{figures.channels[figures.strongest]}, preferred phase {preferred_deg:.0f}°")
        axis.margins(x=0)
        return svg(figure, f"Amplitude over phase, channel {figures.channels[figures.strongest]}")
