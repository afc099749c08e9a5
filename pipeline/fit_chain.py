"""What the chain learns from calibration data and then keeps: weights of eye movements, artifact thresholds."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engines.errors import InputError
from pipeline import asr
from pipeline.preprocess import EOG_WEIGHTS, Chain, ChainConfig
from pipeline.spatial import fit_eog_weights
from pipeline.types import Array, Boundary, Kind, StreamInfo

Stretch = tuple[Array, Array, Boundary | None]


def fit_frozen(config: ChainConfig, info: StreamInfo, stretches: Sequence[Stretch]) -> dict[str, Array]:
    """The arrays that `config` needs in `Chain(..., frozen=...)`, empty when it needs none.

    `stretches` are calls of `Chain.process`: data (n_channels of the stream, n) in microvolts, times (n,), boundary.
    Only settled, finite samples count. Thread: any.

    Raises:
        InputError: too little data.
        StreamMismatch: the stream does not fit the chain.
    """
    frozen: dict[str, Array] = {}
    if config.eog_regression:
        frozen[EOG_WEIGHTS] = _eog_weights(config, info, stretches)
    if config.asr:
        clean = _filtered(Chain(replace(config, asr=False), info, frozen), stretches)
        frozen |= asr.fit(clean, config.rate_hz or info.sfreq_hz, config.asr_cutoff_sd)
    return frozen


def _eog_weights(config: ChainConfig, info: StreamInfo, stretches: Sequence[Stretch]) -> Array:
    """The chain up to its filters, eye channels declared EEG so that they come out too."""
    only_filters = replace(
        config, reference="none", rate_hz=None, bads=(), interpolate_bads=False, eog_regression=False, asr=False
    )
    shown = tuple(replace(c, kind=Kind.EEG) if c.kind is Kind.EOG else c for c in info.channels)
    data = _filtered(Chain(only_filters, replace(info, channels=shown)), stretches)
    kinds = [c.kind for c in info.channels if c.kind in (Kind.EEG, Kind.EOG)]
    eeg, eog = (data[[k is kind for k in kinds]] for kind in (Kind.EEG, Kind.EOG))
    return fit_eog_weights(eeg, eog)


def _filtered(chain: Chain, stretches: Sequence[Stretch]) -> Array:
    """Settled, finite output samples (n_channels, n) of the whole data."""
    blocks = [chain.process(*stretch) for stretch in stretches]
    data = np.concatenate([b.data[:, b.settled] for b in blocks], axis=1)
    data = data[:, np.isfinite(data).all(axis=0)]
    if data.shape[1] < chain.sfreq_hz:
        raise InputError(
            f"fitting the chain needs settled data; got {data.shape[1] / chain.sfreq_hz:.1f} s after "
            f"{chain.settling_s:.1f} s of settling"
        )
    return data
