"""The last trial: coupling within its two windows and, as a model may use it, across them."""

from functools import partial

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from app import theme
from app.panels.coupling_plots import RampLegend
from app.panels.frame import Coupling, Stream
from app.panels.ramp import DIVERGING, round_above
from app.panels.topography import Topography
from pipeline.coupling.values import TrialCoupling
from pipeline.types import Array

STATISTIC = "model statistic, minus trial shuffles"
KINDS = (
    ("static", "Static", "phase and amplitude while the picture stands"),
    ("dynamic", "Dynamic", "phase and amplitude while it turns"),
    ("static_to_dynamic", "Static→Dynamic", "phase while it stands, amplitude while it turns; no physiology"),
    ("dynamic_to_static", "Dynamic→Static", "phase while it turns, amplitude while it stands; no physiology"),
)
LEAST = 1e-4
# The scale holds this share of all values, so that one loose electrode does not take it all.
COLOURED = 0.98
# Lower than this the four heads stand in one row.
LOW_PX = 250


class TrialPage(QWidget):
    """Four heads on one scale that goes both ways from 0; an empty head where the trial has no such window.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.title = QLabel()
        self.title.setFont(theme.tabular(9))
        self.title.setTextFormat(Qt.TextFormat.RichText)
        self.title.setToolTip("Trials are counted from the moment the bands were chosen")
        theme.set_role(self.title, "muted")
        self.legend = RampLegend(DIVERGING, marks=False)
        self.heads = {key: Topography(DIVERGING, partial(self._told, key)) for key, _, _ in KINDS}
        self.names = {key: QLabel() for key, _, _ in KINDS}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.title)
        layout.addLayout(self._made_grid(), 1)
        layout.addWidget(self.legend)
        self.set_electrodes(None)

    def _made_grid(self) -> QGridLayout:
        self._grid, self._n_columns = QGridLayout(), 0
        self._grid.setSpacing(2)
        for key, _, tip in KINDS:
            self.heads[key].setMinimumSize(80, 40)
            self.names[key].setFont(theme.font(8))
            self.names[key].setToolTip(tip)
            theme.set_role(self.names[key], "muted")
        self._arrange(4)
        return self._grid

    def _arrange(self, n_columns: int) -> None:
        """One row where it is low, two where there is room for two."""
        if n_columns == self._n_columns:
            return
        self._n_columns = n_columns
        for number, (key, _, _) in enumerate(KINDS):
            row, column = divmod(number, n_columns)
            self._grid.addWidget(self.names[key], 2 * row, column, Qt.AlignmentFlag.AlignHCenter)
            self._grid.addWidget(self.heads[key], 2 * row + 1, column)
        self._grid.setRowStretch(1, 1)
        self._grid.setRowStretch(3, 1 if n_columns == 2 else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Make the heads as large as they can be."""
        self._arrange(2 if self.height() > LOW_PX else 4)
        super().resizeEvent(event)

    def _told(self, key: str, i: int) -> str:
        values: Array | None = getattr(self._trial, key, None)
        value = "left out" if values is None or np.isnan(values[i]) else f"{values[i]:+.5f}"
        return f"<b>{self._names[i]}</b> {value}"

    def set_electrodes(self, stream: Stream | None) -> None:
        """Start anew."""
        self._names: tuple[str, ...] = stream.eeg_names if stream else ()
        for head in self.heads.values():
            head.set_electrodes(self._names, stream.positions if stream else {})
        self._trial: TrialCoupling | None = None
        self._draw_nothing()

    def set_coupling(self, found: Coupling) -> None:
        """Draw the trial when it is a new one."""
        if found.trial is self._trial:
            return
        self._trial = found.trial
        if found.trial is None:
            self._draw_nothing()
        else:
            self._draw(found.trial)

    def how(self, found: Coupling) -> str:
        """In words how it was made."""
        if found.trial is None:
            return ""
        n = found.trial.n_shuffles
        return (
            f"Modulation index minus the mean of {n} trial shuffles"
            if n
            else "The first trial has none to shuffle with"
        )

    def _draw_nothing(self) -> None:
        self.title.setText(STATISTIC.capitalize())
        for key, name, _ in KINDS:
            self._draw_head(key, name, None, LEAST)

    def _draw(self, trial: TrialCoupling) -> None:
        maps: dict[str, Array | None] = {key: getattr(trial, key) for key, _, _ in KINDS}
        sizes = np.concatenate([np.abs(m[np.isfinite(m)]) for m in maps.values() if m is not None] or [np.zeros(1)])
        top = round_above(max(LEAST, float(np.quantile(sizes, COLOURED, method="lower")) if sizes.size else 0.0))
        self.title.setText(f'<b style="color:{theme.TEXT}">Trial {trial.trial + 1}</b> · {STATISTIC}')
        for key, name, _ in KINDS:
            self._draw_head(key, name, maps[key], top)

    def _draw_head(self, key: str, name: str, values: Array | None, top: float) -> None:
        self.names[key].setText(name)
        self.names[key].setEnabled(values is not None)
        shown = np.full(len(self._names), np.nan) if values is None else values
        self.heads[key].set_values(shown, (-top, top))
        self.legend.set_ends(f"MI −{top:g}", f"+{top:g}")
