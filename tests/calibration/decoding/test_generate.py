from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from calibration import protocol
from calibration.datasets.eeg3d import Eeg3d
from calibration.decoding import generate
from calibration.decoding.generate import DatasetConfig, write_dataset
from calibration.decoding.who import WHO_FILE, read_who
from calibration.objects.builtin import BuiltIn
from calibration.participant import ELECTRODES
from calibration.sets.errors import SetUnusable
from calibration.simulate import plan
from engines.errors import InputError
from pipeline.sources.played import PlayedSource
from tests.calibration.decoding.conftest import SMALL


def test_every_object_is_shown_as_often_as_in_eeg_3d_in_the_order_of_the_protocol(dataset):
    trials = Eeg3d(dataset).trials("sub09")
    counts = Counter(label.item for label in trials.labels)
    assert {n for item, n in counts.items() if item.object in ("08", "09")} == {4}
    assert {n for item, n in counts.items() if item.object not in ("08", "09")} == {2}
    assert len(trials) == 48 and len(counts) == 20
    chosen = protocol.load("eeg3d", n_categories=2, repeats=12)
    order = [trial.item for run in (0, 1) for trial in protocol.trials(chosen, 9, run)]
    assert [label.item for label in trials.labels] == order


def test_the_folder_says_that_it_is_simulated_and_causal_and_what_a_session_is(dataset):
    made = Eeg3d(dataset)
    assert made.simulated and not made.offline_only
    assert "SNR 1" in made.name and "afterimage" in made.name
    trials = made.trials("sub09")
    assert [trials.session(k) for k in (0, 23, 24, 47)] == [0, 0, 1, 1]


def test_beside_the_arrays_stands_who_it_is(dataset):
    who = read_who(dataset / "EEGdata" / "sub09")
    participant = plan(SMALL.of(9, 0)).participant
    assert (who.seed, who.snr, who.participant) == (9, 1.0, participant.digest)
    assert who.channels == ELECTRODES
    assert who.chain["reference"] == "average"


def test_a_damaged_statement_of_who_it_is_is_refused(tmp_path):
    assert read_who(tmp_path) is None
    (tmp_path / WHO_FILE).write_text('{"seed": "nine"}')
    with pytest.raises(SetUnusable, match=r"simulated\.json"):
        read_who(tmp_path)


def test_pictures_and_colours_are_those_of_the_built_in_set(dataset):
    made, built_in = Eeg3d(dataset), BuiltIn()
    assert set(made.items) <= set(built_in.items)
    for item in made.items[::7]:
        assert np.array_equal(made.picture(item), built_in.picture(item))
        assert made.colour_label(item) == built_in.colour_label(item)


def test_the_sorted_arrays_hold_the_published_split(dataset):
    place = dataset / "EEGdata" / "sub09"
    training = np.load(place / "sub09_train_data_6s_100Hz.npy", mmap_mode="r")
    test = np.load(place / "sub09_test_data_1s_250Hz.npy", mmap_mode="r")
    assert training.shape == (2, 8, 2, 64, 600) and test.shape == (2, 2, 4, 64, 250)


def test_a_participant_that_is_there_is_left_alone(dataset):
    place = dataset / "EEGdata" / "sub09"
    before = {path: path.stat().st_mtime_ns for path in place.iterdir()}
    assert write_dataset(dataset, SMALL) == []
    assert {path: path.stat().st_mtime_ns for path in place.iterdir()} == before


def test_a_folder_of_other_data_is_refused(dataset, tmp_path):
    with pytest.raises(InputError, match="another folder"):
        write_dataset(dataset, replace(SMALL, snr=0.5))
    with pytest.raises(InputError, match="another folder"):
        write_dataset(dataset, replace(SMALL, repeats=24))
    with pytest.raises(InputError, match="new folder"):
        write_dataset(tmp_path, SMALL)


def test_sessions_must_make_whole_showings():
    with pytest.raises(InputError, match=r"--repeats.*24.*5 came"):
        DatasetConfig(participants=(1,), repeats=5)
    with pytest.raises(InputError, match="0 came"):
        DatasetConfig(participants=(1,), repeats=0)


class Stopped(Exception):
    pass


def test_what_was_interrupted_is_not_there_and_is_made_the_next_time(tmp_path, monkeypatch):
    folder, config = tmp_path / "set", replace(SMALL, n_categories=1)
    plays = iter([PlayedSource, None])

    def stops(performance):
        source = next(plays)
        if source is None:
            raise Stopped
        return source(performance)

    monkeypatch.setattr(generate, "PlayedSource", stops)
    with pytest.raises(Stopped):
        write_dataset(folder, config)
    assert Eeg3d(folder).subjects == ()
    monkeypatch.undo()
    assert write_dataset(folder, config) == ["sub09"]
    assert Eeg3d(folder).subjects == ("sub09",)
    assert sorted(path.name for path in folder.iterdir() if "unfinished" in path.name) == []


def test_pictures_that_another_process_wrote_meanwhile_are_used(tmp_path, monkeypatch):
    folder = tmp_path / "set"
    write = generate.write_stimuli

    def write_twice(place, *more, **options):
        write(folder, *more, **options)
        write(place, *more, **options)

    monkeypatch.setattr(generate, "write_stimuli", write_twice)
    assert write_dataset(folder, replace(SMALL, participants=())) == []
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_rejected_trial_is_told_since_the_layout_has_whole_sessions_only(tmp_path, monkeypatch):
    class Late(PlayedSource):
        """Its first seconds are lost, and the first picture with them."""

        def open(self):
            super().open()
            for _ in range(9):
                self.read(0.0)

    monkeypatch.setattr(generate, "PlayedSource", Late)
    with pytest.raises(SetUnusable, match=r"session 0 of participant 9.*rejected"):
        write_dataset(tmp_path / "set", replace(SMALL, n_categories=1))
