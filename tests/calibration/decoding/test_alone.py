"""One stream's answer hangs on that stream alone."""

from dataclasses import replace

import numpy as np
import pytest

from calibration.decoding.alone import BOTH, PICTURE, TURN, decode
from tests.calibration.decoding.planted import Templates, planted


@pytest.fixture(scope="module")
def sets():
    return planted(range(7, 8)), planted(seed=1)


def told(fitted, selection, trials, streams):
    return decode(fitted, selection, trials, streams).as_decoded


def test_the_picture_alone_hangs_on_no_sample_of_the_turn(sets) -> None:
    selection, test = sets
    changed = replace(test, dynamic=test.dynamic[::-1].copy())
    assert (told(Templates(), selection, test, PICTURE) == told(Templates(), selection, changed, PICTURE)).all()


def test_the_turn_alone_hangs_on_no_sample_of_the_picture(sets) -> None:
    selection, test = sets
    changed = replace(test, static=test.static[::-1].copy())
    assert (told(Templates(), selection, test, TURN) == told(Templates(), selection, changed, TURN)).all()
    other_turns = replace(test, dynamic=test.dynamic[::-1].copy())
    assert (told(Templates(), selection, test, TURN) != told(Templates(), selection, other_turns, TURN)).any()


@pytest.mark.parametrize("streams", [BOTH, PICTURE, TURN])
def test_restored_embeddings_spread_as_those_of_the_selection_objects(sets, streams) -> None:
    selection, test = sets
    found = decode(Templates(), selection, test, streams)
    true = selection.targets[selection.item]
    assert np.isclose(np.sqrt(found.restored.var(axis=0).sum() / true.var(axis=0).sum()), 1.0, atol=0.35)
