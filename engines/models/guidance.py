"""How far two recordings are coupled, and what that lets through: the guidance of BrainSSD's attention.

The dynamic recording may have only begun: what it holds beyond `n_dynamic` samples is never looked at, and as soon as
it is as long as the static one the result is that of the recording cut off there. A shorter beginning tells nothing
but its own length (few frames alone look coupled), and counts as uncoupled. Thread: any.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.models.coupling import CouplingIndex, by_blocks
from engines.models.frames import CouplingConfig, Frames

Across = Literal["across", "within"]

# The index is told in units of what one second of white noise shows (docs/decisions/0110-frames-of-two-streams.md):
# in nats it is around 0.01, and the first layer would need thousands of steps to hear it.
_UNIT_NATS = 0.02
# Less than this share of a channel's largest value is what rounding leaves of a flat one: the mean of 600 equal
# numbers in single precision is wrong by up to 600 x 2^-24 of them.
_FLAT = 1e-4


class Row(NamedTuple):
    """Which recording gives the phase and which the amplitude of one row of the coupling."""

    phase: Literal["static", "dynamic"]
    amplitude: Literal["static", "dynamic"]


ROWS: dict[Across, tuple[Row, Row]] = {
    "across": (Row("static", "dynamic"), Row("dynamic", "static")),
    "within": (Row("static", "static"), Row("dynamic", "dynamic")),
}


class StreamCoupling(nn.Module):
    """Index per channel of both rows, (batch, 2, channel) in nats; 0 where the dynamic recording is too short.

    Each row learns bin widths of its own. `configs` belong to `rows`; the dynamic recording is as long as the static
    one with `least` samples, `dynamic_sfreq_hz` of them a second.
    """

    def __init__(
        self, rows: tuple[Row, Row], configs: tuple[CouplingConfig, CouplingConfig], dynamic_sfreq_hz: float, least: int
    ) -> None:
        super().__init__()
        self.rows = rows
        self.dynamic_sfreq_hz = dynamic_sfreq_hz
        self.least = least
        self.first = CouplingIndex(configs[0])
        self.second = CouplingIndex(configs[1])

    def forward(self, static: Tensor, dynamic: Tensor, n_dynamic: Tensor) -> Tensor:
        """(batch, channel, time) of both, in any unit, and how many samples of the second are there, (batch,)."""
        return by_blocks(self._measured, static, dynamic, n_dynamic)

    def _measured(self, static: Tensor, dynamic: Tensor, n_dynamic: Tensor) -> Tensor:
        streams = {"static": static, "dynamic": _centred_beginning(dynamic, n_dynamic)}
        found = []
        for row, index in zip(self.rows, (self.first, self.second), strict=True):
            frames = index.front(streams[row.phase], streams[row.amplitude])
            found.append(self._of_beginning(index, frames, n_dynamic) if "dynamic" in row else index.of(frames))
        return torch.stack(found, dim=1)

    def _of_beginning(self, index: CouplingIndex, frames: Frames, n_dynamic: Tensor) -> Tensor:
        """The index over the frames that the first `n_dynamic` samples fill; 0 if they are fewer than `least`."""
        enough = n_dynamic[:, None] >= self.least  # (batch, 1)
        # Without enough all frames are kept, so that the histogram holds something and its gradient is a number.
        filled = self._filled(index.config, frames.amplitude.shape[-1], n_dynamic) | ~enough
        amplitude = torch.where(filled[:, None], frames.amplitude, 0.0)
        return torch.where(enough, index.of(frames._replace(amplitude=amplitude)), 0.0)

    def _filled(self, config: CouplingConfig, n_frames: int, n_dynamic: Tensor) -> Tensor:
        """(batch, frame) bool: frames whose amplitude window lies within the first `n_dynamic` samples."""
        first, hop, reach = config.frame_grid(self.dynamic_sfreq_hz)
        return first + reach + hop * torch.arange(n_frames, device=n_dynamic.device) < n_dynamic[:, None]


class Gates(nn.Module):
    """Coupling (batch, 2, channel) to factors between 0 and 1, (batch, level, head).

    Perceptron 2 x channel -> hidden -> level x head, sigmoid. Published formula (third-party note): one factor per
    head from both rows. Our reconstruction: the hidden layer is shared by the levels, and the unit of its input.
    """

    def __init__(self, n_channels: int, hidden: int, levels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.hidden = nn.Linear(2 * n_channels, hidden)
        self.out = nn.Linear(hidden, levels * heads)

    def forward(self, coupling: Tensor) -> Tensor:
        """One step."""
        hidden = functional.gelu(self.hidden(coupling.flatten(1) / _UNIT_NATS))
        gates: Tensor = self.out(hidden).sigmoid()
        return gates.reshape(gates.shape[0], -1, self.heads)


def _centred_beginning(stream: Tensor, n_valid: Tensor) -> Tensor:
    """The first `n_valid` samples without their mean, zeros behind them; zeros throughout where that is but rounding.

    What rounding leaves of a flat channel would end in a step behind the last sample, and look like all its amplitude.
    """
    there = torch.arange(stream.shape[-1], device=stream.device) < n_valid[:, None, None]
    known = torch.where(there, stream, 0.0)
    mean = known.sum(dim=-1, keepdim=True) / n_valid[:, None, None].clamp_min(1)
    centred = torch.where(there, known - mean, 0.0)
    least = _FLAT * known.detach().abs().amax(dim=-1, keepdim=True)
    return torch.where(centred.detach().abs().amax(dim=-1, keepdim=True) > least, centred, 0.0)
