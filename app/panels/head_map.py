"""The electrode map: how good each contact is, where it sits. Electrodes without a place are listed beside."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QLabel, QToolTip, QVBoxLayout, QWidget

from app import theme
from app.panels.head import Head
from pipeline.montage import Position
from pipeline.quality import HARD, ChannelQuality, Quality

COLOURS = {Quality.GOOD: theme.GOOD, Quality.NOISY: theme.WARN, Quality.UNCORRELATED: theme.WARN}
WORDS = {
    Quality.GOOD: "good",
    Quality.FLAT: "flat: no signal, or bridged to the reference",
    Quality.RAILED: "railed: at the end of the amplifier's range",
    Quality.NOISY: "noisy: far larger than the others, or full of mains",
    Quality.UNCORRELATED: "unlike its neighbours: loose contact?",
    Quality.LOST: "lost: samples are missing",
    Quality.UNKNOWN: "not judged yet",
}
MAX_BADS = 6
# Smaller electrodes carry no name, except those that something is the matter with.
NAMED_PX = 8.0


def colour_of(state: Quality) -> str:
    """One colour for a kind of state; the shape drawn says the same again."""
    return theme.BAD if state in HARD else COLOURS.get(state, theme.FAINT)


def describe(channel: ChannelQuality) -> str:
    """Name, verdict and numbers, for the hover."""
    lines = [f"<b>{channel.name}</b> — {WORDS[channel.state]}"]
    for text, value in (
        ("amplitude {:.1f} µV", channel.amplitude_uv),
        ("mains / signal {:.2f}", channel.mains_ratio),
        ("best correlation {:.2f}", channel.correlation),
    ):
        if math.isfinite(value):
            lines.append(text.format(value))
    if channel.n_not_finite:
        lines.append(f"{channel.n_not_finite} samples without a value")
    lines.append(f"bad in {channel.bad_fraction:.0%} of the seconds so far")
    return "<br>".join(lines)


class HeadMap(Head):
    """Head outline with electrodes coloured by quality.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(200, 170)
        self._quality: dict[str, ChannelQuality] = {}

    def set_places(self, positions: Mapping[str, Position]) -> None:
        """Where the electrodes sit; nothing is known of them yet."""
        self._quality = {}
        super().set_places(positions)

    def set_quality(self, channels: Sequence[ChannelQuality]) -> None:
        """The newest verdicts."""
        self._quality = {channel.name: channel for channel in channels}
        self.update()

    def state_of(self, name: str) -> Quality:
        """What is drawn at an electrode."""
        channel = self._quality.get(name)
        return channel.state if channel else Quality.UNKNOWN

    def event(self, event: QEvent) -> bool:
        """Hovering tells the numbers."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            name = self.electrode_at(QPointF(event.pos()))
            if name is None or name not in self._quality:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), describe(self._quality[name]), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Head, nose, ears, electrodes."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_head(painter)
        for name in sorted(self._places, key=lambda n: self.state_of(n) in HARD):
            self._paint_electrode(painter, name)
        painter.end()

    def _paint_electrode(self, painter: QPainter, name: str) -> None:
        state = self.state_of(name)
        colour, centre, radius = colour_of(state), self._to_px(*self._places[name]), self._radius_px
        strong = state not in (Quality.GOOD, Quality.UNKNOWN)
        painter.setPen(QPen(theme.colour(colour), 2 if strong else 1.2))
        painter.setBrush(theme.colour(colour, 0.9) if strong else _mixed(colour))
        if state in HARD:
            box = QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius)
            painter.drawRoundedRect(box, 3, 3)
        else:
            painter.drawEllipse(centre, radius, radius)
        if radius < NAMED_PX and not strong:
            return
        painter.setPen(theme.colour(theme.GROUND if strong else theme.TEXT))
        painter.setFont(theme.font(max(6.0, radius * 0.58), bold=strong))
        box = QRectF(centre.x() - 2 * radius, centre.y() - radius, 4 * radius, 2 * radius)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)


class Legend(QWidget):
    """What the colours and shapes mean, with how many electrodes each holds."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(20)
        self._counts: Counter[str] = Counter()

    def set_counts(self, states: Sequence[Quality]) -> None:
        """Count states by group."""
        self._counts = Counter(_group(state) for state in states)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """One sample of each group in a row."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(9))
        x, middle = 2.0, self.height() / 2
        for group, colour in (
            ("good", theme.GOOD),
            ("noisy", theme.WARN),
            ("dead", theme.BAD),
            ("not judged", theme.FAINT),
        ):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(colour))
            if group == "dead":
                painter.drawRoundedRect(QRectF(x, middle - 5, 10, 10), 2, 2)
            else:
                painter.drawEllipse(QPointF(x + 5, middle), 5, 5)
            text = f"{group} {self._counts[group]}"
            painter.setPen(theme.colour(theme.MUTED))
            painter.drawText(QPointF(x + 15, middle + 4), text)
            x += 15 + painter.fontMetrics().horizontalAdvance(text) + 14
        painter.end()


class QualityPanel(QFrame):
    """The map, its legend, and the electrodes that have no place on it.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.head = HeadMap()
        self.legend = Legend()
        self.note = QLabel()
        self.note.setWordWrap(True)
        theme.set_role(self.note, "muted")
        self.bads = QLabel()
        theme.set_role(self.bads, "error")
        self._unplaced: tuple[str, ...] = ()
        self._why = ""
        self._shown: Sequence[ChannelQuality] = ()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 6, 14, 10)
        layout.setSpacing(6)
        layout.addWidget(self.bads)
        layout.addWidget(self.head, 100)
        layout.addWidget(self.note)
        layout.addStretch(1)
        layout.addWidget(self.legend)

    def set_electrodes(self, names: Sequence[str], positions: Mapping[str, Position], why_not: str, off: str) -> None:
        """Start anew: `why_not` explains missing positions, `off` why nothing is judged."""
        self._shown = ()
        self.set_bads(())
        self._unplaced = tuple(name for name in names if name not in positions)
        self._why = off or (why_not if self._unplaced else "")
        self.head.set_places({name: positions[name] for name in names if name in positions})
        self.head.setVisible(len(self._unplaced) < len(names))
        self.legend.set_counts([Quality.UNKNOWN] * len(names))
        self._write_note({})

    def set_quality(self, channels: Sequence[ChannelQuality]) -> None:
        """The newest verdicts."""
        if not channels or channels is self._shown:
            return
        self._shown = channels
        self.head.set_quality(channels)
        self.legend.set_counts([channel.state for channel in channels])
        self._write_note({channel.name: channel for channel in channels})

    def set_bads(self, names: Sequence[str]) -> None:
        """Channels that count as bad in the decoding chain now."""
        shown = ", ".join(names[:MAX_BADS]) + (f" and {len(names) - MAX_BADS} more" if len(names) > MAX_BADS else "")
        self.bads.setText(f"{len(names)} bad: {shown}" if names else "")
        self.bads.setVisible(bool(names))

    def _write_note(self, quality: Mapping[str, ChannelQuality]) -> None:
        lines = [self._why] if self._why else []
        if self._unplaced:
            lines.append(", ".join(self._named(name, quality.get(name)) for name in self._unplaced[:40]))
        self.note.setText("<br>".join(lines))
        self.note.setVisible(bool(lines))

    def _named(self, name: str, channel: ChannelQuality | None) -> str:
        state = channel.state if channel else Quality.UNKNOWN
        extra = "" if state in (Quality.GOOD, Quality.UNKNOWN) else f" ({state.value})"
        return f'<span style="color:{colour_of(state)}">●</span> {name}{extra}'


def _group(state: Quality) -> str:
    if state in HARD:
        return "dead"
    return {Quality.GOOD: "good", Quality.UNKNOWN: "not judged"}.get(state, "noisy")


def _mixed(colour: str) -> QColor:
    """The colour laid thinly over the surface, opaque."""
    over, under = theme.colour(colour), theme.colour(theme.SURFACE)
    share = 0.28
    pairs = ((over.redF(), under.redF()), (over.greenF(), under.greenF()), (over.blueF(), under.blueF()))
    return QColor.fromRgbF(*(share * o + (1 - share) * u for o, u in pairs))
