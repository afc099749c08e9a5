"""Phase-amplitude coupling that a network can learn through: BrainSSD's directional coupling index.

    histogram   h_c(j) = sum over frames t of a_c(t) exp(-d(phi_c(t), mu_j)^2 / 2 sigma_c^2)
    index       I_c = log N + sum over bins j of p_c(j) log p_c(j),  p_c = h_c / sum h_c      = KL(p_c || uniform)

Slow phase phi and fast amplitude a come on frames (engines/models/frames.py); `sigma_c` is learned per channel.

Both streams may be one and the same (coupling within a recording) or two of different rates and lengths. Streams
recorded seconds apart hold no physiological coupling: what the cross index learns is a statistic, to be shown beside
`shuffled` and `noise_floor`. Recordings need no gradient, which makes it cheap:
docs/decisions/0155-coupling-in-training.md.

Index and bins: Tort et al. 2010, J Neurophysiol 104:1195; learnable Gaussian bins: BrainSSD. Thread: any.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.errors import InputError
from engines.models.frames import CouplingConfig, Frames, PhaseAmplitude, folded

_SMALLEST_WIDTH_RAD = 1e-3
_SMALLEST_SHARE = 1e-8
# Samples that are measured at once on a CPU; twenty times as many values lie between them and the index.
_BLOCK = 2**17


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
        if pairwise:
            return self.of(self.front(phase_stream, amplitude_stream), pairwise=True)
        return by_blocks(lambda phase, amplitude: self.of(self.front(phase, amplitude)), phase_stream, amplitude_stream)

    def of(self, frames: Frames, pairwise: bool = False) -> Tensor:
        """The index of frames that are already there."""
        frames = Frames(frames.direction, folded(frames.amplitude, frames.direction.shape[-1]))
        histogram = self._pairs(frames) if pairwise else self._histogram(frames)
        share = histogram / histogram.sum(dim=2, keepdim=True)
        index = math.log(self.config.n_bins) + (share * share.clamp_min(_SMALLEST_SHARE).log()).sum(dim=2)
        return index / math.log(self.config.n_bins) if self.config.normalised else index

    def _pairs(self, frames: Frames) -> Tensor:
        """(batch, phase channel, bin, amplitude channel)."""
        nearness = self._nearness(frames.direction)
        # One product (channel x bin, frame) by (frame, channel), several times faster than one a channel.
        histogram = nearness.flatten(1, 2) @ frames.amplitude.transpose(1, 2)
        return histogram.reshape(*nearness.shape[:3], -1)

    def _histogram(self, frames: Frames) -> Tensor:
        """(batch, channel, bin)."""
        if torch.compiler.is_exporting() or _flows_back(frames):
            return _weighed(frames.amplitude, self._nearness(frames.direction))
        # All that is learned is one number per channel, and the derivative by it is a second sum over the same frames:
        # nothing of their size is kept. Value and gradient are exact; a second derivative is not there.
        away, precision = self._away(frames.direction), self._precision
        nearness = (away * precision.detach()).exp_()
        values = _weighed(frames.amplitude, nearness)
        if not (torch.is_grad_enabled() and precision.requires_grad):
            return values
        slopes = _weighed(frames.amplitude, nearness.mul_(away))
        return values + (precision - precision.detach())[..., 0] * slopes

    @property
    def _precision(self) -> Tensor:
        """(channel, 1, 1) 1 / sigma^2."""
        return self.width_rad.square().reciprocal()[:, None, None]

    def _nearness(self, direction: Tensor) -> Tensor:
        """(batch, channel, 2, frame) to (batch, channel, bin, frame): equal for all bins where there is no phase."""
        return (self._away(direction) * self._precision).exp()

    def _away(self, direction: Tensor) -> Tensor:
        """(batch, channel, 2, frame) to the logarithm of the kernel of width 1 at each bin, 0 or less."""
        centres = self.centres.to(direction.dtype)
        if self.config.kernel == "von-mises":
            towards = torch.stack([centres.cos(), centres.sin()], dim=-1)  # (bin, 2)
            return towards @ direction - 1
        cosine, sine = direction.unbind(dim=2)
        known = cosine.square() + sine.square() > 0.5
        phase = torch.atan2(sine, torch.where(known, cosine, 1.0))
        apart = (phase[..., None, :] - centres[:, None]).abs()
        apart = torch.minimum(apart, 2 * math.pi - apart)  # the other way round
        return apart.square() * torch.where(known, -0.5, 0.0)[..., None, :]


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


def by_blocks(measure: Callable[..., Tensor], *streams: Tensor) -> Tensor:
    """`measure(*streams)`, on a CPU a few trials at a time: what it needs in between then stays in the cache.

    `measure` treats each trial by itself. Streams that want a gradient are measured in one piece.
    """
    if torch.compiler.is_exporting() or _flows_back(streams) or streams[0].device.type != "cpu":
        return measure(*streams)
    per_trial = max(stream[0].numel() for stream in streams)
    n_trials = max(1, _BLOCK // per_trial)
    return torch.cat(
        [measure(*block) for block in zip(*(torch.split(part, n_trials) for part in streams), strict=True)]
    )


def _flows_back(tensors: Sequence[Tensor]) -> bool:
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)


def _weighed(amplitude: Tensor, nearness: Tensor) -> Tensor:
    """(batch, channel, frame) and (batch, channel, bin, frame) to sums (batch, channel, bin).

    As a row times a matrix: a matrix times a column takes ten times as long on the CPU.
    """
    return (amplitude[..., None, :] @ nearness.transpose(-1, -2))[..., 0, :]
