"""The differentiable coupling map, 64 x 64 channels, 2 s: one training step beside the same map as one first writes it.

The plain version takes `torch.stft` with the same windows on the same frames, sums the band's rows, and weighs the bins
by Gaussians of the wrapped phase difference, pair by pair.
"""

import math
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor

from engines.models.coupling import CouplingIndex
from engines.models.frames import CouplingConfig
from tests.bench.measure import ROUNDS, seconds_each, show
from tests.bench.rows import Row

GOAL = "ratio <= 0.125"


class Plain(torch.nn.Module):
    """The map from whole spectrograms."""

    def __init__(self, config: CouplingConfig) -> None:
        super().__init__()
        self.config = config
        n = config.n_bins
        self.centres = (2 * torch.arange(1, n + 1) - 1 - n) * math.pi / n
        self.width = torch.nn.Parameter(torch.full((config.n_channels,), 2 * math.pi / n))

    def forward(self, stream: Tensor) -> Tensor:
        c = self.config
        slow = self._band(stream, c.phase_window_s, c.phase_hz)
        fast = self._band(stream, c.amplitude_window_s, c.amplitude_hz)
        amplitude = fast.abs() / fast.abs().mean(dim=-1, keepdim=True)
        apart = slow.angle()[:, :, None] - self.centres[:, None]
        apart = torch.atan2(apart.sin(), apart.cos())
        nearness = torch.exp(-(apart**2) / (2 * self.width[:, None, None] ** 2))
        histogram = torch.einsum("bpjt,bat->bpaj", nearness, amplitude)
        share = histogram / histogram.sum(dim=-1, keepdim=True)
        return math.log(c.n_bins) + (share * share.clamp_min(1e-8).log()).sum(dim=-1)

    def _band(self, stream: Tensor, window_s: float, band_hz: tuple[float, float]) -> Tensor:
        sfreq_hz = self.config.phase_sfreq_hz
        n = 2 * int((window_s * sfreq_hz - 1) / 2) + 1
        size = round(sfreq_hz)  # rows 1 Hz apart, so that a narrow band has some
        spectrum = torch.stft(
            stream.flatten(0, 1),
            n_fft=size,
            hop_length=round(self.config.hop_s * sfreq_hz),
            win_length=n,
            window=torch.hann_window(n, periodic=False),
            return_complex=True,
        )
        freqs_hz = torch.fft.rfftfreq(size, 1 / sfreq_hz)
        rows = (freqs_hz >= band_hz[0]) & (freqs_hz <= band_hz[1])
        phases = torch.exp(2j * math.pi * freqs_hz[rows] * (size // 2) / sfreq_hz)[:, None]  # as seen from the centre
        return (spectrum[:, rows] * phases).sum(dim=1).unflatten(0, stream.shape[:2])


def step(model: torch.nn.Module, map_of: Callable[[Tensor], Tensor], stream: Tensor) -> Callable[[], None]:
    """Forward and backward, to the stream and the widths."""

    def run() -> None:
        model.zero_grad()
        stream.grad = None
        map_of(stream).square().mean().backward()

    return run


def main() -> None:
    torch.set_num_threads(1)
    for sfreq_hz in (250.0, 1000.0):
        config = CouplingConfig(sfreq_hz, sfreq_hz, kernel="von-mises")
        ours, plain = CouplingIndex(config), Plain(config)
        generator = torch.Generator().manual_seed(0)
        stream = torch.randn(1, 64, round(2 * sfreq_hz), generator=generator, requires_grad=True)
        maps: dict[str, Callable[[Tensor], Tensor]] = {
            "ours": lambda x, m=ours: m(x, x, pairwise=True),
            "plain": plain,
        }
        alike = _correlation(maps["ours"](stream), maps["plain"](stream))
        forward = {name: lambda f=f, x=stream: f(x) for name, f in maps.items()}
        both = {name: step({"ours": ours, "plain": plain}[name], f, stream) for name, f in maps.items()}
        for what, calls, goal in (("forward", forward, ""), ("training step", both, GOAL)):
            ms = {n: s * 1e3 for n, s in seconds_each(calls, 5, ROUNDS, time.process_time).items()}
            text = f"differentiable 64 x 64 map, {what}, 2 s at {sfreq_hz:g} Hz"
            note = f"maps correlate {alike:.3f}"
            show(Row("coupling_torch", text, ms["ours"], "ms", ms["plain"], "plain torch.stft", goal, note))


def _correlation(one: Tensor, other: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([one.detach().flatten(), other.detach().flatten()]))[0, 1])


if __name__ == "__main__":
    sys.exit(main())
