"""Amplitude over phase of one channel, the comodulogram, and what the colours mean."""

import math

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QHelpEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QToolTip, QWidget

from app import theme
from app.panels.ramp import LEFT_OUT, SEQUENTIAL, Ramp, image_of
from pipeline.coupling.bands import CouplingBands
from pipeline.coupling.comodulogram import Comodulogram
from pipeline.types import Array

SMALL_PT = 8
LEFT_PX, BOTTOM_PX = 28, 15


class PhaseHistogram(QWidget):
    """Mean amplitude over the phase of the slow wave, and below that wave.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumHeight(48)
        self._shares: Array | None = None
        self.setToolTip(
            "Mean amplitude of the fast band over the phase of the slow one, as shares of the whole. 0 is the peak of "
            "the slow wave, ±π its trough. Dashed: no coupling. The mark is the phase with the largest amplitude."
        )

    def set_shares(self, shares: Array | None) -> None:
        """(n_bins,) from -pi to pi, summing to 1; None draws the axes alone."""
        self._shares = shares
        self.update()

    @property
    def preferred(self) -> int | None:
        """The bin with the largest amplitude."""
        return None if self._shares is None else int(np.argmax(self._shares))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Bars from 0, the uniform share dashed, a cosine below."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(SMALL_PT))
        wave_px = max(10.0, 0.16 * self.height())
        box = QRectF(LEFT_PX, 6, self.width() - LEFT_PX - 2, self.height() - 6 - wave_px - BOTTOM_PX - 4)
        if self._shares is not None:
            self._paint_bars(painter, box, self._shares)
        painter.setPen(QPen(theme.colour(theme.LINE), 1))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        self._paint_wave(painter, QRectF(box.left(), box.bottom() + 4, box.width(), wave_px))
        painter.end()

    def _paint_bars(self, painter: QPainter, box: QRectF, shares: Array) -> None:
        uniform = 1 / shares.size
        top = max(1.5 * uniform, 1.15 * float(shares.max()))
        width = box.width() / shares.size
        best = int(np.argmax(shares))
        painter.setPen(Qt.PenStyle.NoPen)
        for number, share in enumerate(shares.tolist()):
            height = box.height() * share / top
            painter.setBrush(theme.colour(theme.ACCENT, 1.0 if number == best else 0.6))
            painter.drawRect(QRectF(box.left() + number * width + 0.5, box.bottom() - height, width - 1, height))
        x, y = box.left() + (best + 0.5) * width, box.bottom() - box.height() * float(shares[best]) / top - 3
        painter.setBrush(theme.colour(theme.TEXT))
        painter.drawPolygon(QPolygonF([QPointF(x, y), QPointF(x - 3.5, y - 5), QPointF(x + 3.5, y - 5)]))
        y = box.bottom() - box.height() * uniform / top
        painter.setPen(QPen(theme.colour(theme.MUTED), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
        painter.setPen(theme.colour(theme.MUTED))
        label = QRectF(0, y - 8, LEFT_PX - 4, 16)
        painter.drawText(label, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{uniform:.0%}")

    def _paint_wave(self, painter: QPainter, box: QRectF) -> None:
        painter.setPen(QPen(theme.colour(theme.MUTED), 1.4))
        points = np.linspace(0, 1, 60)
        heights = 0.5 - 0.5 * np.cos(2 * np.pi * (points - 0.5))
        places = zip(points.tolist(), heights.tolist(), strict=True)
        painter.drawPolyline(QPolygonF([QPointF(box.left() + p * box.width(), box.top() + h * box.height())
                                        for p, h in places]))  # fmt: skip
        painter.setPen(theme.colour(theme.FAINT))
        for text, x, flag in (
            ("−π", box.left(), Qt.AlignmentFlag.AlignLeft),
            ("0", box.center().x(), Qt.AlignmentFlag.AlignHCenter),
            ("π", box.right(), Qt.AlignmentFlag.AlignRight),
        ):
            shift = {Qt.AlignmentFlag.AlignLeft: 0, Qt.AlignmentFlag.AlignHCenter: 20}.get(flag, 40)
            painter.drawText(QRectF(x - shift, box.bottom(), 40, BOTTOM_PX), flag, text)


class ComodulogramPlot(QWidget):
    """Phase frequency to the right, amplitude frequency upwards, the index as colour; forbidden pairs hatched.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumHeight(52)
        self._shown: Comodulogram | None = None
        self._bands: CouplingBands | None = None

    def set_comodulogram(self, shown: Comodulogram | None, bands: CouplingBands | None = None) -> None:
        """The newest; `bands` are framed."""
        self._shown, self._bands = shown, bands
        self.update()

    def text_at(self, point: QPointF) -> str:
        """What the cell under a point of the widget says; "" beside all."""
        shown, box = self._shown, self._box
        if shown is None or not box.contains(point):
            return ""
        i = min(int((point.x() - box.left()) / box.width() * shown.mi.shape[0]), shown.mi.shape[0] - 1)
        j = min(int((box.bottom() - point.y()) / box.height() * shown.mi.shape[1]), shown.mi.shape[1] - 1)
        slow, fast = (
            shown.grid.phase_band(shown.grid.phase_hz[i]),
            shown.grid.amplitude_band(shown.grid.amplitude_hz[j]),
        )
        name = f"<b>phase {slow[0]:g}–{slow[1]:g} Hz, amplitude {fast[0]:g}–{fast[1]:g} Hz</b>"
        return f"{name}<br>{shown.why_not[i][j] or f'modulation index {shown.mi[i, j]:.4f}'}"

    def event(self, event: QEvent) -> bool:
        """Resting on a cell tells its value, or why it has none."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.text_at(QPointF(event.pos())), self)
            return True
        return super().event(event)

    @property
    def _box(self) -> QRectF:
        return QRectF(LEFT_PX, 4, self.width() - LEFT_PX - 2, self.height() - 6 - BOTTOM_PX)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Cells, axes, the bands of the map."""
        painter = QPainter(self)
        painter.setFont(theme.font(SMALL_PT))
        box = self._box
        painter.fillRect(box, theme.colour(theme.RAISED))
        if self._shown is not None:
            self._paint_cells(painter, box, self._shown)
            self._paint_axes(painter, box, self._shown)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_bands(painter, box, self._shown)
        painter.end()

    def _paint_cells(self, painter: QPainter, box: QRectF, shown: Comodulogram) -> None:
        top = float(np.nanmax(shown.mi)) if shown.peak_hz else 0.0
        painter.drawImage(box, image_of(SEQUENTIAL.rgb(shown.mi.T[::-1] / (top or 1.0))))
        n_phase, n_amplitude = shown.mi.shape
        width, height = box.width() / n_phase, box.height() / n_amplitude
        forbidden = QPainterPath()
        for i, j in np.argwhere(np.isnan(shown.mi)).tolist():
            forbidden.addRect(QRectF(box.left() + i * width, box.bottom() - (j + 1) * height, width, height))
        painter.fillPath(forbidden, theme.colour(theme.SURFACE))
        painter.fillPath(forbidden, QBrush(theme.colour(theme.LINE), Qt.BrushStyle.BDiagPattern))

    def _paint_axes(self, painter: QPainter, box: QRectF, shown: Comodulogram) -> None:
        painter.setPen(theme.colour(theme.FAINT))
        painter.drawText(QPointF(0, box.bottom() + BOTTOM_PX - 3), "Hz")
        slow, fast = shown.grid.phase_hz, shown.grid.amplitude_hz
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        for hz in _few(fast, max(2, int(box.height() // 26))):
            y = box.bottom() - _place(hz, fast) * box.height()
            painter.drawText(QRectF(0, y - 8, LEFT_PX - 4, 16), middle, f"{hz:g}")
        for hz in _few(slow, 5):
            x = box.left() + _place(hz, slow) * box.width()
            painter.drawText(QRectF(x - 15, box.bottom() + 1, 30, BOTTOM_PX), Qt.AlignmentFlag.AlignHCenter, f"{hz:g}")

    def _paint_bands(self, painter: QPainter, box: QRectF, shown: Comodulogram) -> None:
        if self._bands is None:
            return
        (left, right), (low, high) = self._bands.phase_hz, self._bands.amplitude_hz
        slow, fast = shown.grid.phase_hz, shown.grid.amplitude_hz
        corner = QPointF(
            box.left() + _place(left, slow) * box.width(), box.bottom() - _place(high, fast) * box.height()
        )
        other = QPointF(box.left() + _place(right, slow) * box.width(), box.bottom() - _place(low, fast) * box.height())
        painter.save()
        painter.setClipRect(box.adjusted(-1, -1, 1, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.colour(theme.TEXT, 0.85), 1.2))
        painter.drawRect(QRectF(corner, other))
        painter.restore()


class RampLegend(QWidget):
    """A ramp with its ends, and what rings and hollow electrodes mean."""

    def __init__(self, ramp: Ramp, marks: bool) -> None:
        super().__init__()
        self.setFixedHeight(18)
        self._ramp, self._marks = ramp, marks
        self._texts = ("", "")

    def set_ends(self, low: str, high: str) -> None:
        """What stands beside the ramp."""
        if (low, high) != self._texts:
            self._texts = low, high
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """The ramp at the left, the marks after it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.tabular(SMALL_PT + 0.5))
        x = self._paint_ramp(painter) + 18
        if self._marks:
            x = self._paint_mark(painter, x, "p < .05 of all channels", ring=True) + 16
        self._paint_mark(painter, x, "left out", ring=False)
        painter.end()

    def _paint_ramp(self, painter: QPainter) -> float:
        low, high = self._texts
        metrics, middle = painter.fontMetrics(), self.height() / 2
        left = metrics.horizontalAdvance(low) + 6.0
        box = QRectF(left, middle - 4, 74, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QBrush(self._ramp.gradient(box.left(), box.right())))
        painter.drawRoundedRect(box, 2, 2)
        painter.setPen(theme.colour(theme.MUTED))
        painter.drawText(QPointF(0, middle + 4), low)
        painter.drawText(QPointF(box.right() + 6, middle + 4), high)
        return box.right() + 6 + metrics.horizontalAdvance(high)

    def _paint_mark(self, painter: QPainter, x: float, text: str, ring: bool) -> float:
        middle = self.height() / 2
        if ring:
            painter.setPen(QPen(theme.colour(theme.TEXT), 2))
            painter.setBrush(self._ramp.colour(0.6))
        else:
            painter.setPen(QPen(theme.colour(LEFT_OUT), 1.2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QPointF(x + 4, middle), 4, 4)
        painter.setPen(theme.colour(theme.MUTED))
        painter.drawText(QPointF(x + 13, middle + 4), text)
        return x + 13 + painter.fontMetrics().horizontalAdvance(text)


def _place(hz: float, centres: tuple[float, ...]) -> float:
    """Where a frequency lies between the outer edges of evenly spaced cells, as a share."""
    step = (centres[-1] - centres[0]) / (len(centres) - 1) if len(centres) > 1 else 1.0
    return (hz - centres[0] + step / 2) / (step * len(centres))


def _few(values: tuple[float, ...], n: int) -> tuple[float, ...]:
    """At most about `n` of the values, evenly spaced."""
    return values[:: max(1, math.ceil(len(values) / n))]
