"""What phase-amplitude coupling is measured on: frames with the phase of one stream and the amplitude of another.

Both come from short-time Fourier rows with two window lengths on common frame centres. One window for both is blind:
long enough for theta it resolves the modulation sidebands of gamma, and the amplitude no longer varies. Only the rows
needed are computed, as strided convolutions with windowed cosines and sines, so that the graph is real-valued and
exports. How frames of streams of two lengths meet: docs/decisions/0110-frames-of-two-streams.md. Thread: any.
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.errors import InputError

Band = tuple[float, float]
THETA_HZ: Band = (4.0, 7.5)
ALPHA_HZ: Band = (8.0, 13.0)
GAMMA_HZ: Band = (30.0, 45.0)

_HIGHEST_OF_RATE = 0.45
_PHASE_WINDOWS_S = (0.25, 0.6)
_LONGEST_HOP_S = 0.02
# A frame weaker than this share of its channel's largest value is rounding, and has no phase.
_NOTHING = 1e-6
# Frames that one step of a convolution gives.
_AT_ONCE = 8


@dataclass(frozen=True)
class CouplingConfig:
    """Which phase of which stream modulates which amplitude of which stream.

    The rates are equal for coupling within one stream. `kernel` "gaussian" is the published one on wrapped phase
    differences; "von-mises" exp((cos d - 1) / sigma^2) agrees to second order in d and needs neither arcus tangent
    nor wrapping. `normalised` divides by log N, which makes the index comparable with Tort's in [0, 1].

    Raises:
        InputError: the bands, windows or hop cannot show coupling; the message gives the reason.
    """

    phase_sfreq_hz: float
    amplitude_sfreq_hz: float
    n_channels: int = 64
    phase_hz: Band = THETA_HZ
    amplitude_hz: Band = GAMMA_HZ
    n_bins: int = 18
    phase_window_s: float = 0.5
    amplitude_window_s: float = 0.076
    hop_s: float = 0.02
    kernel: Literal["gaussian", "von-mises"] = "gaussian"
    normalised: bool = False

    def __post_init__(self) -> None:
        """Refuse what could only measure an artefact."""
        self._check_band("phase", self.phase_hz, self.phase_sfreq_hz)
        self._check_band("amplitude", self.amplitude_hz, self.amplitude_sfreq_hz)
        self._check_bands_together()
        self._check_frames()

    def _check_band(self, what: str, band_hz: Band, sfreq_hz: float) -> None:
        low, high = band_hz
        highest = _HIGHEST_OF_RATE * sfreq_hz
        if not 0 < low < high <= highest:
            raise InputError(
                f"{what} band {low:g}-{high:g} Hz: expected 0 < low < high <= {highest:g} Hz, 0.45 x the stream's "
                f"{sfreq_hz:g} Hz; choose a lower band or a faster stream"
            )

    def _check_bands_together(self) -> None:
        low, high = self.amplitude_hz
        if low <= self.phase_hz[1]:
            raise InputError(
                f"amplitude band {low:g}-{high:g} Hz: expected one above the phase band, "
                f"which ends at {self.phase_hz[1]:g} Hz"
            )
        if high - low < 2 * self.phase_hz[1]:
            raise InputError(
                f"amplitude band {low:g}-{high:g} Hz is {high - low:g} Hz wide: modulation by a phase of "
                f"{self.phase_hz[1]:g} Hz has sidebands on both sides, which need {2 * self.phase_hz[1]:g} Hz; "
                "widen the amplitude band or lower the phase band"
            )

    def _check_frames(self) -> None:
        shortest, longest = _PHASE_WINDOWS_S
        if not shortest <= self.phase_window_s <= longest:
            raise InputError(
                f"phase window {self.phase_window_s:g} s: expected {shortest:g} to {longest:g} s, "
                "long enough for a slow cycle and short enough to follow its phase"
            )
        if not 3 <= self.amplitude_window_s * self.amplitude_sfreq_hz <= self.amplitude_sfreq_hz / self.phase_hz[1]:
            raise InputError(
                f"amplitude window {self.amplitude_window_s:g} s: expected three samples or more and at most one cycle "
                f"of the phase, {1 / self.phase_hz[1]:.3g} s; a longer one averages the modulation away"
            )
        hops = [self.hop_s * sfreq_hz for sfreq_hz in (self.phase_sfreq_hz, self.amplitude_sfreq_hz)]
        if not 0 < self.hop_s <= _LONGEST_HOP_S or any(abs(hop - round(hop)) > 1e-9 for hop in hops):
            raise InputError(
                f"hop {self.hop_s:g} s: expected at most {_LONGEST_HOP_S:g} s and whole samples of both streams, "
                f"got {hops[0]:g} and {hops[1]:g} samples"
            )
        if self.n_bins < 2 or self.n_channels < 1:
            raise InputError(f"expected 2 bins and 1 channel or more, got {self.n_bins} and {self.n_channels}")

    def frame_grid(self, sfreq_hz: float) -> tuple[int, int, int]:
        """Samples to the first frame's centre, from frame to frame, and from a centre to the last sample it needs."""
        hop = round(self.hop_s * sfreq_hz)
        edge_s = self.amplitude_window_s / 2
        return math.ceil(edge_s / self.hop_s - 1e-9) * hop, hop, math.floor(edge_s * sfreq_hz + 1e-9)


class Frames(NamedTuple):
    """What the index is made of.

    `direction` (batch, channel, 2, phase frame) is cosine and sine of the phase, zero where there is no phase to be
    had; `amplitude` (batch, channel, frame) has a mean of 1 over the frames of its stream. There are as many frames as
    the longer stream has; phase frames may be fewer, and start again behind their last.
    """

    direction: Tensor
    amplitude: Tensor


class PhaseAmplitude(nn.Module):
    """Front end: the phase of one stream and the amplitude of another (or the same) on common frames. No parameters."""

    phase_rows: Tensor
    amplitude_rows: Tensor

    def __init__(self, config: CouplingConfig) -> None:
        super().__init__()
        self.config = config
        c = config
        rows = band_kernel(c.phase_hz, c.phase_window_s, c.phase_sfreq_hz)
        self.register_buffer("phase_rows", _many_frames(rows, c.frame_grid(c.phase_sfreq_hz)[1]), persistent=False)
        rows = band_kernel(c.amplitude_hz, c.amplitude_window_s, c.amplitude_sfreq_hz)
        rows = _many_frames(rows, c.frame_grid(c.amplitude_sfreq_hz)[1])
        self.register_buffer("amplitude_rows", rows, persistent=False)

    def forward(self, phase_stream: Tensor, amplitude_stream: Tensor) -> Frames:
        """(batch, channel, time) of both streams, in any unit, to `Frames`.

        Raises:
            InputError: a stream is shorter than one amplitude window.
        """
        c = self.config
        direction = _direction(*_spectrum(phase_stream, self.phase_rows, c.phase_sfreq_hz, c))
        _, power = _spectrum(amplitude_stream, self.amplitude_rows, c.amplitude_sfreq_hz, c)
        return Frames(direction, _repeated(_relative_amplitude(power), direction.shape[-1]))


def band_kernel(band_hz: Band, window_s: float, sfreq_hz: float) -> Tensor:
    """(2, 1, taps) cosine and sine rows of the band, summed, under one Hann window; float64, an odd number of taps.

    Rows are about 1 / window apart and share their phase at the window's centre: the sum of their spectra is then the
    spectrum of the band, and one convolution. A constant gives exactly nothing, a sine in the band its amplitude.
    """
    half = int((window_s * sfreq_hz - 1) / 2 + 1e-9)
    t_s = torch.arange(-half, half + 1, dtype=torch.float64) / sfreq_hz
    low, high = band_hz
    n_rows = max(1, round((high - low) * window_s))
    rows_hz = low + (torch.arange(n_rows, dtype=torch.float64) + 0.5) * (high - low) / n_rows
    window = 0.5 + 0.5 * torch.cos(math.pi * torch.arange(-half, half + 1, dtype=torch.float64) / (half + 1))
    angle = 2 * math.pi * rows_hz[:, None] * t_s
    cosine, sine = angle.cos().sum(dim=0), angle.sin().sum(dim=0)
    cosine = cosine - (window * cosine).sum() / window.sum()
    # X(f) = sum x(t) exp(-i 2 pi f t): the phase of cos(2 pi f t + phi) at the centre is +phi.
    return torch.stack([window * cosine, -window * sine])[:, None] * (2 / window.sum())


def _many_frames(rows: Tensor, hop: int) -> Tensor:
    """(2, 1, taps) of one frame to (2 x _AT_ONCE, 1, more taps) of so many frames, one hop apart.

    The same sums: a convolution with one channel in and sixteen out takes a twelfth of the time of one with two out.
    """
    taps = rows.shape[-1]
    many = rows.new_zeros(2, _AT_ONCE, 1, (_AT_ONCE - 1) * hop + taps)
    for k in range(_AT_ONCE):
        many[:, k, :, k * hop : k * hop + taps] = rows
    return many.flatten(0, 1)


def _spectrum(stream: Tensor, rows: Tensor, sfreq_hz: float, config: CouplingConfig) -> tuple[Tensor, Tensor]:
    """(batch, channel, time) to (batch, channel, 2, frame), real and imaginary part, and the power (batch, channel,
    frame), 0 where it is but rounding.

    Frame k is centred k hops after the first, the first where an amplitude window fits at any rate. The longer phase
    windows hang over the ends, where there is nothing: at the ends of a short epoch a phase from half a window is
    better than none.
    """
    batch, n_channels, n_samples = stream.shape
    first, hop, reach = config.frame_grid(sfreq_hz)
    n_frames = (n_samples - 1 - reach - first) // hop + 1
    if n_frames < 1:
        raise InputError(f"a stream of {n_samples / sfreq_hz:g} s is shorter than one amplitude window")
    half = (rows.shape[-1] - (_AT_ONCE - 1) * hop) // 2
    n_steps = -(-n_frames // _AT_ONCE)
    centred = stream - stream.mean(dim=-1, keepdim=True)
    start, stop = first - half, first + (n_steps * _AT_ONCE - 1) * hop + half + 1
    padded = functional.pad(centred, (-start, stop - n_samples))  # negative: cut
    padded = padded.reshape(batch * n_channels, 1, -1)
    spectrum = functional.conv1d(padded, rows.to(stream.dtype), stride=_AT_ONCE * hop)
    spectrum = spectrum.reshape(batch, n_channels, 2, _AT_ONCE, n_steps).transpose(-1, -2)
    spectrum = spectrum.reshape(batch, n_channels, 2, -1)[..., :n_frames]
    real, imaginary = spectrum.unbind(dim=2)
    power = real.square() + imaginary.square()
    least = _NOTHING * stream.detach().abs().amax(dim=-1, keepdim=True)
    return spectrum, torch.where(power > least.square(), power, 0.0)


def _direction(spectrum: Tensor, power: Tensor) -> Tensor:
    """(batch, channel, 2, frame) of length 1, or 0 where there is no power, with a gradient of zero."""
    there = power > 0
    per_length = torch.where(there, torch.where(there, power, 1.0).rsqrt(), 0.0)
    return spectrum * per_length[:, :, None]


def _relative_amplitude(power: Tensor) -> Tensor:
    """(batch, channel, frame) to amplitudes over their mean; 1 throughout a channel without any."""
    there = power > 0
    magnitude = torch.where(there, torch.where(there, power, 1.0).sqrt(), 0.0)  # a gradient of zero, not infinity
    mean = magnitude.mean(dim=-1, keepdim=True)
    return torch.where(mean > 0, magnitude / torch.where(mean > 0, mean, 1.0), 1.0)


def _repeated(frames: Tensor, n_frames: int) -> Tensor:
    """(batch, channel, frame) to `n_frames` or more by starting again from its first: the shorter stream meets all."""
    times = -(-n_frames // frames.shape[-1])
    if times == 1:
        return frames
    return torch.cat([frames] * times, dim=-1)[..., :n_frames]


def folded(frames: Tensor, n_frames: int) -> Tensor:
    """(batch, channel, frame) to sums (batch, channel, `n_frames`) over the frames that meet the same phase."""
    batch, n_channels, n = frames.shape
    times = -(-n // n_frames)
    if times == 1:
        return frames
    padded = functional.pad(frames, (0, times * n_frames - n))
    return padded.reshape(batch, n_channels, times, n_frames).sum(dim=2)
