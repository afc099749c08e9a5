"""An anytime subject of a tiny network that was never trained: everything about it is real but what it has learnt."""

from pathlib import Path

import numpy as np
import torch

from calibration.decoding.fitted import FittedNetwork, Scaling
from calibration.decoding.keep import keep
from calibration.decoding.subject import AnytimeManifest, Gallery, Known, Temperatures
from calibration.decoding.wiring import BrainSsdWiring
from calibration.objects.colours import LABELS
from calibration.store import StreamRecord
from engines.models.brainssd import BrainSsd, BrainSsdConfig
from pipeline.anytime import Windows
from pipeline.epochs import EpochConfig
from pipeline.preprocess import ChainConfig
from pipeline.types import Channel, StreamInfo

CATEGORIES = ("up", "down")
DIM = 8
# A turn of 2.4 s keeps the network small.
WINDOWS = Windows(dynamic=EpochConfig(-0.2, 2.2, (-0.2, 0.0)))
CHAIN = ChainConfig(low_hz=1.0, high_hz=40.0, mains_hz=None, reference="none")
FS = 250.0
CHANNELS = ("Fz", "Cz", "Pz", "Oz")
EEG = StreamInfo("scripted", "EEG", 4, FS, channels=tuple(Channel(name, unit="microvolts") for name in CHANNELS))


def fitted(channels=CHANNELS, seed=0, categories=CATEGORIES) -> FittedNetwork:
    """A tiny network with weights from a seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = BrainSsdConfig(
            n_channels=len(channels), dynamic_samples=WINDOWS.n_dynamic, pyramid=False, width=8, heads=2, levels=2,
            feed_forward=16, cross_feed_forward=16, gate_width=8, tokens=10, token_width=4, dim=DIM,
            categories=len(categories),
        )  # fmt: skip
        network = BrainSsd(config).eval()
    rng = np.random.default_rng(seed)
    prototypes = rng.standard_normal((len(categories) + 6, DIM)).astype(np.float32)
    scaling = Scaling(rng.standard_normal(DIM).astype(np.float32), 1.7)
    return FittedNetwork(
        network, BrainSsdWiring(), scaling, prototypes[: len(categories)], prototypes[len(categories) :], channels
    )


def gallery(categories=CATEGORIES) -> Gallery:
    keys = tuple(f"{category}/{number:02d}" for category in categories for number in range(3))
    rng = np.random.default_rng(7)
    raw = rng.standard_normal((len(keys), DIM)).astype(np.float32)
    return Gallery(keys, raw, fitted().scaling.centre)


def manifest(info: StreamInfo = EEG, **changes) -> AnytimeManifest:
    """What a calibration would have said."""
    names = ("training", "selection", "validation")
    values = {
        "participant": "P07",
        "simulated": True,
        "system": "brainssd",
        "size": "pocket",
        "patterns": {category: (f"stim/{category}/*",) for category in CATEGORIES},
        "channels": tuple(c.name for c in info.channels),
        "sfreq_hz": FS,
        "stream": StreamRecord.of(info),
        "chain": CHAIN.to_dict(),
        "categories": CATEGORIES,
        "colours": LABELS,
        "windows": WINDOWS.to_dict(),
        "encoder": "made up",
        "scale": 1.7,
        "stimuli": "builtin",
        "gallery": tuple(Known(key=key, shown=names[i % 3], colour=i) for i, key in enumerate(gallery().keys)),
        "temperatures": Temperatures(n_dynamic=(0, 120, 240), category=(2.0, 1.0, 0.5), colour=(1.0, 1.0, 4.0)),
        "training": {"seed": 0},
        "validation": (),
        "confusion": (),
    }
    return AnytimeManifest(**{**values, **changes})


def kept(folder: Path, info: StreamInfo = EEG, **changes) -> Path:
    """The folder, written."""
    keep(folder, manifest(info, **changes), fitted(tuple(c.name for c in info.channels)), gallery())
    return folder
