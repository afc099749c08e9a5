import pickle

import numpy as np
import pytest

from calibration.datasets.things_eeg2 import read_release, read_samga
from calibration.sets.errors import SetUnusable

NAMES = [f"E{k}" for k in range(63)]
DATA = np.random.default_rng(0).normal(size=(20, 4, 63, 25)).astype(np.float32)


def release(path, **changed):
    values = {"preprocessed_eeg_data": DATA, "ch_names": NAMES, "times": np.linspace(-0.2, 1.0, 75), **changed}
    path.write_bytes(pickle.dumps({key: value for key, value in values.items() if value is not None}, protocol=4))
    return path


def test_the_release_is_refused_until_the_user_says_that_it_is_trusted(tmp_path):
    with pytest.raises(SetUnusable, match="trust_pickle=True"):
        read_release(release(tmp_path / "preprocessed_eeg_training.npy"))


def test_the_release_gives_its_data_names_and_the_times_of_its_samples(tmp_path):
    read = read_release(release(tmp_path / "preprocessed_eeg_training.npy"), trust_pickle=True)
    np.testing.assert_array_equal(read.data, DATA)
    assert read.ch_names == tuple(NAMES)
    assert read.offline_only
    assert "whitened" in read.offline_reason
    np.testing.assert_array_equal(read.times_s, np.linspace(-0.2, 1.0, 75)[50:])


def test_the_original_100_hz_form_is_read_too(tmp_path):
    times = np.linspace(-0.2, 0.79, 25)
    np.save(tmp_path / "eeg.npy", {"preprocessed_eeg_data": DATA, "ch_names": NAMES, "times": times})
    read = read_release(tmp_path / "eeg.npy", trust_pickle=True)
    np.testing.assert_array_equal(read.times_s, times)
    np.testing.assert_array_equal(read.data, DATA)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"times": None}, r"came \['ch_names', 'preprocessed_eeg_data'\]"),
        ({"preprocessed_eeg_data": DATA[0]}, r"came float32 \(4, 63, 25\)"),
        ({"preprocessed_eeg_data": DATA.astype(int)}, "int64"),
        ({"ch_names": NAMES[:17]}, "63 names of channels"),
        ({"ch_names": "Fp1"}, "63 names of channels"),
        ({"times": np.arange(30.0)}, "times of 25 samples"),
        ({"times": [0.1]}, "times of 25 samples"),
    ],
)
def test_a_dictionary_of_another_form_is_refused(tmp_path, changed, told):
    with pytest.raises(SetUnusable, match=told):
        read_release(release(tmp_path / "eeg.npy", **changed), trust_pickle=True)


def test_a_list_is_no_dictionary(tmp_path):
    (tmp_path / "eeg.npy").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(SetUnusable, match="came list"):
        read_release(tmp_path / "eeg.npy", trust_pickle=True)


def test_samgas_layout_needs_no_flag_and_keeps_the_row_of_each_picture(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 10, 4, 63, 250)).astype(np.float32)
    np.save(tmp_path / "train.npy", values)
    read = read_samga(tmp_path / "train.npy")
    assert read.data.shape == (30, 4, 63, 250)
    np.testing.assert_array_equal(read.data[2 * 10 + 7], values[2, 7])
    assert isinstance(read.data.base, np.memmap) or isinstance(read.data, np.memmap)
    assert (read.ch_names, read.times_s) == (None, None)


def test_samgas_layout_of_another_shape_or_as_a_pickle_is_refused(tmp_path):
    np.save(tmp_path / "train.npy", np.zeros((3, 10, 4, 17, 100), np.float32))
    with pytest.raises(SetUnusable, match="63, 250"):
        read_samga(tmp_path / "train.npy")
    with pytest.raises(SetUnusable, match="plain array"):
        read_samga(release(tmp_path / "test.npy"))
