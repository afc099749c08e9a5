import hashlib

import numpy as np
import pytest

from engines.errors import InputError
from engines.runtime.seeded import require_ranges, seeded
from engines.spec import Spec, TensorSpec, batch_of

EEG = TensorSpec("eeg", batch_of(("channel", 64), ("time", 50)), "float32", "EEG")
N = TensorSpec("n", batch_of(), "int64", "samples")
PIXELS = TensorSpec("pixels", batch_of(("value", 4000)), "uint8", "picture")
SPEC = Spec((EEG, N, PIXELS), ())


def test_floats_have_no_mean_and_variance_one():
    eeg = seeded(SPEC, 20, 0, {"n": (0, 5)})["eeg"]
    assert abs(eeg.mean()) < 0.02
    assert eeg.var() == pytest.approx(1, abs=0.02)


def test_integers_take_every_value_of_their_range():
    drawn = seeded(SPEC, 200, 0, {"n": (-1, 2)})
    assert set(drawn["n"]) == {-1, 0, 1, 2}
    assert (drawn["pixels"].min(), drawn["pixels"].max()) == (0, 255)


def test_the_same_seed_gives_the_same_bytes_on_every_machine():
    digest = hashlib.sha256(b"".join(a.tobytes() for a in seeded(SPEC, 3, 7, {"n": (0, 600)}).values())).hexdigest()
    assert digest == "1947a55f0674c411555d9341933a133675aa29e1fb9087f168ebb2bac7670103"
    assert not np.array_equal(seeded(SPEC, 3, 7, {"n": (0, 5)})["eeg"], seeded(SPEC, 3, 8, {"n": (0, 5)})["eeg"])


@pytest.mark.parametrize(("ranges", "told"), [({}, "n"), ({"n": (0, 1), "m": (0, 1)}, "m"), ({"n": (2, 1)}, "2 to 1")])
def test_every_integer_input_needs_its_range(ranges, told):
    with pytest.raises(InputError, match=told):
        require_ranges(SPEC, ranges)
