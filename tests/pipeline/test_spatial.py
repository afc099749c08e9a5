"""Steps across channels against MNE."""

import mne
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import montage
from pipeline.spatial import Interpolator, Reference, fit_eog_weights, interpolation, sum_rows, weighted

NAMES = montage.NEUROSCAN_64
PLACES = [montage.positions(NAMES)[name] for name in NAMES]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 70), st.integers(1, 50), st.integers(0, 2**31))
def test_a_sum_over_rows_rounds_alike_for_any_number_of_samples(n_rows, n, seed):
    rows = np.random.default_rng(seed).standard_normal((n_rows, n)) * 1e5
    whole = sum_rows(rows)
    single = np.concatenate([sum_rows(rows[:, i : i + 1]) for i in range(n)])
    np.testing.assert_array_equal(whole, single)
    np.testing.assert_allclose(whole, rows.sum(axis=0), rtol=1e-12, atol=1e-6)


def test_a_sum_over_no_rows_is_zero():
    assert sum_rows(np.empty((0, 3))).tolist() == [0, 0, 0]


def test_weighted_sums_are_a_matrix_product():
    rng = np.random.default_rng(0)
    weights, rows = rng.standard_normal((3, 7)), rng.standard_normal((7, 20))
    np.testing.assert_allclose(weighted(weights, rows), weights @ rows, atol=1e-12)
    assert weighted(np.empty((0, 7)), rows).shape == (0, 20)


def test_interpolation_gives_what_mne_gives():
    bad = [9, 40, 63]
    data = np.random.default_rng(1).standard_normal((64, 50))
    raw = mne.io.RawArray(data.copy(), mne.create_info(list(NAMES), 250.0, "eeg"), verbose=False)
    digitised = mne.channels.make_dig_montage(
        {name: np.array(place) for name, place in zip(NAMES, PLACES, strict=True)}, coord_frame="head"
    )
    raw.set_montage(digitised)
    raw.info["bads"] = [NAMES[i] for i in bad]
    raw.interpolate_bads(origin=(0.0, 0.0, 0.04), verbose=False)
    interpolator = Interpolator(NAMES, PLACES)
    interpolator.prepare(frozenset(bad))
    interpolator.apply(data)
    np.testing.assert_allclose(data, raw.get_data(), atol=1e-9)


def test_a_smooth_field_is_recovered():
    towards = np.array([0.3, -0.9, 0.3])
    field = np.array([np.dot(np.array(p) - (0, 0, 0.04), towards) for p in PLACES])
    weights = interpolation(tuple(p for i, p in enumerate(PLACES) if i != 27), (PLACES[27],))
    assert weights @ np.delete(field, 27) == pytest.approx(field[27], abs=0.15 * np.ptp(field))


def test_channels_without_a_place_are_left_out_and_named():
    interpolator = Interpolator([*NAMES, "odd"], [*PLACES, None])
    interpolator.prepare(frozenset({3, 64}))
    assert interpolator.replaced == [3]
    assert interpolator.left_out == {64}
    assert "odd" in interpolator.why_not
    assert "unknown" in interpolator.why_not


def test_too_few_good_electrodes_interpolate_nothing():
    interpolator = Interpolator(NAMES[:9], PLACES[:9])
    interpolator.prepare(frozenset({0, 1}))
    assert interpolator.replaced == []
    assert "only 7 good electrodes" in interpolator.why_not


def test_a_reference_without_enough_good_channels_says_so_and_subtracts_nothing():
    reference = Reference(["M1", "M2", "Cz"], [0, 1])
    data = np.array([[2.0], [4.0], [10.0]])
    reference.prepare(frozenset({0, 1}))
    assert "M1, M2" in reference.note
    reference.apply(data)
    assert data[:, 0].tolist() == [2, 4, 10]
    reference.prepare(frozenset({0}))
    assert reference.note == ""
    reference.apply(data)
    assert data[:, 0].tolist() == [-2, 0, 6]


def test_eye_weights_are_those_of_mne():
    rng = np.random.default_rng(2)
    eye = rng.standard_normal((2, 4000)).cumsum(axis=1)
    eeg = rng.standard_normal((10, 4000)) * 5 + rng.standard_normal((10, 2)) @ eye
    names = [f"EEG{i}" for i in range(10)]
    info = mne.create_info([*names, "VEOG", "HEOG"], 250.0, ["eeg"] * 10 + ["eog"] * 2)
    raw = mne.io.RawArray(np.vstack([eeg, eye]), info, verbose=False)
    raw.set_eeg_reference([], verbose=False)
    model = mne.preprocessing.EOGRegression(picks="eeg", picks_artifact="eog").fit(raw)
    np.testing.assert_allclose(fit_eog_weights(eeg, eye), model.coef_, rtol=1e-6)
