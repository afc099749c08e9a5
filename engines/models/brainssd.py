"""BrainSSD: two recordings of one trial, the picture and the turn, fused level by level under their own coupling.

    static  (64 x 250, 250 Hz) -> three Transformer levels -> S_1 S_2 S_3    tokens of 20 ms
    dynamic (64 x 600, 100 Hz) -> three Transformer levels -> D_1 D_2 D_3    tokens of 120 ms
    coupling of static phase with dynamic amplitude and the reverse (2 x 64) -> g_pac -> one gate per level and head
    O_k = level with queries S_k over keys and values D_k, scores gated;   L = sum over k of softmax(alpha)_k O_k
    L (50 tokens x 64) -> embedding (1024) -> category (72), colour (6)

Provenance. Published formula (third-party note on the paper, which was not seen): coupling index, sigmoid gate per
head on the scores before the softmax, aggregation by softmax(alpha), three levels, two linear classifiers on the
embedding. Read in public code of its predecessor Neuro-3D: width 64, feed-forward 2048, norm behind, cross block with
feed-forward 256, the head (norm, GELU, dropout 0.25). Our reconstruction: everything else, above all where tokens are
pooled, the hidden width of g_pac, heads, and the path from L to the embedding: docs/decisions/0130-brainssd-sizes.md.

Anytime. `n_dynamic` says how many samples of the turn are there; none is allowed. What lies behind them is never
looked at: whole tokens of the beginning are attended and coupled, the rest is masked. The static path alone answers,
because queries keep their own way past the attention (docs/decisions/0131-answers-before-the-turn-ends.md).

The recordings are made seconds apart: coupling across them is a learned statistic, no physiology. Its controls are
`coupling="within"`, and surrogates (`engines.models.coupling.shuffled`).

Thread: any, one at a time.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.errors import InputError
from engines.models.bands import coupling_of
from engines.models.base import Network
from engines.models.frames import CouplingConfig
from engines.models.guidance import ROWS, Across, Gates, StreamCoupling
from engines.models.layers import Gated, Level, Norm, sinusoids
from engines.models.whitening import Whitening
from engines.spec import Spec, TensorSpec, batch_of

Streams = Literal["both", "static", "dynamic", "concatenation"]


@dataclass(frozen=True)
class BrainSsdConfig:
    """Sizes and switches. Each departure from the defaults is one ablation: `VARIANTS` names them.

    `streams`: "both" fuses by attention, "concatenation" by putting features side by side, the others leave one out.
    `pac`: whether coupling gates the attention. `coupling`: between the recordings, or within either (a control).
    `gated`: "scores" before the softmax (the literal reading; a closed gate flattens), "weights" after it (silences).
    `pyramid`: the first level runs on samples and its tokens are pooled for the next, else all levels on pooled tokens.

    Raises:
        InputError: sizes that do not fit together, switches that contradict, or bands the rates cannot carry.
    """

    n_channels: int = 64
    static_sfreq_hz: float = 250.0
    static_samples: int = 250
    dynamic_sfreq_hz: float = 100.0
    dynamic_samples: int = 600
    streams: Streams = "both"
    levels: int = 3
    pyramid: bool = True
    pac: bool = True
    coupling: Across = "across"
    phase: str = "theta"
    amplitude: str = "gamma"
    gated: Gated = "scores"
    gate_width: int = 2048
    width: int = 64
    heads: int = 4
    feed_forward: int = 2048
    cross_feed_forward: int = 256
    norm: Norm = "post"
    tokens: int = 50
    token_width: int = 24
    dim: int = 1024
    categories: int = 72
    colours: int = 6
    dropout: float = 0.25

    def __post_init__(self) -> None:
        """Refuse what could not run, or would silently do something else."""
        for name, samples in (("static", self.static_samples), ("dynamic", self.dynamic_samples)):
            if samples % self.tokens:
                raise InputError(f"{name} stream: expected a multiple of {self.tokens} tokens; got {samples} samples")
        if self.levels < 1 or self.width % self.heads:
            raise InputError(
                f"expected one level or more and a width the heads share evenly; "
                f"got {self.levels} levels, width {self.width}, {self.heads} heads"
            )
        if self.pac and self.streams != "both":
            raise InputError(f"coupling gates attention between both streams; with {self.streams!r} set pac=False")
        if self.pac:
            self.couplings()

    def couplings(self) -> tuple[CouplingConfig, CouplingConfig]:
        """Both rows of the coupling.

        Raises:
            InputError: a rate cannot carry the bands, or the turn is shorter than the picture.
        """
        if self.least_dynamic > self.dynamic_samples:
            raise InputError(
                f"expected a dynamic stream as long as the static one, {self.least_dynamic} samples or more; "
                f"got {self.dynamic_samples}"
            )
        sfreq_hz = {"static": self.static_sfreq_hz, "dynamic": self.dynamic_sfreq_hz}
        first, second = (
            coupling_of(
                self.phase, self.amplitude, sfreq_hz[row.phase], sfreq_hz[row.amplitude], n_channels=self.n_channels
            )
            for row in ROWS[self.coupling]
        )
        return first, second

    @property
    def least_dynamic(self) -> int:
        """Samples of the dynamic stream that last as long as the whole static one."""
        return math.ceil(self.static_samples / self.static_sfreq_hz * self.dynamic_sfreq_hz - 1e-9)


FULL = BrainSsdConfig()
VARIANTS = MappingProxyType(
    {
        "brainssd": FULL,
        "without hierarchy": replace(FULL, levels=1),
        "without coupling": replace(FULL, pac=False),
        "static only": replace(FULL, streams="static", pac=False),
        "dynamic only": replace(FULL, streams="dynamic", pac=False),
        "concatenation": replace(FULL, streams="concatenation", pac=False),
        "coupling within": replace(FULL, coupling="within"),
        "gated weights": replace(FULL, gated="weights"),
        "alpha phase": replace(FULL, phase="alpha", amplitude="beta-gamma"),
        "theta-alpha phase": replace(FULL, phase="theta-alpha", amplitude="beta-gamma"),
        "pooled first": replace(FULL, pyramid=False),
    }
)


class Decoded(NamedTuple):
    """`embedding` (batch, dim) raw; `category` (batch, categories) and `colour` (batch, colours) as logits."""

    embedding: Tensor
    category: Tensor
    colour: Tensor


class Guided(NamedTuple):
    """`Decoded`, with the `coupling` (batch, row, channel) in nats and the `gates` (batch, level, head) it set."""

    embedding: Tensor
    category: Tensor
    colour: Tensor
    coupling: Tensor
    gates: Tensor


class BrainSsd(Network):
    """The network of a `BrainSsdConfig`."""

    config: BrainSsdConfig

    def __init__(self, config: BrainSsdConfig = FULL) -> None:
        super().__init__()
        self.config = c = config
        if c.streams != "dynamic":
            self.static = Stream(c, c.static_samples)
        if c.streams != "static":
            self.dynamic = Stream(c, c.dynamic_samples)
        if c.streams == "both":
            self.fusion = nn.ModuleList(
                Level(c.width, c.heads, c.cross_feed_forward, c.dropout, c.norm, c.gated) for _ in range(c.levels)
            )
        if c.streams == "concatenation":
            self.side_by_side = nn.Linear(2 * c.width, c.width)
        if c.pac:
            self.coupling = StreamCoupling(ROWS[c.coupling], c.couplings(), c.dynamic_sfreq_hz, c.least_dynamic)
            self.gates = Gates(c.n_channels, c.gate_width, c.levels, c.heads)
        if c.levels > 1:
            self.level_weight = nn.Parameter(torch.zeros(c.levels))
        self.readout = Readout(c)

    def spec(self) -> Spec:
        """Inputs by the streams in use; `coupling` and `gates` come out where coupling is used."""
        c = self.config
        eeg = "EEG, standardised per trial"
        static = TensorSpec("static", batch_of(("channel", c.n_channels), ("time", c.static_samples)), "float32", eeg)
        dynamic = TensorSpec(
            "dynamic", batch_of(("channel", c.n_channels), ("time", c.dynamic_samples)), "float32", f"{eeg}, from 0"
        )
        n_dynamic = TensorSpec("n_dynamic", batch_of(), "int64", "samples of `dynamic` that are there, 0 for none")
        outputs = [
            TensorSpec("embedding", batch_of(("feature", c.dim)), "float32", "raw embedding of the picture"),
            TensorSpec("category", batch_of(("class", c.categories)), "float32", "logits of the category"),
            TensorSpec("colour", batch_of(("class", c.colours)), "float32", "logits of the main colour"),
        ]
        if c.pac:
            coupling, gates = (
                batch_of(("row", 2), ("channel", c.n_channels)),
                batch_of(("level", c.levels), ("head", c.heads)),
            )
            outputs.append(TensorSpec("coupling", coupling, "float32", "directional coupling index in nats"))
            outputs.append(TensorSpec("gates", gates, "float32", "what coupling lets through, 0 to 1"))
        inputs = {"static": (static,), "dynamic": (dynamic, n_dynamic)}
        return Spec(inputs.get(c.streams, (static, dynamic, n_dynamic)), tuple(outputs))

    @property
    def tokens(self) -> int:
        """Tokens of the first level of all streams."""
        return sum(part.positions.shape[0] for part in self.children() if isinstance(part, Stream))

    @property
    def whitenings(self) -> Mapping[str, Whitening]:
        """Of the streams in use; coupling is measured on the channels as they are."""
        return {name: part.whitening for name, part in self.named_children() if isinstance(part, Stream)}

    @property
    def aggregation(self) -> Tensor:
        """(level,) weights of the levels in the fused representation, summing to 1."""
        return self.level_weight.softmax(dim=0) if self.config.levels > 1 else torch.ones(1)

    def forward(
        self, static: Tensor | None = None, dynamic: Tensor | None = None, n_dynamic: Tensor | None = None
    ) -> Decoded | Guided:
        """One step on those inputs that `spec()` lists, by name.

        Raises:
            InputError: one that `spec()` lists is not there.
        """
        if self.config.streams == "static":
            return self._read(self._aggregated(self.static(_given("static", static))))
        n_dynamic = _given("n_dynamic", n_dynamic)
        dynamic, n_tokens = self._beginning(_given("dynamic", dynamic), n_dynamic)
        there = _first(self.config.tokens, n_tokens)
        turn = self.dynamic(dynamic, n_tokens)
        if self.config.streams == "dynamic":
            return self._read(self._aggregated(turn) * there[..., None])
        static = _given("static", static)
        picture = self.static(static)
        if self.config.streams == "concatenation":
            both = [self._aggregated(picture), self._aggregated(turn) * there[..., None]]
            return self._read(self.side_by_side(torch.cat(both, dim=-1)))
        if not self.config.pac:
            return self._read(self._fused(picture, turn, there))
        coupling = self.coupling(static, dynamic, n_dynamic)
        gates = self.gates(coupling)
        return Guided(*self._read(self._fused(picture, turn, there, gates)), coupling, gates)

    def _beginning(self, dynamic: Tensor, n_dynamic: Tensor) -> tuple[Tensor, Tensor]:
        """The stream with zeros behind its last sample, and how many whole tokens are there (batch,)."""
        there = _first(self.config.dynamic_samples, n_dynamic)
        known = torch.where(there[:, None], dynamic, 0.0)
        return known, n_dynamic // (self.config.dynamic_samples // self.config.tokens)

    def _fused(self, picture: list[Tensor], turn: list[Tensor], there: Tensor, gates: Tensor | None = None) -> Tensor:
        """Each level of the picture attends to the turn's; (batch, token, width)."""
        fused = [
            level(picture[k], turn[k], there, None if gates is None else gates[:, k])
            for k, level in enumerate(self.fusion)
        ]
        return self._aggregated(fused)

    def _read(self, fused: Tensor) -> Decoded:
        decoded: Decoded = self.readout(fused)
        return decoded

    def _aggregated(self, levels: list[Tensor]) -> Tensor:
        """Sum over k of softmax(alpha)_k O_k."""
        if len(levels) == 1:
            return levels[0]
        return (torch.stack(levels, dim=-1) * self.aggregation).sum(dim=-1)


class Stream(nn.Module):
    """One recording through its levels, one token a sample at first, `tokens` of them afterwards."""

    positions: Tensor

    def __init__(self, config: BrainSsdConfig, n_samples: int) -> None:
        super().__init__()
        c = config
        self.samples_per_token = n_samples // c.tokens
        self.pyramid = c.pyramid
        self.whitening = Whitening(c.n_channels)
        self.embed = nn.Linear(c.n_channels, c.width)
        n_first = n_samples if c.pyramid else c.tokens
        self.register_buffer("positions", sinusoids(n_first, c.width), persistent=False)
        self.levels = nn.ModuleList(Level(c.width, c.heads, c.feed_forward, c.dropout, c.norm) for _ in range(c.levels))

    def forward(self, eeg: Tensor, n_tokens: Tensor | None = None) -> list[Tensor]:
        """(batch, channel, time) to (batch, token, width) of each level; the first `n_tokens` (batch,) count."""
        samples = eeg.transpose(1, 2)
        # A mean of linear maps is the map of the mean, and there are fewer of them.
        x = samples if self.pyramid else self._pooled(samples)
        x = functional.linear(x, self.whitening.folded(self.embed.weight), self.embed.bias) + self.positions
        found: list[Tensor] = []
        for level in self.levels:
            per_token = self.samples_per_token if self.pyramid and not found else 1
            counts = None if n_tokens is None else _first(x.shape[1], n_tokens * per_token)
            x = level(x, counts=counts)
            if self.pyramid and not found:
                x = self._pooled(x)
            found.append(x)
        return found

    def _pooled(self, x: Tensor) -> Tensor:
        """(batch, sample, width) to (batch, token, width): means over the samples of each token."""
        return x.reshape(x.shape[0], -1, self.samples_per_token, x.shape[-1]).mean(dim=2)


class Readout(nn.Module):
    """(batch, token, width) to the embedding, and from it to category and colour.

    Our reconstruction: each token through few features, all of them to the embedding, then Neuro-3D's head as a
    residual.
    """

    def __init__(self, config: BrainSsdConfig) -> None:
        super().__init__()
        c = config
        self.compress = nn.Linear(c.width, c.token_width)
        self.project = nn.Linear(c.tokens * c.token_width, c.dim)
        self.refine = nn.Sequential(nn.LayerNorm(c.dim), nn.Linear(c.dim, c.dim), nn.GELU(), nn.Dropout(c.dropout))
        self.category = nn.Linear(c.dim, c.categories)
        self.colour = nn.Linear(c.dim, c.colours)

    def forward(self, x: Tensor) -> Decoded:
        """One step."""
        embedding = self.project(self.compress(x).flatten(1))
        embedding = embedding + self.refine(embedding)
        return Decoded(embedding, self.category(embedding), self.colour(embedding))


def _given(name: str, tensor: Tensor | None) -> Tensor:
    if tensor is None:
        raise InputError(f"expected the input {name!r}; got none; hand over what spec() lists, by name")
    return tensor


def _first(n: int, n_valid: Tensor) -> Tensor:
    """(batch, n) bool: the first `n_valid` of n."""
    return torch.arange(n, device=n_valid.device) < n_valid[:, None]
