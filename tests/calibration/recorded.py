"""Scripted recordings with evoked responses, for the tests of calibration."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pipeline.types import Channel, EegChunk, Item, MarkerChunk, StreamInfo
from tests.scripted import EEG, FS, MARKERS, ScriptedSource

PATTERNS = {"face": ("stim/2",), "house": ("stim/1",)}


def recording(
    seed: int, n: int = 60, effect_uv: float = 25.0, info: StreamInfo = EEG, spacing_s: float = 1.5
) -> Callable[[], ScriptedSource]:
    """Opens the same recording every time: noise, and for faces a bump at Oz 0.2 s after the onset."""

    def open_source() -> ScriptedSource:
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.arange(n) % 2)
        onsets = 15.0 + spacing_s * np.arange(n) + rng.uniform(0, 0.2, n)
        data = rng.standard_normal((info.n_channels, round((onsets[-1] + 5) * FS))) * 10
        times = np.arange(data.shape[1]) / FS
        oz = [c.name for c in info.channels].index("Oz") if "Oz" in [c.name for c in info.channels] else 0
        for onset, label in zip(onsets, labels, strict=True):
            data[oz] += label * effect_uv * np.exp(-0.5 * ((times - onset - 0.2) / 0.05) ** 2)
        items: list[Item] = []
        for first in range(0, len(times), 100):
            cut = slice(first, first + 100)
            inside = [(t, i) for t, i in zip(onsets, labels, strict=True) if times[cut][0] <= t < times[cut][0] + 1.0]
            if inside:
                items.append(MarkerChunk("m", tuple(f"stim/{i + 1}" for _, i in inside), tuple(t for t, _ in inside)))
            items.append(EegChunk(data[:, cut].astype(np.float32), times[cut]))
        return ScriptedSource(info, items, {"m": MARKERS})

    return open_source


def renamed(*names: str, **changes: object) -> StreamInfo:
    """The scripted stream with other channels."""
    channels = tuple(Channel(n, unit="microvolts") for n in names)
    return replace(EEG, n_channels=len(names), channels=channels, **changes)  # type: ignore[arg-type]
