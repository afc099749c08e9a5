"""The newest seconds: coupling over the head, amplitude over phase of one channel, its comodulogram."""

import math
from collections import deque

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app import theme
from app.panels.coupling_plots import ComodulogramPlot, PhaseHistogram, RampLegend
from app.panels.frame import Coupling, Stream
from app.panels.ramp import SEQUENTIAL, round_above
from app.panels.topography import Topography
from pipeline.coupling.comodulogram import Comodulogram
from pipeline.coupling.values import CouplingMap
from pipeline.types import Array

# z of a short window moves a lot from update to update; 8 updates are 2 s at the usual pace.
N_SMOOTHED = 8
LEAST_Z = 3.0
ALPHA = 0.05


class Recent:
    """The newest maps of one setting, whose means are drawn."""

    def __init__(self) -> None:
        self._maps: deque[CouplingMap] = deque(maxlen=N_SMOOTHED)

    def __len__(self) -> int:
        return len(self._maps)

    def add(self, newest: CouplingMap) -> None:
        """Another map; those of other bands, or from before the worker began anew, are let go."""
        if self._maps and (newest.bands != self._maps[-1].bands or newest.number <= self._maps[-1].number):
            self._maps.clear()
        self._maps.append(newest)

    @property
    def against_chance(self) -> bool:
        """True where there are surrogates, and so z."""
        return bool(self._maps) and self._maps[-1].n_surrogates > 1

    def score(self) -> Array:
        """(n_channels,) mean z, or mean index without surrogates; NaN for channels the newest map leaves out."""
        rows = np.array([m.z if self.against_chance else m.mi for m in self._maps])
        return _mean(rows, self._maps[-1].usable)

    def histograms(self) -> Array:
        """(n_channels, n_bins) mean shares."""
        return _mean(np.array([m.histograms for m in self._maps]), self._maps[-1].usable)


class LivePage(QWidget):
    """Head at the left, one channel at the right: the strongest, or the one that was clicked.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.head = Topography(SEQUENTIAL, self._told)
        self.head.setMinimumSize(140, 110)
        self.head.clicked.connect(self._on_clicked)
        self.no_places = QLabel()
        self.no_places.setWordWrap(True)
        theme.set_role(self.no_places, "muted")
        self.channel, self.other = QLabel(), QLabel()
        self.histogram, self.comodulogram = PhaseHistogram(), ComodulogramPlot()
        self.legend = RampLegend(SEQUENTIAL, marks=True)
        self.legend.setToolTip(f"Colours: mean of {N_SMOOTHED} updates. Rings: the newest update alone.")
        for label in (self.channel, self.other):
            label.setFont(theme.tabular(9))
            label.setTextFormat(Qt.TextFormat.RichText)
            theme.set_role(label, "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        columns = QHBoxLayout()
        columns.setSpacing(10)
        columns.addWidget(self.head, 12)
        columns.addWidget(self.no_places, 12)
        columns.addLayout(self._plots(), 10)
        layout.addLayout(columns, 1)
        layout.addWidget(self.legend)
        self.set_electrodes(None)

    def _plots(self) -> QVBoxLayout:
        made = QVBoxLayout()
        made.setSpacing(1)
        made.addWidget(self.channel)
        made.addWidget(self.histogram, 9)
        made.addWidget(self.other)
        made.addWidget(self.comodulogram, 10)
        return made

    def set_electrodes(self, stream: Stream | None) -> None:
        """Start anew."""
        self._names: tuple[str, ...] = stream.eeg_names if stream else ()
        positions = {n: stream.positions[n] for n in self._names if n in stream.positions} if stream else {}
        self.head.set_electrodes(self._names, positions)
        self.head.setVisible(bool(positions))
        self.no_places.setVisible(not positions)
        self.no_places.setText(stream.no_positions if stream else "")
        self._n_unplaced = len(self._names) - len(positions)
        self._recent = Recent()
        self._map: CouplingMap | None = None
        self._comodulogram: Comodulogram | None = None
        self._pinned = ""
        self._top = LEAST_Z
        self._draw_nothing()

    @property
    def shown_channel(self) -> str:
        """The channel at the right; "" while there is none."""
        if self._map is None:
            return ""
        score = self._recent.score()
        if self._pinned and np.isfinite(score[self._names.index(self._pinned)]):
            return self._pinned
        return self._names[int(np.nanargmax(score))] if np.isfinite(score).any() else ""

    def set_coupling(self, found: Coupling) -> None:
        """Draw what is new."""
        if found.map is None:
            if self._map is not None:
                self._map, self._recent = None, Recent()
                self._draw_nothing()
            return
        if found.map is not self._map:
            self._map = found.map
            self._recent.add(found.map)
            self._draw_map(found.map)
        if found.comodulogram is not None and found.comodulogram is not self._comodulogram:
            self._comodulogram = found.comodulogram
            self.comodulogram.set_comodulogram(found.comodulogram, found.config.bands)
            name = self._name_of(found.map, found.comodulogram.channel)
            self.other.setText(f'<b style="color:{theme.TEXT}">{name}</b> comodulogram')

    def how(self, found: Coupling) -> str:
        """In words how it was made."""
        if found.map is None:
            return ""
        unplaced = f" · {self._n_unplaced} not placed" if self._n_unplaced else ""
        return (
            f"MI of {found.map.window_s:g} s · {found.map.n_surrogates} surrogates · mean of {N_SMOOTHED} updates"
            f" · {found.n_missed} missed{unplaced}"
        )

    def _draw_nothing(self) -> None:
        self._comodulogram = None
        self.head.set_values(np.full(len(self._names), np.nan), (0.0, LEAST_Z))
        self.histogram.set_shares(None)
        self.comodulogram.set_comodulogram(None)
        self.channel.setText("Amplitude over Phase")
        self.other.setText("Comodulogram")
        self.legend.set_ends("z 0", f"{LEAST_Z:g}")

    def _draw_map(self, newest: CouplingMap) -> None:
        score = self._recent.score()
        self._top = self._scaled(score)
        marked = frozenset(n for n, p in zip(self._names, newest.p_family.tolist(), strict=True) if p < ALPHA)
        self.head.set_values(score, (0.0, self._top), marked)
        self.legend.set_ends("z 0" if self._recent.against_chance else "MI 0", f"{self._top:g}")
        self._draw_channel()

    def _draw_channel(self) -> None:
        name = self.shown_channel
        self.head.select(name)
        if not name:
            self.histogram.set_shares(None)
            self.channel.setText("Amplitude over Phase")
            return
        row, score = self._names.index(name), self._recent.score()
        self.histogram.set_shares(self._recent.histograms()[row])
        value = f"z {score[row]:.1f}" if self._recent.against_chance else f"MI {score[row]:.4f}"
        why = "chosen" if name == self._pinned else "strongest"
        self.channel.setText(f'<b style="color:{theme.TEXT}">{name}</b> {why} · {value}')

    def _scaled(self, score: Array) -> float:
        """The end of the scale: up at once, down only when it would be far too large."""
        least = LEAST_Z if self._recent.against_chance else 1e-3
        top = float(np.nanmax(score, initial=0.0))
        rounded, wider = (least if v <= least else round_above(v) for v in (top, 1.3 * top))
        fits = len(self._recent) > 1 and rounded <= self._top <= wider
        return self._top if fits else rounded

    def _told(self, i: int) -> str:
        """The numbers of one channel, for the hover."""
        newest, name = self._map, f"<b>{self._names[i]}</b>"
        if newest is None:
            return name
        if not newest.usable[i]:
            return f"{name} — left out: bad, flat or broken"
        lines = [name, f"modulation index {newest.mi[i]:.4f}"]
        if self._recent.against_chance:
            lines += [
                f"z {newest.z[i]:.1f}; mean of {len(self._recent)} updates {self._recent.score()[i]:.1f}",
                f"p {newest.p[i]:.3f}; of all channels {newest.p_family[i]:.3f}",
            ]
        degrees = math.degrees(float(newest.preferred_phase_rad[i]))
        return "<br>".join([*lines, f"largest amplitude at {degrees:+.0f}° (0° the peak)"])

    def _name_of(self, newest: CouplingMap, label: str) -> str:
        """A channel's name in the window; the worker goes by the labels of the stream."""
        return self._names[newest.channels.index(label)] if label in newest.channels else label

    def _on_clicked(self, name: str) -> None:
        """Choose an electrode; once more, or beside all, goes back to the strongest."""
        self._pinned = "" if name == self._pinned else name
        if self._map is not None:
            self._draw_channel()


def _mean(rows: Array, usable: np.typing.NDArray[np.bool_]) -> Array:
    """Mean over the first axis of what is there, NaN where `usable` is not."""
    there = np.isfinite(rows)
    mean = np.where(there, rows, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    mean[~(usable & there[-1].reshape(len(usable), -1).all(axis=1))] = np.nan
    return np.asarray(mean)
