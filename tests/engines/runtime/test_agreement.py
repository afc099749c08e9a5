import numpy as np
import pytest

from engines.errors import InputError
from engines.runtime.agreement import TOLERANCES, Agreement, Tolerance, compare, require, worst
from engines.runtime.errors import Disagreement
from engines.spec import Spec, TensorSpec, batch_of

SPEC = Spec((), (TensorSpec("y", batch_of(("feature", 3)), "float32", "numbers"),))


def array(*rows):
    return {"y": np.array(rows, np.float32)}


def test_the_largest_difference_is_told_absolute_and_relative_to_the_largest_number():
    (found,) = compare(SPEC, array([1, 2, 4], [0, 0, 0]), array([1, 2, 3], [0, 0, 0]))
    assert (found.output, found.max_abs, found.relative) == ("y", 1.0, 0.25)
    assert found.cosine == pytest.approx(17 / np.sqrt(21 * 14))


def test_the_cosine_is_that_of_the_worst_trial():
    (found,) = compare(SPEC, array([1, 0, 0], [0, 1, 0]), array([1, 0, 0], [1, 0, 0]))
    assert found.cosine == 0.0


def test_answers_of_zero_agree_with_zero_and_with_nothing_else():
    (same,) = compare(SPEC, array([0, 0, 0]), array([0, 0, 0]))
    (other,) = compare(SPEC, array([0, 0, 0]), array([0, 1, 0]))
    assert same.within(TOLERANCES["float32"])
    assert (other.cosine, other.relative) == (0.0, 1.0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_never_agrees(value):
    (found,) = compare(SPEC, array([1, 2, 3]), array([1, value, 3]))
    assert not found.within(Tolerance(1e9, -1.0))
    assert not worst((found,), (Agreement("y", 0.0, 0.0, 1.0),))[0].within(Tolerance(1e9, -1.0))


def test_the_worst_of_two_comparisons_is_taken_number_by_number():
    assert worst((Agreement("y", 1.0, 0.1, 0.9),), (Agreement("y", 0.5, 0.2, 0.8),)) == (Agreement("y", 1.0, 0.2, 0.8),)


def test_a_disagreement_tells_its_numbers_and_what_to_do():
    apart = (Agreement("x", 0.0, 0.0, 1.0), Agreement("y", 0.5, 0.25, 0.97))
    with pytest.raises(Disagreement, match=r"engine: .*0\.0001.*y: 0\.5 apart \(0\.25 of the largest\).*; build again"):
        require(apart, TOLERANCES["float32"], "engine", "build again")
    require(apart[:1], TOLERANCES["float32"], "engine", "build again")


def test_outputs_of_another_shape_are_refused():
    with pytest.raises(InputError, match="axis 1"):
        compare(SPEC, array([1, 2, 3]), {"y": np.zeros((1, 4), np.float32)})
