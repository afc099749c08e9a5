"""Samples that are no numbers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.holding import Holder

NAN = np.nan


def test_finite_data_pass_untouched():
    data = np.arange(6.0).reshape(2, 3)
    held, lost = Holder(2, 3, 10).push(data)
    assert held is data
    assert lost is None


def test_a_short_run_is_held_and_lost():
    held, lost = Holder(1, 2, 5).push(np.array([[1.0, NAN, np.inf, 4.0, 5.0]]))
    assert held.tolist() == [[1, 1, 1, 4, 5]]
    assert lost.tolist() == [[False, True, True, False, False]]


def test_a_long_run_costs_the_recovery_too():
    held, lost = Holder(1, 2, 2).push(np.array([[1.0, NAN, NAN, -np.inf, 4.0, 5.0, 6.0]]))
    assert held.tolist() == [[1, 1, 1, 1, 4, 5, 6]]
    assert lost.tolist() == [[False, True, True, True, True, True, False]]


def test_a_channel_that_begins_without_a_number_recovers_too():
    held, lost = Holder(1, 9, 2).push(np.array([[NAN, 4.0, 5.0, 6.0]]))
    assert held.tolist() == [[0, 4, 5, 6]]
    assert lost.tolist() == [[True, True, True, False]]


def test_the_given_array_is_not_changed():
    data = np.array([[1.0, NAN]])
    Holder(1, 2, 2).push(data)
    assert np.isnan(data[0, 1])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.5, 1.5, NAN]), min_size=2, max_size=60), st.lists(st.integers(1, 59), max_size=20))
def test_holding_does_not_depend_on_chunks(values, cuts):
    data = np.array([values, np.ones(len(values))])
    whole = Holder(2, 2, 3)
    held, lost = whole.push(data)
    lost = np.zeros(data.shape, dtype=bool) if lost is None else lost
    pieces = Holder(2, 2, 3)
    parts = [p for p in np.split(data, sorted({c for c in cuts if c < len(values)}), axis=1) if p.shape[1]]
    results = [(p, *pieces.push(p)) for p in parts]
    np.testing.assert_array_equal(held, np.concatenate([h for _, h, _ in results], axis=1))
    losses = [np.zeros(p.shape, dtype=bool) if bad is None else bad for p, _, bad in results]
    np.testing.assert_array_equal(lost, np.concatenate(losses, axis=1))
