"""Epochs with an effect of known place and size, for the tests of calibration."""

from collections.abc import Sequence

import numpy as np

from calibration.datasets.recording import EpochSet
from pipeline.epochs import EpochConfig
from pipeline.types import Array, Channel, StreamInfo

FS = 100.0
EVOKED = EpochConfig(-0.1, 0.5, (-0.1, 0.0))
LONG = EpochConfig(0.5, 2.5, None)


def mixed_noise(rng: np.random.Generator, n: int, n_channels: int, n_samples: int) -> Array:
    """Noise that channels share, as volume conduction makes them."""
    mixing = rng.standard_normal((n_channels, n_channels))
    noise: Array = np.einsum("ij,njt->nit", mixing, rng.standard_normal((n, n_channels, n_samples)) * 5.0)
    return noise


def epoch_set(
    data: Array,
    labels: Sequence[int],
    *,
    epoch: EpochConfig = EVOKED,
    spacing_s: float = 2.0,
    file: Sequence[int] | None = None,
    n_classes: int = 2,
) -> EpochSet:
    """Epochs one after the other, `spacing_s` apart."""
    n = len(data)
    channels = tuple(f"E{i}" for i in range(data.shape[1]))
    info = StreamInfo("synthetic", "EEG", len(channels), FS, channels=tuple(Channel(c, unit="uV") for c in channels))
    return EpochSet(
        data=data,
        labels=np.asarray(labels, dtype=np.int64),
        onset_s=np.arange(n) * spacing_s,
        file=np.zeros(n, dtype=np.int64) if file is None else np.asarray(file, dtype=np.int64),
        number=np.arange(n),
        classes=tuple("abcdefgh"[:n_classes]),
        channels=channels,
        sfreq_hz=FS,
        epoch=epoch,
        info=info,
    )


def evoked_set(seed: int, n: int = 80, effect_uv: float = 0.0, n_channels: int = 6) -> EpochSet:
    """Two classes in random order; class 1 has a bump of `effect_uv` in one pattern of channels."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % 2)
    data = mixed_noise(rng, n, n_channels, EVOKED.n_samples(FS))
    bump = np.exp(-0.5 * ((EVOKED.times_s(FS) - 0.2) / 0.05) ** 2)
    pattern = rng.standard_normal(n_channels)
    data += effect_uv * labels[:, None, None] * pattern[:, None] * bump
    return epoch_set(data, labels)
