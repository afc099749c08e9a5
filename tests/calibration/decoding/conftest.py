"""A small simulated data set, made once for all tests that read it."""

import pytest

from calibration.decoding.generate import DatasetConfig, write_dataset

# Two sessions of 24 trials.
SMALL = DatasetConfig(participants=(9,), n_categories=2, repeats=12)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "set"
    assert write_dataset(folder, SMALL) == ["sub09"]
    return folder
