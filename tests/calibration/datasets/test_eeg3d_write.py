import numpy as np
import pytest

from calibration.datasets.eeg3d import Eeg3d, Origin
from calibration.datasets.eeg3d_names import Label
from calibration.datasets.eeg3d_trials import CUTS, open_trials
from calibration.datasets.eeg3d_write import (
    labels_of,
    organise,
    standardised,
    write_stimuli,
    write_subject,
    write_video,
)
from calibration.objects.builtin import BuiltIn
from calibration.sets.errors import SetUnusable
from calibration.sets.videos import read_video
from calibration.stimuli import Item
from tests.calibration.sets.small_set import CATEGORIES, SmallSet

ORIGIN = Origin(made_by="a test", simulated=True, causal=True)


def design(rng):
    """Labels of a whole recording in random order: objects 00 to 07 twice, 08 and 09 four times."""
    labels = [label for label in labels_of(SmallSet()).values() for _ in range(4 if label.held_out else 2)]
    return [labels[k] for k in rng.permutation(len(labels))]


def epochs(rng, n):
    return [(rng.normal(size=(64, 250)), rng.normal(size=(64, 600))) for _ in range(n)]


@pytest.fixture
def recorded(tmp_path):
    rng = np.random.default_rng(0)
    labels = design(rng)
    made = epochs(rng, len(labels))
    return write_subject(tmp_path, "sub07", labels, made), labels, made


def test_arrays_have_the_published_shapes_and_hold_the_epochs(recorded):
    place, labels, made = recorded
    static = np.load(place / "process_data_1s_250Hz.npy", allow_pickle=False)
    dynamic = np.load(place / "process_data_6s_100Hz.npy", allow_pickle=False)
    names = np.load(place / "name_label.npy", allow_pickle=False)
    assert static.shape == (72, 64, 250)
    assert dynamic.shape == (72, 64, 600)
    assert list(names) == [str(label) for label in labels]
    np.testing.assert_array_equal(static[5], made[5][0].astype(np.float32))
    np.testing.assert_array_equal(dynamic[71], made[71][1].astype(np.float32))


def test_sorted_arrays_are_those_of_the_authors_script(recorded):
    """Restated from EEG_organization.py: by name, objects 08 and 09 apart, repeats in the order of recording."""
    place, labels, _ = recorded
    organise(place)
    for cut in CUTS.values():
        whole = np.load(place / f"process_data_{cut.name}.npy")
        for part, n_objects, n_repeats in (("train", 8, 2), ("test", 2, 4)):
            by_name = {}
            for epoch, label in zip(whole, map(str, labels), strict=True):
                if (label[-2:] in ("08", "09")) == (part == "test"):
                    by_name.setdefault(label, []).append(epoch)
            expected = np.array([by_name[name] for name in sorted(by_name)])
            came = np.load(place / f"sub07_{part}_data_{cut.name}.npy", allow_pickle=False)
            assert came.shape == (3, n_objects, n_repeats, 64, cut.n_samples)
            np.testing.assert_array_equal(came.reshape(expected.shape), expected)


def test_a_set_is_written_and_read_back(tmp_path):
    stimuli = SmallSet()
    write_stimuli(tmp_path / "set", stimuli, ORIGIN)
    read = Eeg3d(tmp_path / "set")
    assert read.items == stimuli.items
    assert str(read.label(Item("car", "03"))) == "02_car_03"
    for item in (Item("face", "00"), Item("house", "09")):
        np.testing.assert_array_equal(read.picture(item), stimuli.picture(item))
        frames, rate_hz = read.turn(item)
        assert (frames.shape, rate_hz) == ((4, 16, 16, 3), 30.0)
        np.testing.assert_allclose(frames, stimuli.turn(item)[0], atol=3)
        assert read.colour_label(item) == stimuli.colour_label(item)
        points = stimuli.point_cloud(item)
        np.testing.assert_allclose(read.point_cloud(item)[:, 3:], points[:, 3:], atol=1e-6)
        read.verify(item)
    assert (read.simulated, read.offline_only) == (True, False)
    assert read.warnings == ("simulated",)


def test_what_a_set_has_not_got_is_left_out(tmp_path):
    write_stimuli(tmp_path / "set", SmallSet(), ORIGIN, videos=False)
    read = Eeg3d(tmp_path / "set")
    assert read.turn(read.items[0]) is None
    assert any("video_new/ lacks 30 of 30" in warning for warning in read.warnings)


def test_nothing_is_written_over(tmp_path, recorded):
    with pytest.raises(FileExistsError):
        write_subject(tmp_path, "sub07", [], [])
    write_stimuli(tmp_path / "set", SmallSet(), ORIGIN, videos=False)
    with pytest.raises(FileExistsError):
        write_stimuli(tmp_path / "set", SmallSet(), ORIGIN, videos=False)


def test_a_wrong_shape_and_a_wrong_count_are_refused(tmp_path):
    labels = [Label.parse("01_face_00")] * 2
    with pytest.raises(SetUnusable, match=r"01_face_00, static: expected an epoch \(64, 250\), came \(64, 251\)"):
        write_subject(tmp_path, "a", labels, [(np.zeros((64, 251)), np.zeros((64, 600)))] * 2)
    with pytest.raises(SetUnusable, match="expected 2 epochs, came 1"):
        write_subject(tmp_path, "b", labels, [(np.zeros((64, 250)), np.zeros((64, 600)))])
    with pytest.raises(SetUnusable, match="more epochs"):
        write_subject(tmp_path, "c", labels, [(np.zeros((64, 250)), np.zeros((64, 600)))] * 3)


def test_an_irregular_design_is_not_sorted(tmp_path):
    labels = [Label.parse("01_face_00"), Label.parse("01_face_01"), Label.parse("01_face_01")]
    place = write_subject(tmp_path, "a", labels, [(np.zeros((64, 250)), np.zeros((64, 600)))] * 3)
    with pytest.raises(SetUnusable, match="as many objects"):
        organise(place)


def test_a_standardised_epoch_has_one_mean_and_one_deviation():
    epoch = np.random.default_rng(0).normal(5, 3, (64, 250)) * np.arange(1, 65)[:, None]
    made = standardised(epoch)
    assert made.dtype == np.float32
    assert made.mean() == pytest.approx(0, abs=1e-6)
    assert made.std() == pytest.approx(1, abs=1e-5)
    assert made[63].std() > made[0].std()


def test_a_flat_epoch_cannot_be_standardised():
    with pytest.raises(SetUnusable, match="flat"):
        standardised(np.ones((64, 250)))


def test_odd_sides_are_cut_to_even_ones(tmp_path):
    write_video(tmp_path / "a.mp4", np.zeros((3, 17, 33, 3), np.uint8), 30.0)
    assert read_video(tmp_path / "a.mp4")[0].shape == (3, 16, 32, 3)


def test_categories_are_numbered_in_the_order_of_the_set():
    labels = [str(label) for label in labels_of(SmallSet()).values()]
    assert labels == sorted(labels)
    assert [label[3:-3] for label in labels[::10]] == list(CATEGORIES)


def test_the_built_in_set_has_names_of_this_form():
    labels = labels_of(BuiltIn())
    assert len({str(label) for label in labels.values()}) == 720
    assert [str(label) for label in labels.values()] == sorted(str(label) for label in labels.values())
    assert all(label.item == item for item, label in labels.items())


def test_every_written_epoch_can_be_found_again(recorded):
    place, labels, made = recorded
    trials = open_trials(place, ())
    for number in (0, 17, 71):
        trial = trials[number]
        assert trial.label == labels[number]
        np.testing.assert_array_equal(trial.dynamic, made[number][1].astype(np.float32))
