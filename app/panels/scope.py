"""The scope: channels stacked, swept from left to right; markers, gaps and bad channels where they happened."""

from collections.abc import Iterable, Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app import theme
from app.panels.frame import Samples, Stream
from app.panels.scope_layers import AXIS_PX, HEAD_PX, Layers, RowLabels
from app.panels.sweep import BLANK, DisplayFilter, Sweep
from app.panels.traces import Traces
from pipeline.types import Boundary, BoundaryKind, Marker

SCALES_UV = tuple(step * 10**power for power in range(6) for step in (1, 2, 5))
# (up to so many rows, microvolts a row): fewer rows are higher ones.
DEFAULT_SCALES_UV = ((12, 200.0), (32, 100.0), (1_000_000, 50.0))
SPANS_S = (2.0, 5.0, 10.0, 20.0, 40.0)
# The amplitude is fitted once, when this much has come.
FIT_AFTER_S = 2.0
ROWS = (8, 16, 32, 64)
# Traces may overlap their neighbours by this many rows, so that one bad channel does not cover the others.
REACH_ROWS = 1.0


class Scope(QWidget):
    """Shows the newest seconds of all channels. `wants_history` asks for them anew after a change of span or filter.

    Thread: main only.
    """

    wants_history = Signal(float)
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.span_s = 10.0
        self.scale_uv = 50.0
        self.filter = DisplayFilter()
        self.first_row = 0
        self.n_rows = 64
        self._stream: Stream | None = None
        self._sweep: Sweep | None = None
        self._bads: frozenset[str] = frozenset()
        self._markers: tuple[Marker, ...] = ()
        self._levels: dict[Marker, int] = {}
        self._boundaries: tuple[Boundary, ...] = ()
        self._auto_scale = False
        self._labels = RowLabels()
        self._plot = _plot()
        self._layers = Layers(self._plot)
        self._traces = Traces()
        self._plot.addItem(self._traces, ignoreBounds=True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._labels)
        layout.addWidget(self._plot, 1)

    # What is shown.

    def set_stream(self, stream: Stream | None) -> None:
        """Start anew with a stream, or with none."""
        self._stream = stream
        self._sweep = None
        self._bads, self._markers, self._boundaries = frozenset(), (), ()
        self.first_row = 0
        self._auto_scale = stream is not None
        if stream is not None:
            self.n_rows = min(64, len(stream.rows))
            self.scale_uv = next(scale for rows, scale in DEFAULT_SCALES_UV if self.n_rows <= rows)
        self._rebuild()

    def push(self, samples: Samples, boundaries: Sequence[Boundary]) -> None:
        """Take the samples since the last tick."""
        if self._stream is None or self._sweep is None or not samples.times_s.size:
            return
        breaks = [b.at - samples.start for b in boundaries if samples.start <= b.at < samples.stop]
        self._sweep.push(samples.data[list(self._stream.rows)], samples.times_s, breaks)
        self._boundaries = tuple(boundaries)
        if self._auto_scale and self._sweep.newest_s - self._sweep.origin_s > FIT_AFTER_S:
            self._auto_scale = False
            self.fit()

    def show_history(self, samples: Samples, boundaries: Sequence[Boundary]) -> None:
        """Draw the last seconds again with the present span and filter."""
        self._make_sweep()
        self.push(samples, boundaries)
        self.redraw()

    def set_markers(self, markers: Iterable[Marker]) -> None:
        """The newest markers, on the corrected clock. Each keeps the level on which its label stands."""
        self._markers = tuple(markers)
        known, self._levels = self._levels, {}
        level = 1
        for marker in self._markers:
            level = known.get(marker, 1 - level)
            self._levels[marker] = level

    def set_bads(self, bads: Iterable[str]) -> None:
        """Channels that count as bad now."""
        bads = frozenset(bads)
        if bads != self._bads:
            self._bads = bads
            self._dress()

    def redraw(self) -> None:
        """Put the picture on the screen."""
        if self._sweep is None:
            return
        trace = self._sweep.trace()
        if trace.x_s.size == 0:
            return
        shown = slice(self.first_row, self.first_row + self.n_rows)
        rows = trace.y[shown] / self.scale_uv
        np.clip(rows, -REACH_ROWS, REACH_ROWS, out=rows)
        rows -= np.arange(len(rows))[:, None] + 0.5
        self._traces.set_trace(trace, rows)
        self._layers.show_cursor(self._sweep.position_s(self._sweep.newest_s))
        self._layers.show_markers(self._marker_places())
        self._layers.show_gaps(self._gap_places())

    # Controls.

    def step_scale(self, by: int) -> None:
        """Taller (-1) or flatter (+1) traces."""
        self.scale_uv = float(_step(SCALES_UV, self.scale_uv, by))
        self._layers.show_scale(self.scale_uv, self._unit, self._n_shown)
        self.redraw()
        self.changed.emit()

    def step_span(self, by: int) -> None:
        """Shorter (-1) or longer (+1) time."""
        self.span_s = float(_step(SPANS_S, self.span_s, by))
        self._rebuild()
        self.changed.emit()

    def set_filter(self, chosen: DisplayFilter) -> None:
        """Filter the display otherwise, history included."""
        self.filter = chosen
        self._rebuild()
        self.changed.emit()

    def set_rows(self, n_rows: int) -> None:
        """Show so many channels at once."""
        self.n_rows = n_rows
        self.scroll_rows(0)
        self._rebuild()
        self.changed.emit()

    def scroll_rows(self, by: int) -> None:
        """Show other channels."""
        n = len(self._stream.rows) if self._stream else 0
        first = min(max(0, self.first_row + by), max(0, n - self.n_rows))
        if first != self.first_row:
            self.first_row = first
            self._dress()
            self.redraw()

    def fit(self) -> None:
        """Choose the scale at which the middling channel fills half its row."""
        amplitude = self._sweep.amplitude() if self._sweep else float("nan")
        if np.isfinite(amplitude) and amplitude > 0:
            self.scale_uv = float(min(SCALES_UV, key=lambda s: abs(np.log(s / (2 * amplitude)))))
            self.step_scale(0)

    # Inside.

    @property
    def in_microvolts(self) -> bool:
        """False where the stream declares no unit we know."""
        return self._stream is None or self._stream.unit_known

    @property
    def _unit(self) -> str:
        return "µV" if self.in_microvolts else "units"

    @property
    def _n_shown(self) -> int:
        return min(self.n_rows, len(self._stream.rows)) if self._stream else 0

    def _rebuild(self) -> None:
        n = self._n_shown
        self._traces.set_geometry(self.span_s, n)
        head = HEAD_PX / max(1.0, (self._plot.height() - AXIS_PX - HEAD_PX) / max(n, 1))
        self._plot.setRange(xRange=(0, self.span_s), yRange=(-max(n, 1), head), padding=0, disableAutoRange=True)
        self._layers.set_geometry(self.span_s, head)
        self._layers.show_scale(self.scale_uv, self._unit, n)
        self._labels.set_geometry(head)
        self._dress()
        self._make_sweep()
        if self._stream is not None:
            self.wants_history.emit(self.span_s)

    def _make_sweep(self) -> None:
        if self._stream is None:
            self._sweep = None
            return
        rate_hz = self._stream.info.sfreq_hz or 100.0
        columns = max(200, self._plot.width())
        sections = self.filter.sections(rate_hz) if self._stream.info.sfreq_hz else DisplayFilter(None).sections(100.0)
        self._sweep = Sweep(len(self._stream.rows), rate_hz, self.span_s, columns, sections)

    def _dress(self) -> None:
        """Colours and labels of the rows."""
        if self._stream is None:
            self._labels.set_rows((), self._bads)
            return
        names = self._stream.names[self.first_row : self.first_row + self.n_rows]
        self._labels.set_rows(names, self._bads)
        shades = (theme.TRACE, theme.TRACE_ALTERNATE)
        self._traces.set_colours(
            [
                theme.colour(theme.BAD, 0.6) if name in self._bads else theme.colour(shades[number % 2])
                for number, name in enumerate(names)
            ]
        )

    def _marker_places(self) -> list[tuple[float, str, int]]:
        assert self._sweep is not None
        places = ((self._sweep.position_s(m.time_s), m) for m in self._markers)
        return [(x_s, marker.label, self._levels[marker]) for x_s, marker in places if x_s is not None]

    def _gap_places(self) -> list[tuple[float, float]]:
        """(start, stop) within the sweep of every gap still on it, cut in two where it wraps around."""
        assert self._sweep is not None
        sweep, found = self._sweep, []
        oldest_s = sweep.newest_s - sweep.span_s * (1 - BLANK)
        for boundary in self._boundaries:
            start_s, stop_s = max(boundary.start_s, oldest_s), min(boundary.stop_s, sweep.newest_s)
            if boundary.kind is BoundaryKind.START or stop_s <= start_s:
                continue
            start = (start_s - sweep.origin_s) % sweep.span_s
            stop = start + stop_s - start_s
            found.append((start, min(stop, sweep.span_s)))
            if stop > sweep.span_s:
                found.append((0.0, stop - sweep.span_s))
        return found

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Turn through the channels."""
        self.scroll_rows(-4 if event.angleDelta().y() > 0 else 4)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Another width, other columns; another height, other rows."""
        super().resizeEvent(event)
        if self._stream is not None:
            self._rebuild()


def _plot() -> pg.PlotWidget:
    plot = pg.PlotWidget(background=theme.GROUND)
    plot.setMenuEnabled(False)
    plot.setMouseEnabled(False, False)
    plot.hideButtons()
    plot.hideAxis("left")
    axis = plot.getAxis("bottom")
    axis.tickStrings = lambda values, _scale, _spacing: [f"{value:g} s" for value in values]
    axis.setHeight(AXIS_PX)
    axis.setPen(theme.LINE)
    axis.setTextPen(theme.FAINT)
    axis.setStyle(tickFont=theme.font(8.5), tickLength=4)
    axis.setTicks(None)
    plot.getPlotItem().layout.setContentsMargins(0, 0, 0, 0)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    plot.viewport().setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    plot.setFrameShape(plot.Shape.NoFrame)
    # Everything moves with every frame; clipping to many small regions costs more than it saves.
    plot.setViewportUpdateMode(plot.ViewportUpdateMode.FullViewportUpdate)
    return plot


def _step(choices: Sequence[float], value: float, by: int) -> float:
    at = min(range(len(choices)), key=lambda i: abs(choices[i] - value))
    return choices[min(max(0, at + by), len(choices) - 1)]
