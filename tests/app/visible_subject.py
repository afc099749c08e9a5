"""A calibrated subject of pictures and turns whose network is a fixed linear map: everything else of it is real."""

from types import SimpleNamespace

import numpy as np

from calibration.decoding.subject import (
    AnytimeManifest,
    AnytimeSubject,
    AnytimeSubjectDecoder,
    Gallery,
    Known,
    Temperatures,
)
from calibration.objects.colours import LABELS
from calibration.store import StreamRecord, eeg_names
from engines.runtime.types import Choice, Description
from pipeline.anytime import Windows
from pipeline.epochs import EpochConfig
from pipeline.preprocess import ChainConfig
from pipeline.types import StreamInfo

CATEGORIES = ("face", "house")
KEYS = tuple(f"{category}/{number:02d}" for category in CATEGORIES for number in (0, 8))
WINDOWS = Windows(dynamic=EpochConfig(-0.2, 2.2, (-0.2, 0.0)))
CHAIN = ChainConfig(low_hz=1.0, high_hz=40.0, mains_hz=None, reference="none")
FS = 250.0


class LinearRuntime:
    """Every output is a fixed map of the picture's window, and a little of the turn's."""

    spec = SimpleNamespace(inputs=tuple(SimpleNamespace(name=name) for name in ("static", "dynamic")))

    def __init__(self, dim: int):
        rng = np.random.default_rng(1)
        sizes = {"embedding": dim, "category": len(CATEGORIES), "colour": len(LABELS)}
        self._maps = {name: rng.standard_normal((64, n)).astype(np.float32) for name, n in sizes.items()}

    def __call__(self, inputs):
        seen = inputs["static"].mean(axis=2) + 0.1 * inputs["dynamic"].mean(axis=2)  # (1, channel)
        return {name: seen @ weights for name, weights in self._maps.items()}

    def warm_up(self, batch=1):
        pass

    def describe(self):
        return Description("linear", "1", "CPU", "float32", "a fixed map")


def visible(info: StreamInfo, encoder: str, dim: int = 8) -> AnytimeSubject:
    """A subject of the simulated stream `info` that answers with embeddings of `encoder`, (dim,)."""
    raw = np.random.default_rng(2).standard_normal((len(KEYS), dim)).astype(np.float32)
    gallery = Gallery(KEYS, raw, raw.mean(axis=0))
    temperatures = Temperatures(n_dynamic=(0, 240), category=(1.0, 1.0), colour=(1.0, 1.0))
    manifest = AnytimeManifest(
        simulated=True, system="linear", size="pocket", patterns={name: (f"stim/{name}/*",) for name in CATEGORIES},
        channels=eeg_names(info), sfreq_hz=FS, stream=StreamRecord.of(info), chain=CHAIN.to_dict(),
        categories=CATEGORIES, colours=LABELS, windows=WINDOWS.to_dict(), encoder=encoder, scale=1.0,
        stimuli="builtin", gallery=tuple(Known(key=key, shown="never") for key in KEYS), temperatures=temperatures,
        training={}, validation=(), confusion=(),
    )  # fmt: skip
    decoder = AnytimeSubjectDecoder(
        classes=CATEGORIES, colours=LABELS, channels=manifest.channels, sfreq_hz=FS, chain=CHAIN, windows=WINDOWS,
        temperatures=temperatures, scale=1.0, gallery=gallery, runtime=LinearRuntime(dim), choice=Choice("linear", {}),
    )  # fmt: skip
    return AnytimeSubject(manifest, decoder, {})
