import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from engines.errors import InputError
from engines.spec import Axis, Spec, TensorSpec, batch_of

EEG = TensorSpec("eeg", batch_of(("channel", 4), ("time", 10)), "float32", "EEG in microvolts")
VALID = TensorSpec("n_valid", batch_of(), "int64", "samples that are there")
OUT = TensorSpec("embedding", batch_of(("feature", 3)), "float32", "raw embedding")
SPEC = Spec((EEG, VALID), (OUT,))


@pytest.mark.parametrize("batch", [1, 7])
def test_what_fits_passes_at_any_batch_size(batch):
    SPEC.require({"eeg": EEG.zeros(batch), "n_valid": VALID.zeros(batch)})
    SPEC.require_outputs({"embedding": np.zeros((batch, 3), np.float32)})
    assert EEG.shape(batch) == (batch, 4, 10)
    assert EEG.dynamic == (0,)


@pytest.mark.parametrize(
    ("array", "came", "do"),
    [
        (np.zeros((2, 4, 10)), r"got float64 \(2, 4, 10\)", r"\.astype\('float32'\)"),
        (np.zeros((4, 10), np.float32), r"got float32 \(4, 10\)", "add the batch axis"),
        (np.zeros((1, 1, 4, 10), np.float32), r"\(1, 1, 4, 10\)", "rearrange its axes"),
        (
            np.zeros((2, 10, 4), np.float32),
            r"axis 1 \(channel\) has 10, not 4, axis 2 \(time\) has 4, not 10",
            "window",
        ),
        (np.zeros((0, 4, 10), np.float32), r"axis 0 \(batch\) has 0, not 1 or more", "prepare it"),
        ([[1.0]], "got list", "numpy array"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected_what_came_and_what_to_do(array, came, do):
    with pytest.raises(InputError, match=r"expected eeg: float32 \(batch, channel 4, time 10\)") as refused:
        EEG.require(array)
    assert refused.match(came)
    assert refused.match(do)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"eeg": EEG.zeros(2)}, "expected the inputs eeg, n_valid; got eeg"),
        ({}, "got none"),
        ({"eeg": EEG.zeros(2), "valid": VALID.zeros(2)}, "got eeg, valid"),
        ({"eeg": EEG.zeros(2), "n_valid": VALID.zeros(3)}, "one batch size; got eeg 2, n_valid 3"),
    ],
)
def test_missing_misnamed_and_unequal_inputs_are_refused(arrays, message):
    with pytest.raises(InputError, match=message):
        SPEC.require(arrays)


def test_a_specification_that_contradicts_itself_cannot_be_made():
    with pytest.raises(InputError, match="different names; got eeg, eeg"):
        Spec((EEG,), (EEG,))
    with pytest.raises(InputError, match="axes of different names"):
        TensorSpec("x", (Axis("time", 1), Axis("time", 2)), "float32", "")
    with pytest.raises(InputError, match="float16"):
        TensorSpec("x", (), "float16", "")


def test_specifications_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        EEG.name = "other"


def test_reading_specifications_loads_no_torch():
    code = "import sys, engines.spec; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
