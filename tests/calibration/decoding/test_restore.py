"""Restored embeddings are as long as true ones, point where decoded ones did, and say no more than was decoded."""

import numpy as np
import pytest

from calibration.decoding.restore import Restore, StagedRestore
from engines.errors import InputError

DIM, N = 24, 400


def shrunk(by: float = 0.1, seed: int = 0):
    """True embeddings, and such as a regression gives: a tenth as far from a mean of its own."""
    rng = np.random.default_rng(seed)
    centre = rng.normal(5.0, 1.0, DIM)
    true = centre + rng.normal(size=(N, DIM))
    decoded = centre + 0.3 + by * (true - centre + rng.normal(size=(N, DIM)))
    return true.astype(np.float32), decoded.astype(np.float32), centre.astype(np.float32)


def spread(embeddings) -> float:
    return float(np.sqrt(np.mean(np.var(embeddings, axis=0))))


def test_restored_embeddings_spread_as_true_ones_about_the_centre() -> None:
    true, decoded, centre = shrunk()
    restored = Restore.fit(decoded, true, centre).apply(decoded)
    assert spread(decoded) < 0.2 * spread(true)
    assert np.isclose(spread(restored), spread(true), rtol=1e-4)
    assert np.allclose(restored.mean(axis=0), centre, atol=1e-3)


def test_other_trials_are_moved_by_what_the_first_ones_told() -> None:
    true, decoded, centre = shrunk()
    restore = Restore.fit(decoded[: N // 2], true[: N // 2], centre)
    later = restore.apply(decoded[N // 2 :])
    assert np.isclose(spread(later), spread(true[N // 2 :]), rtol=0.1)


def test_differences_between_trials_keep_their_directions() -> None:
    true, decoded, centre = shrunk()
    restore = Restore.fit(decoded, true, centre)
    before, after = decoded[1] - decoded[0], restore.apply(decoded[1]) - restore.apply(decoded[0])
    assert np.allclose(after / np.linalg.norm(after), before / np.linalg.norm(before), atol=1e-5)


def test_a_decoder_that_always_says_the_same_is_not_lengthened() -> None:
    true, decoded, centre = shrunk()
    restore = Restore.fit(np.repeat(decoded[:1], N, axis=0), true, centre)
    assert (restore.gain, restore.certainty) == (1.0, 0.0)
    assert np.allclose(restore.apply(decoded[0]), centre, atol=1e-5)


@pytest.mark.parametrize("kept", [0.9, 0.3, 0.0])
def test_certainty_is_the_correlation_with_true_embeddings_whatever_the_length(kept) -> None:
    rng = np.random.default_rng(3)
    true, error = rng.normal(size=(2, 4000, DIM)).astype(np.float32)
    decoded = 0.1 * (kept * true + np.sqrt(1 - kept**2) * error)
    assert Restore.fit(decoded, true, true[0]).certainty == pytest.approx(kept, abs=0.01)
    assert Restore.fit(-decoded, true, true[0]).certainty == pytest.approx(0.0, abs=0.01)


def test_the_certain_part_of_a_restored_embedding_is_what_a_regression_expects() -> None:
    true, decoded, centre = shrunk(by=0.3)
    restore = Restore.fit(decoded, true, centre)
    expected = restore.certainty * (restore.apply(decoded) - centre)
    away = true - true.mean(axis=0)
    assert float((expected * away).sum() / (expected**2).sum()) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("n_decoded", "n_true"), [(1, 1), (3, 4)])
def test_what_cannot_be_fitted_is_refused(n_decoded: int, n_true: int) -> None:
    true, decoded, centre = shrunk()
    with pytest.raises(InputError, match="two predictions or more"):
        Restore.fit(decoded[:n_decoded], true[:n_true], centre)


def test_each_stage_has_its_own_gain_until_the_next_begins() -> None:
    true, weak, centre = shrunk(by=0.05)
    strong = shrunk(by=0.5)[1]
    staged = StagedRestore.of_stages({600: Restore.fit(strong, true, centre), 0: Restore.fit(weak, true, centre)})
    assert staged.of(0).gain == staged.of(599).gain > 5 * staged.of(600).gain
    assert staged.of(700).gain == staged.of(600).gain


def test_stages_are_read_as_they_were_kept() -> None:
    true, decoded, centre = shrunk()
    staged = StagedRestore.of_stages({0: Restore.fit(decoded, true, centre)})
    again = StagedRestore.from_arrays({**staged.arrays(), "centre": centre, "raw": true})
    assert again is not None
    assert (again.of(0).apply(decoded) == staged.of(0).apply(decoded)).all()
    assert again.of(0).certainty == staged.of(0).certainty
    assert StagedRestore.from_arrays({"centre": centre, "raw": true}) is None


def test_subjects_of_before_are_as_certain_as_what_they_decode_is_long() -> None:
    true, decoded, centre = shrunk(by=0.25)
    stored = StagedRestore.of_stages({0: Restore.fit(decoded, true, centre)}).arrays()
    del stored["restore.certainties"]
    again = StagedRestore.from_arrays({**stored, "centre": centre})
    assert again is not None
    assert again.of(0).certainty == pytest.approx(spread(decoded) / spread(true), rel=1e-3)
