import numpy as np
import pytest

from calibration.folds import blocks_of, design_of, design_warnings, folds, runs_are_trials, windows_of
from engines.errors import InputError


def design(labels, *, file=None, spacing_s=2.0, epoch_s=1.0, begun=None, classes=("a", "b")):
    labels = np.asarray(labels)
    file = np.zeros(len(labels), dtype=int) if file is None else np.asarray(file)
    return design_of(labels, np.arange(len(labels)) * spacing_s, file, epoch_s, classes, begun)


def random_labels(n, seed=0):
    return np.random.default_rng(seed).permutation(np.arange(n) % 2)


@pytest.mark.parametrize("n_files", [1, 2, 3, 6])
def test_blocks_are_contiguous_and_never_straddle_files(n_files):
    file = np.repeat(np.arange(n_files), 24)
    blocks = blocks_of(design(random_labels(24 * n_files), file=file))
    assert (np.diff(blocks) >= 0).all()
    assert all(len(np.unique(file[blocks == b])) == 1 for b in np.unique(blocks))
    assert len(np.unique(blocks)) >= 3


def test_there_are_no_more_blocks_than_trials_of_the_rarest_class():
    assert len(np.unique(blocks_of(design([0, 0, 1, 0, 0, 0, 1, 0, 0])))) == 2


def test_a_fold_loses_its_neighbours_and_everything_within_an_epoch():
    fold = list(folds(one := design(random_labels(40), spacing_s=0.6), blocks_of(one)))[1]
    assert fold.test.tolist() == list(range(8, 16))
    # Three trials on each side begin less than two epochs of 1 s from a tested one.
    assert fold.train.tolist() == [*range(5), *range(19, 40)]
    apart = list(folds(one := design(random_labels(40), spacing_s=60.0), blocks_of(one)))[1]
    assert apart.train.tolist() == [*range(7), *range(17, 40)]


def test_nothing_is_purged_across_files():
    one = design(random_labels(30), file=np.repeat([0, 1, 2], 10))
    assert [len(f.train) for f in folds(one, blocks_of(one))] == [20, 20, 20]


def test_windows_of_one_trial_are_one_trial():
    one = design(np.repeat(random_labels(12, seed=5), 6))
    assert one.n_trials < 13 and len(windows_of(one, np.array([0]))) >= 6
    for fold in folds(one, blocks_of(one)):
        assert not set(windows_of(one, fold.train)) & set(windows_of(one, fold.test))


def test_random_order_leaves_every_window_a_trial_of_its_own():
    found = [runs_are_trials(random_labels(100, s), np.arange(100.0), np.zeros(100)) for s in range(50)]
    assert sum(found) <= 3


def test_markers_that_begin_trials_decide_where_there_are_some():
    one = design([0, 0, 0, 0, 1, 1], begun=np.array([1, 1, 2, 2, 3, 3]))
    assert one.trial.tolist() == [0, 0, 1, 1, 2, 2]
    with pytest.raises(InputError, match="one class in each trial"):
        design([0, 1], begun=np.array([1, 1]))


def test_a_class_shown_in_one_stretch_is_called_confounded_with_time():
    said = design_warnings(design(np.repeat([2, 0, 1], 80), spacing_s=0.33, classes=("a", "b", "c")))
    assert "confounded" in said[0] and "one stretch" in said[0]
    assert "too few trials (a: 1, b: 1, c: 1" in said[1]


def test_a_class_that_comes_early_is_called_confounded_with_time():
    rng = np.random.default_rng(0)
    labels = (rng.random(200) < np.linspace(0.2, 0.8, 200)).astype(int)
    assert any("come earlier" in text for text in design_warnings(design(labels)))


def test_a_clean_design_is_not_warned_of():
    said = [design_warnings(design(random_labels(120, seed))) for seed in range(20)]
    assert sum(bool(s) for s in said) <= 2


def test_imbalance_is_told_with_its_numbers():
    labels = np.random.default_rng(1).permutation([0] * 75 + [1] * 25)
    assert any("75 trials of 'a' against 25 of 'b'" in text for text in design_warnings(design(labels)))
