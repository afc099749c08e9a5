"""The index against two packages that have it too, fed with the same phases and amplitudes."""

import json
import subprocess
import sys
import warnings

import numpy as np
import pytest

from pipeline.coupling import modulation_index_from
from pipeline.types import Array

# pactools cannot be imported once torch is loaded, which another test of this process may have done.
PACTOOLS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from pactools.comodulogram import _one_modulation_index
given = json.load(sys.stdin)
edges = np.linspace(-np.pi, np.pi, 19)
found = [
    float(_one_modulation_index(np.array(a), np.digitize(p, edges) - 1, None, "tort", 0, None))
    for p, a in zip(given["phase"], given["amplitude"])
]
print(json.dumps(found))
"""


def phases_and_amplitudes() -> tuple[Array, Array]:
    rng = np.random.default_rng(3)
    phase = rng.uniform(-np.pi, np.pi, (8, 700))
    amplitude = rng.gamma(2.0, 5.0, (8, 700)) * (1 + np.linspace(0, 0.8, 8)[:, None] * np.cos(phase - 1))
    return phase, amplitude


def tensorpac_index(phase: Array, amplitude: Array) -> Array:
    """(n_channels, n) in one call, as its users call it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorpac.methods import modulation_index as theirs

        return np.asarray(theirs(phase[None], amplitude[None], n_bins=18)).reshape(-1)


def test_tensorpac_channel_by_channel_gives_the_same() -> None:
    phase, amplitude = phases_and_amplitudes()
    theirs = [tensorpac_index(p[None], a[None])[0] for p, a in zip(phase, amplitude, strict=True)]
    assert modulation_index_from(phase, amplitude) == pytest.approx(theirs, abs=1e-12)


def test_tensorpac_with_all_channels_at_once_pools_its_bins_and_we_do_not() -> None:
    """The trap: its bin counts are those of all channels together."""
    phase, amplitude = phases_and_amplitudes()
    pooled = tensorpac_index(phase, amplitude)
    ours = modulation_index_from(phase, amplitude)
    assert np.abs(pooled - ours).max() > 1e-4


def test_pactools_gives_the_same() -> None:
    phase, amplitude = phases_and_amplitudes()
    given = json.dumps({"phase": phase.tolist(), "amplitude": amplitude.tolist()})
    run = subprocess.run([sys.executable, "-c", PACTOOLS], input=given, capture_output=True, text=True, check=True)
    assert modulation_index_from(phase, amplitude) == pytest.approx(json.loads(run.stdout), abs=1e-12)
