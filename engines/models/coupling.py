"""Phase-amplitude coupling that a network can learn through: BrainSSD's directional coupling index.

    histogram   h_c(j) = sum over frames t of a_c(t) exp(-d(phi_c(t), mu_j)^2 / 2 sigma_c^2)
    index       I_c = log N + sum over bins j of p_c(j) log p_c(j),  p_c = h_c / sum h_c      = KL(p_c || uniform)

Slow phase phi and fast amplitude a come from short-time Fourier rows with two window lengths on common frame centres.
One window for both is blind: long enough for theta it resolves the modulation sidebands of gamma, and the amplitude
no longer varies. Only the rows needed are computed, as strided convolutions with windowed cosines and sines, so that
the graph is real-valued and exports. `sigma_c` is learned per channel.

Both streams may be one and the same (coupling within a recording) or two of different rates and lengths: see
docs/decisions/0110-frames-of-two-streams.md for how their frames meet. Streams recorded seconds apart hold no
physiological coupling: what the cross index learns is a statistic, to be shown beside `shuffled` and `noise_floor`.

Index and bins: Tort et al. 2010, J Neurophysiol 104:1195; learnable Gaussian bins: BrainSSD. Thread: any.
"""

import math
from collections.abc import Sequence
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
_SMALLEST_WIDTH_RAD = 1e-3
_SMALLEST_SHARE = 1e-8
# A frame weaker than this share of its channel's largest value is rounding, and has no phase.
_NOTHING = 1e-6


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
    """What the index is made of, (batch, channel, frame) on common frames.

    `direction` (batch, channel, frame, 2) is cosine and sine of the phase, zero where there is no phase to be had;
    `amplitude` (batch, channel, frame) has a mean of 1 over frames.
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
        self.register_buffer("phase_rows", rows, persistent=False)
        rows = band_kernel(c.amplitude_hz, c.amplitude_window_s, c.amplitude_sfreq_hz)
        self.register_buffer("amplitude_rows", rows, persistent=False)

    def forward(self, phase_stream: Tensor, amplitude_stream: Tensor) -> Frames:
        """(batch, channel, time) of both streams, in any unit, to `Frames`.

        Raises:
            InputError: a stream is shorter than one amplitude window.
        """
        c = self.config
        phase = _spectrum(phase_stream, self.phase_rows, c.phase_sfreq_hz, c)
        amplitude = _spectrum(amplitude_stream, self.amplitude_rows, c.amplitude_sfreq_hz, c)
        n_frames = max(phase.shape[-2], amplitude.shape[-2])
        return Frames(_repeated(_direction(phase), n_frames), _repeated(_relative_amplitude(amplitude), n_frames))


class CouplingIndex(nn.Module):
    """The index per channel, or of every phase channel with every amplitude channel. Learns one width per channel."""

    centres: Tensor

    def __init__(self, config: CouplingConfig) -> None:
        super().__init__()
        self.config = config
        self.front = PhaseAmplitude(config)
        n = config.n_bins
        centres = (2 * torch.arange(1, n + 1, dtype=torch.float64) - 1 - n) * math.pi / n
        self.register_buffer("centres", centres, persistent=False)
        start = math.log(math.expm1(2 * math.pi / n - _SMALLEST_WIDTH_RAD))  # softplus of it + 1e-3 = 2 pi / N
        self.raw_width = nn.Parameter(torch.full((config.n_channels,), start))

    @property
    def width_rad(self) -> Tensor:
        """(channel,) sigma of the bins."""
        return functional.softplus(self.raw_width) + _SMALLEST_WIDTH_RAD

    def forward(self, phase_stream: Tensor, amplitude_stream: Tensor, pairwise: bool = False) -> Tensor:
        """Streams (batch, channel, time) to the index in nats, 0 without coupling; in [0, 1] if `normalised`.

        Returns (batch, channel); with `pairwise` (batch, phase channel, amplitude channel).

        Raises:
            InputError: a stream is shorter than one amplitude window.
        """
        return self.of(self.front(phase_stream, amplitude_stream), pairwise)

    def of(self, frames: Frames, pairwise: bool = False) -> Tensor:
        """The index of frames that are already there."""
        nearness = self._nearness(frames.direction)  # (batch, channel, bin, frame)
        if pairwise:  # one product (channel x bin, frame) by (frame, channel), several times faster than one a channel
            histogram = nearness.flatten(1, 2) @ frames.amplitude.transpose(1, 2)
            histogram = histogram.reshape(*nearness.shape[:3], -1)  # (batch, phase channel, bin, amplitude channel)
        else:
            histogram = (nearness @ frames.amplitude[..., None])[..., 0]  # (batch, channel, bin)
        share = histogram / histogram.sum(dim=2, keepdim=True)
        index = math.log(self.config.n_bins) + (share * share.clamp_min(_SMALLEST_SHARE).log()).sum(dim=2)
        return index / math.log(self.config.n_bins) if self.config.normalised else index

    def _nearness(self, direction: Tensor) -> Tensor:
        """(batch, channel, frame, 2) to (batch, channel, bin, frame): equal for all bins where there is no phase."""
        centres = self.centres.to(direction.dtype)
        precision = self.width_rad.square().reciprocal()[:, None, None]
        if self.config.kernel == "von-mises":
            towards = torch.stack([centres.cos(), centres.sin()], dim=-1)  # (bin, 2)
            return ((towards @ direction.transpose(-1, -2) - 1) * precision).exp()
        known = (direction.square().sum(dim=-1) > 0.5)[..., None, :]
        cosine, sine = direction[..., None, :, 0], direction[..., None, :, 1]
        apart = torch.atan2(sine, torch.where(known, cosine, 1.0)) - centres[:, None]
        apart = apart - 2 * math.pi * torch.round(apart / (2 * math.pi))
        return (apart.square() * torch.where(known, -0.5 * precision, 0.0)).exp()


def shuffled(index: CouplingIndex, phase_stream: Tensor, amplitude_stream: Tensor, shifts: Sequence[int]) -> Tensor:
    """Surrogates (shift, batch, channel): the phase of trial i with the amplitude of trial i + shift.

    What is the same in every trial (evoked responses, line noise, the floor of a short window) stays in; what belongs
    to the single trial is gone.

    Raises:
        InputError: a shift pairs a trial with itself.
    """
    n_trials = len(phase_stream)
    if not shifts or any(shift % n_trials == 0 for shift in shifts):
        raise InputError(f"shifts {list(shifts)}: expected one or more, none of them a multiple of {n_trials} trials")
    frames = index.front(phase_stream, amplitude_stream)
    return torch.stack([index.of(frames._replace(amplitude=frames.amplitude.roll(-shift, 0))) for shift in shifts])


def noise_floor(
    config: CouplingConfig, n_phase: int, n_amplitude: int | None = None, n_trials: int = 200, seed: int = 0
) -> tuple[float, float]:
    """Mean and standard deviation of the index in white noise of `n_phase` samples, at the widths a model starts with.

    `n_amplitude` is the length of the second stream; None means that phase and amplitude come from the same one.

    Raises:
        InputError: a stream is shorter than one amplitude window.
    """
    random = torch.Generator().manual_seed(seed)
    shape = (n_trials, config.n_channels)
    phase_stream = torch.randn(*shape, n_phase, generator=random, dtype=torch.float64)
    amplitude_stream = phase_stream
    if n_amplitude is not None:
        amplitude_stream = torch.randn(*shape, n_amplitude, generator=random, dtype=torch.float64)
    with torch.inference_mode():
        values = CouplingIndex(config).double()(phase_stream, amplitude_stream)
    return float(values.mean()), float(values.std())


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


def _spectrum(stream: Tensor, rows: Tensor, sfreq_hz: float, config: CouplingConfig) -> Tensor:
    """(batch, channel, time) to (batch, channel, frame, 2), real and imaginary part; rounding is set to zero.

    Frame k is centred k hops after the first, the first where an amplitude window fits at any rate. The longer phase
    windows hang over the ends, where there is nothing: at the ends of a short epoch a phase from half a window is
    better than none.
    """
    batch, n_channels, n_samples = stream.shape
    first, hop, reach = config.frame_grid(sfreq_hz)
    n_frames = (n_samples - 1 - reach - first) // hop + 1
    if n_frames < 1:
        raise InputError(f"a stream of {n_samples / sfreq_hz:g} s is shorter than one amplitude window")
    half = rows.shape[-1] // 2
    centred = stream - stream.mean(dim=-1, keepdim=True)
    start, stop = first - half, first + (n_frames - 1) * hop + half + 1
    padded = functional.pad(centred, (-start, stop - n_samples))  # negative: cut
    spectrum = functional.conv1d(padded.reshape(batch * n_channels, 1, -1), rows.to(stream.dtype), stride=hop)
    spectrum = spectrum.reshape(batch, n_channels, 2, n_frames).transpose(-1, -2)
    least = _NOTHING * stream.detach().abs().amax(dim=-1)[..., None, None]
    return torch.where(spectrum.detach().square().sum(dim=-1, keepdim=True) > least.square(), spectrum, 0.0)


def _magnitude(spectrum: Tensor) -> Tensor:
    """(..., 2) to (...), with a gradient of zero, not infinity, where there is nothing."""
    power = spectrum.square().sum(dim=-1)
    return torch.where(power > 0, torch.where(power > 0, power, 1.0).sqrt(), 0.0)


def _direction(spectrum: Tensor) -> Tensor:
    """(..., 2) to the unit vector of its phase, zero where there is nothing."""
    magnitude = _magnitude(spectrum)[..., None]
    return spectrum / torch.where(magnitude > 0, magnitude, 1.0)


def _relative_amplitude(spectrum: Tensor) -> Tensor:
    """(batch, channel, frame, 2) to magnitudes over their mean; 1 throughout a channel without any."""
    magnitude = _magnitude(spectrum)
    mean = magnitude.mean(dim=-1, keepdim=True)
    return torch.where(mean > 0, magnitude / torch.where(mean > 0, mean, 1.0), 1.0)


def _repeated(frames: Tensor, n_frames: int) -> Tensor:
    """(batch, channel, frame, ...) to `n_frames` by starting again from its first: the shorter stream meets all."""
    times = -(-n_frames // frames.shape[2])
    if times == 1:
        return frames
    return torch.cat([frames] * times, dim=2)[:, :, :n_frames]
