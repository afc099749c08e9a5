"""BrainSSD in the sizes that are trained, with weights from a seed, exported: how fast it is does not depend on them.

As a program, `python -m tests.bench.networks SIZE FOLDER` leaves the exported network in the folder and says how many
multiply-adds a trial takes; with a RATE_HZ behind, a live subject of the simulated participant instead. No timed
process imports what exports.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calibration.decoding.trials import TrialSet
from calibration.objects.catalogue import CATEGORIES
from calibration.simulate import SimulateConfig
from calibration.stimuli import Item
from tests.bench.programs import say

if TYPE_CHECKING:
    from engines.models.base import Network

SEED = 3
N_DYNAMIC, N_CHANNELS, DIM = 600, 64, 1024


def shapes() -> TrialSet:
    """One trial: all that a recipe wants to know for the size of its network."""
    nothing = np.zeros(1, np.int64)
    return TrialSet(
        participant="none",
        static=np.zeros((1, N_CHANNELS, 250), np.float32),
        dynamic=np.zeros((1, N_CHANNELS, N_DYNAMIC), np.float32),
        item=nothing,
        items=(Item(CATEGORIES[0], "00"),),
        category=nothing,
        categories=CATEGORIES,
        colour=nothing,
        number=nothing,
        block=nothing,
        targets=np.zeros((1, DIM), np.float32),
        encoder="none",
        channels=tuple(f"E{k}" for k in range(1, N_CHANNELS + 1)),
        simulated=True,
    )


def made(size: str) -> "Network":
    """The network of the recipe, with weights from a seed."""
    import torch

    from calibration.recipes.systems import systems

    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    return systems(size)["brainssd"].make(shapes())


def simulation(sfreq_hz: float, run: int, minutes: float) -> SimulateConfig:
    """The participant whose subject is kept here, in trials of EEG-3D."""
    return SimulateConfig(seed=SEED, run=run, sfreq_hz=sfreq_hz, minutes=minutes, protocol="eeg3d")


def keep_subject(size: str, folder: Path, sfreq_hz: float) -> None:
    """A live subject that knows 720 pictures and has learned nothing."""
    from calibration.decoding.fitted import FittedNetwork, Scaling
    from calibration.decoding.keep import keep
    from calibration.decoding.subject import AnytimeManifest, Gallery, Known, Temperatures
    from calibration.decoding.wiring import BrainSsdWiring
    from calibration.defaults import default_chain
    from calibration.objects.colours import LABELS
    from calibration.simulate import plan
    from calibration.store import StreamRecord, eeg_names
    from pipeline.anytime import Windows

    info = plan(simulation(sfreq_hz, run=0, minutes=0.5)).infos[0]
    chain = replace(default_chain(info), rate_hz=250.0)
    keys = [f"{category}/{number:02d}" for category in CATEGORIES for number in range(10)]
    manifest = AnytimeManifest(
        simulated=True,
        system="brainssd",
        size=size,
        patterns={category: (f"stim/{category}/*",) for category in CATEGORIES},
        channels=eeg_names(info),
        sfreq_hz=chain.rate_hz,
        stream=StreamRecord.of(info),
        chain=chain.to_dict(),
        categories=CATEGORIES,
        colours=LABELS,
        windows=Windows().to_dict(),
        encoder="none",
        scale=1.0,
        stimuli="builtin",
        gallery=tuple(Known(key=key, shown="never") for key in keys),
        temperatures=Temperatures(n_dynamic=(0, N_DYNAMIC), category=(1.0, 1.0), colour=(1.0, 1.0)),
        training={},
        validation=(),
        confusion=(),
    )
    raw = np.random.default_rng(SEED).standard_normal((len(keys), DIM)).astype(np.float32)
    centre, nothing = np.zeros(DIM, np.float32), np.zeros((0, DIM), np.float32)
    fitted = FittedNetwork(made(size), BrainSsdWiring(), Scaling(centre, 1.0), nothing, nothing, manifest.channels)
    keep(folder, manifest, fitted, Gallery(tuple(keys), raw, centre))


def main() -> None:
    from engines.models.base import n_parameters, work
    from engines.runtime.export import export

    size, folder, *rate_hz = sys.argv[1:]
    if rate_hz:
        keep_subject(size, Path(folder), float(rate_hz[0]))
        say("kept")
        return
    network = made(size)
    export(network, Path(folder), {"n_dynamic": (0, N_DYNAMIC)}, {"trained on": "nothing"})
    say({"multiply_adds": work(network).multiply_adds, "parameters": n_parameters(network)})


if __name__ == "__main__":
    main()
