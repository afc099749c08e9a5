"""BrainSSD in the sizes that are trained, with weights from a seed, exported: how fast it is does not depend on them.

As a program, `python -m tests.bench.networks SIZE FOLDER` leaves the exported network in the folder and says how many
multiply-adds a trial takes: no timed process imports what exports.
"""

import sys
from pathlib import Path

import numpy as np

from calibration.decoding.trials import TrialSet
from calibration.stimuli import Item
from tests.bench.programs import say

SEED = 3
N_DYNAMIC = 600


def shapes(n_channels: int = 64, n_categories: int = 72, dim: int = 1024) -> TrialSet:
    """One trial: all that a recipe wants to know for the size of its network."""
    names = tuple(f"category {k:02d}" for k in range(n_categories))
    nothing = np.zeros(1, np.int64)
    return TrialSet(
        participant="none",
        static=np.zeros((1, n_channels, 250), np.float32),
        dynamic=np.zeros((1, n_channels, N_DYNAMIC), np.float32),
        item=nothing,
        items=(Item(names[0], "00"),),
        category=nothing,
        categories=names,
        colour=nothing,
        number=nothing,
        block=nothing,
        targets=np.zeros((1, dim), np.float32),
        encoder="none",
        channels=tuple(f"E{k}" for k in range(1, n_channels + 1)),
        simulated=True,
    )


def main() -> None:
    import torch

    from calibration.recipes.systems import systems
    from engines.models.base import n_parameters, work
    from engines.runtime.export import export

    size, folder = sys.argv[1:]
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    network = systems(size)["brainssd"].make(shapes())
    export(network, Path(folder), {"n_dynamic": (0, N_DYNAMIC)}, {"trained on": "nothing"})
    say({"multiply_adds": work(network).multiply_adds, "parameters": n_parameters(network)})


if __name__ == "__main__":
    main()
