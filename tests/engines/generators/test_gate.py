import numpy as np
import pytest

from engines.generators.gate import Gate


def turned(degrees):
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


def test_the_first_of_every_trial_passes():
    gate = Gate(0.9)
    assert gate.moved(0, turned(0))
    gate.made(0, turned(0))
    assert gate.moved(1, turned(0))


@pytest.mark.parametrize(("degrees", "moved"), [(25.0, False), (26.0, True)])
def test_within_a_trial_only_what_turned_far_enough_passes(degrees, moved):
    gate = Gate(0.9)  # 25.8 degrees
    gate.made(0, 3 * turned(0))
    assert gate.moved(0, 7 * turned(degrees)) is moved


def test_what_passed_and_was_not_made_is_no_measure():
    gate = Gate(0.9)
    gate.made(0, turned(0))
    assert gate.moved(0, turned(50))
    assert not gate.moved(0, turned(10))


def test_small_steps_add_up():
    gate = Gate(0.9)
    gate.made(0, turned(0))
    assert [gate.moved(0, turned(d)) for d in (10, 20, 30)] == [False, False, True]


def test_other_words_pass():
    gate = Gate(0.9)
    gate.made(0, turned(0), ("chair", "red"))
    assert gate.moved(0, turned(0), ("chair", "blue")) and not gate.moved(0, turned(0), ("chair", "red"))


def test_directions_are_seen_from_the_centre():
    centre = np.array([100.0, 0.0])
    gate = Gate(0.9, centre)
    gate.made(0, centre + turned(0))
    assert gate.moved(0, centre + turned(90)) and not gate.moved(0, centre + 2 * turned(5))


def test_no_direction_is_no_reason_to_skip():
    gate = Gate(0.9)
    gate.made(0, np.zeros(2))
    assert gate.moved(0, np.zeros(2))
