import tracemalloc

import numpy as np
import pytest

from calibration.datasets.eeg3d import Eeg3d
from calibration.datasets.eeg3d_trials import open_trials
from calibration.datasets.eeg3d_write import organise, write_subject
from calibration.sets.errors import SetUnusable
from tests.calibration.datasets.test_eeg3d_write import design, epochs

SHAPES = {"process_data_1s_250Hz.npy": (64, 250), "process_data_6s_100Hz.npy": (64, 600)}


@pytest.fixture
def place(tmp_path):
    rng = np.random.default_rng(1)
    labels = design(rng)
    return write_subject(tmp_path, "sub25", labels, epochs(rng, len(labels)))


def test_a_trial_says_what_was_shown_for_the_how_manieth_time(place):
    trials = Eeg3d(place.parents[1]).trials("sub25")
    assert len(trials) == 72
    assert trials[0].static.shape == (64, 250)
    assert trials[0].dynamic.shape == (64, 600)
    for number in range(72):
        trial = trials[number]
        assert trial.repeat == trials.labels[:number].count(trial.label)
        assert trial.session == 0
    with pytest.raises(IndexError):
        trials[72]


def test_sessions_are_counted_by_72_trials(tmp_path):
    for name, shape in SHAPES.items():
        np.save(tmp_path / name, np.zeros((145, *shape), np.float32))
    np.save(tmp_path / "name_label.npy", np.array(["01_face_00"] * 145))
    trials = open_trials(tmp_path, ())
    assert [trials[k].session for k in (0, 71, 72, 144)] == [0, 0, 1, 2]


def test_the_published_split_holds_objects_08_and_09_out(place):
    trials = open_trials(place, ())
    train, test = trials.grid("train"), trials.grid("test")
    assert train.shape == (3, 8, 2)
    assert test.shape == (3, 2, 4)
    assert sorted([*train.flat, *test.flat]) == list(range(72))
    assert {trials[int(k)].item.object for k in test.flat} == {"08", "09"}
    assert [str(trials.labels[k]) for k in train[1, :, 0]] == [f"02_car_{n:02d}" for n in range(8)]
    for row in [*train.reshape(-1, 2), *test.reshape(-1, 4)]:
        assert len({trials.labels[k] for k in row}) == 1
        assert (np.diff(row) > 0).all(), "repeats in the order of recording"


def test_sorted_arrays_give_the_same_trials_as_recorded_ones(place):
    recorded = open_trials(place, ())
    organise(place)
    (place / "name_label.npy").unlink()
    apart = open_trials(place, sorted(set(recorded.labels), key=str))
    for part in ("train", "test"):
        for stream in ("static", "dynamic"):
            np.testing.assert_array_equal(
                apart.read(stream, apart.grid(part)), recorded.read(stream, recorded.grid(part))
            )
    assert apart[0].session is None


def test_trials_are_read_from_disk_one_by_one(tmp_path):
    n = 400  # 60 MB, of which one trial is 0.15 MB
    for name, shape in SHAPES.items():
        np.lib.format.open_memmap(tmp_path / name, "w+", np.float32, (n, *shape)).flush()
    np.save(tmp_path / "name_label.npy", np.array(["01_face_00"] * n))
    tracemalloc.start()
    trials = open_trials(tmp_path, ())
    for k in range(n):
        assert trials[k].dynamic[0, 0] == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_trial_cannot_be_written_to(place):
    with pytest.raises(ValueError, match="read-only"):
        open_trials(place, ())[0].static[:] = 0


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        (
            "process_data_1s_250Hz.npy",
            np.zeros((71, 64, 250), np.float32),
            r"expected .*\(72, 64, 250\), came .*\(71, 64, 250\)",
        ),
        ("process_data_1s_250Hz.npy", np.zeros((72, 63, 250), np.float32), "63"),
        ("process_data_6s_100Hz.npy", np.zeros((72, 64, 1500), np.float32), "1500"),
        ("process_data_6s_100Hz.npy", np.zeros((72, 64, 600), np.int16), "int16"),
        ("process_data_6s_100Hz.npy", np.zeros((72, 64, 600), np.float16), "float16"),
        ("name_label.npy", np.arange(72), "expected text"),
        ("name_label.npy", np.array([["01_face_00"]] * 72), r"\(72, 1\)"),
        ("name_label.npy", np.array([None] * 72), "plain array"),
        ("name_label.npy", np.array(["airplane"] * 72), "NN_category_NN"),
    ],
)
def test_arrays_of_another_form_are_refused_with_what_was_expected(place, name, values, told):
    np.save(place / name, values)
    with pytest.raises(SetUnusable, match=told):
        open_trials(place, ())


def test_a_cut_off_array_is_refused_and_named(place):
    path = place / "process_data_6s_100Hz.npy"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(SetUnusable, match=r"process_data_6s_100Hz\.npy"):
        open_trials(place, ())


def test_double_precision_as_the_authors_script_writes_it_is_taken(place):
    path = place / "process_data_1s_250Hz.npy"
    np.save(path, np.load(path).astype(np.float64))
    trials = open_trials(place, ())
    assert trials[3].static.dtype == np.float64
    assert trials.read("static", np.array([3])).dtype == np.float32


def test_a_trial_with_no_numbers_is_told_when_it_is_read(place):
    path = place / "process_data_1s_250Hz.npy"
    values = np.load(path)
    values[7, 3, 100] = np.nan
    np.save(path, values)
    trials = open_trials(place, ())
    trials[6]
    with pytest.raises(SetUnusable, match=r"trial 7 \(.*\), static"):
        trials[7]


def test_a_subject_with_one_of_its_arrays_missing_is_refused_and_it_is_named(place):
    organise(place)
    labels = sorted(set(open_trials(place, ()).labels), key=str)
    (place / "name_label.npy").unlink()
    (place / "sub25_test_data_6s_100Hz.npy").unlink()
    with pytest.raises(SetUnusable, match=r"sub25_test_data_6s_100Hz\.npy"):
        open_trials(place, labels)


def test_a_part_without_trials_is_told(tmp_path):
    for name, shape in SHAPES.items():
        np.save(tmp_path / name, np.zeros((1, *shape), np.float32))
    np.save(tmp_path / "name_label.npy", np.array(["01_face_00"]))
    with pytest.raises(SetUnusable, match="no trial of the test objects"):
        open_trials(tmp_path, ()).grid("test")
