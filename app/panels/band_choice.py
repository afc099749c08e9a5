"""Which slow and which fast band: a few that are in use, those greyed that say nothing at this rate."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app import theme
from app.panels.choice import Choice
from pipeline.coupling.bands import Band, CouplingBands

PHASES_HZ: tuple[Band, ...] = ((2.0, 4.0), (4.0, 8.0), (8.0, 13.0))
AMPLITUDES_HZ: tuple[Band, ...] = ((13.0, 30.0), (30.0, 45.0), (40.0, 80.0), (55.0, 95.0), (80.0, 150.0))


class BandChoice(QWidget):
    """Two boxes; `chosen` carries the new `CouplingBands`.

    Thread: main only.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.phase, self.amplitude = Choice(), Choice()
        self._bands: CouplingBands | None = None
        self._sfreq_hz = 0.0
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        for word, box in (("Phase", self.phase), ("Amplitude", self.amplitude)):
            label = QLabel(word)
            label.setFont(theme.font(9))
            theme.set_role(label, "muted")
            box.setStyleSheet("QComboBox { padding: 3px 0 3px 8px; }")
            box.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToContents)
            box.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            box.activated.connect(self._on_activated)
            layout.addWidget(label)
            layout.addWidget(box)
        self.setEnabled(False)

    def set_bands(self, bands: CouplingBands, sfreq_hz: float) -> None:
        """What is measured now; the other choices are judged by it."""
        if (bands, sfreq_hz) == (self._bands, self._sfreq_hz):
            return
        self._bands, self._sfreq_hz = bands, sfreq_hz
        self.setEnabled(True)
        self._fill(self.phase, "phase", _with(PHASES_HZ, bands.phase_hz), bands.phase_hz)
        self._fill(self.amplitude, "amplitude", _with(AMPLITUDES_HZ, bands.amplitude_hz), bands.amplitude_hz)

    def clear(self) -> None:
        """Nothing is measured."""
        self._bands = None
        self.setEnabled(False)

    def why_not(self, box: Choice, row: int) -> str:
        """Why an entry is greyed; "" when it can be chosen."""
        return str(box.itemData(row, Qt.ItemDataRole.ToolTipRole) or "")

    def _fill(self, box: Choice, word: str, choices: Sequence[Band], now: Band) -> None:
        assert self._bands is not None
        box.clear()
        for row, band in enumerate(choices):
            box.addItem(f"{band[0]:g}–{band[1]:g} Hz", band)
            changed: dict[str, Any] = {f"{word}_hz": band}
            why = replace(self._bands, **changed).why_not(self._sfreq_hz)
            if why and band != now:
                model = box.model()
                assert isinstance(model, QStandardItemModel)
                model.item(row).setEnabled(False)
                box.setItemData(row, why, Qt.ItemDataRole.ToolTipRole)
                box.setItemData(row, theme.colour(theme.FAINT), Qt.ItemDataRole.ForegroundRole)
        box.setCurrentIndex(choices.index(now))
        box.setToolTip("Bands that say nothing at this rate beside the other one are greyed; resting on them tells why")

    def _on_activated(self) -> None:
        if self._bands is None:
            return
        wanted = replace(self._bands, phase_hz=self.phase.currentData(), amplitude_hz=self.amplitude.currentData())
        if wanted != self._bands:
            self.chosen.emit(wanted)


def _with(presets: tuple[Band, ...], now: Band) -> list[Band]:
    return sorted({*presets, now})
