import numpy as np
import pytest

from calibration.datasets.precut import OFFLINE, smni_epochs
from calibration.datasets.uci_smni import read_trials
from calibration.evaluate import design_for
from engines.errors import InputError
from tests.calibration.smni import archive

PATTERNS = {"match": ("S2 match",), "nomatch": ("S2 nomatch",)}


def test_trials_become_labelled_epochs_a_person_a_file(tmp_path):
    archives = [archive(tmp_path, person, seed) for seed, person in enumerate(("b", "a"))]
    epochs, warnings = smni_epochs(archives, PATTERNS)
    assert epochs.data.shape == (40, 4, 256) and epochs.channels == ("FP1", "OZ", "PZ", "CZ")
    assert epochs.classes == ("match", "nomatch") and np.bincount(epochs.labels).tolist() == [20, 20]
    assert epochs.file.tolist() == [0] * 20 + [1] * 20 and warnings == [OFFLINE]
    assert epochs.sfreq_hz == 256.0 and (epochs.epoch.tmin_s, epochs.epoch.tmax_s) == (0.0, 1.0)


def test_epochs_are_the_trials_against_their_average_without_their_mean(tmp_path):
    path = archive(tmp_path, "a", 0)
    epochs, _ = smni_epochs([path], PATTERNS)
    trials, _ = read_trials([path])
    assert np.allclose(epochs.data.mean(axis=1), 0) and np.allclose(epochs.data.mean(axis=2), 0)
    eeg = trials[3].data[:4]
    difference = (eeg[2] - eeg[0]) - (eeg[2] - eeg[0]).mean()
    assert np.allclose(epochs.data[3, 2] - epochs.data[3, 0], difference)


def test_every_trial_counts_although_conditions_come_in_runs(tmp_path):
    epochs, _ = smni_epochs([archive(tmp_path, "a", 0)], PATTERNS)
    sorted_ = epochs.take(np.argsort(epochs.labels, kind="stable"))
    assert design_for({"evoked": sorted_}, "evoked").n_trials == 20


def test_a_condition_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    path = archive(tmp_path, "a", 0)
    with pytest.raises(InputError, match=r"'first': 0.*the conditions are: S2 match, S2 nomatch"):
        smni_epochs([path], {"match": ("S2 match",), "first": ("S1 obj",)})
    with pytest.raises(InputError, match="--event"):
        smni_epochs([path], {})


def test_real_trials_of_two_people(data):
    archives = sorted((data / "eeg" / "uci_smni64").glob("*.tar"))[:2]
    epochs, _ = smni_epochs(archives, {"first": ("S1 obj",), **PATTERNS})
    assert epochs.data.shape == (60, 61, 256) and np.bincount(epochs.labels).tolist() == [20, 20, 20]
    assert 3 < epochs.data.std() < 50
