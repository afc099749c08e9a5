import numpy as np
import pytest

from calibration.brain.cited import AREAS_MNI_MM
from calibration.brain.tuning import AREA_MOVING, AREA_STILL, Tuning, looks
from calibration.descriptors import COLOUR, MOVING, N_MOVING, STILL, Described


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    still = rng.standard_normal((200, len(STILL))) @ rng.standard_normal((len(STILL), len(STILL)))
    keys = tuple(f"thing/{k:03d}" for k in range(200))
    return Described.of(keys, still, rng.standard_normal((200, N_MOVING, len(MOVING))))


def test_every_area_cares_for_descriptors_that_there_are():
    assert set(AREA_STILL) == set(AREAS_MNI_MM) and set(AREA_MOVING) < set(AREAS_MNI_MM)
    assert all(set(names) <= set(STILL) for names in AREA_STILL.values())
    assert all(set(names) <= set(MOVING) for names in AREA_MOVING.values())


def test_a_liking_varies_by_one_over_the_set_however_its_descriptors_hang_together(table):
    tuning = Tuning(np.random.default_rng(1), table)
    for area in ("V1", "LOC", "FFA"):
        assert np.std(table.still @ tuning.still("P1", area)) == pytest.approx(1.0)
    assert np.std(table.moving @ tuning.moving("turn", "MT")) == pytest.approx(1.0)


def test_an_area_is_blind_to_what_it_does_not_care_for(table):
    direction = Tuning(np.random.default_rng(1), table).still("N170", "LOC")
    assert not direction[[STILL.index(n) for n in COLOUR]].any() and direction[STILL.index("solidity")]


def test_people_share_half_of_their_preferences(table):
    ours = [Tuning(np.random.default_rng(seed), table).still("N170", "LOC") for seed in range(12)]
    alike = np.corrcoef(ours)[np.triu_indices(12, 1)]
    assert 0.2 < alike.mean() < 0.8 and alike.max() < 0.99


def test_looks_come_from_the_table_or_else_from_the_name(table):
    known, unknown = looks("thing/003", table), looks("tangram/00", table)
    assert known.known and not unknown.known
    np.testing.assert_array_equal(known.still, table.still[3])
    np.testing.assert_array_equal(unknown.still, looks("tangram/00", None).still)
    assert np.isfinite(unknown.moving).all() and unknown.moving.shape == (N_MOVING, len(MOVING))


def test_by_name_objects_of_a_category_are_alike():
    a, b, other = (looks(key, None).still for key in ("x/00", "x/01", "y/00"))
    assert np.corrcoef(a, b)[0, 1] > 0.5 > abs(np.corrcoef(a, other)[0, 1])


def test_a_film_shorter_than_a_turn_stays_on_its_last_frame():
    rng = np.random.default_rng(0)
    short = Described.of(
        ("a/00", "b/00"), rng.standard_normal((2, len(STILL))), rng.standard_normal((2, 7, len(MOVING)))
    )
    moving = looks("b/00", short).moving
    assert moving.shape == (N_MOVING, len(MOVING)) and (moving[6:] == short.moving[1, 6]).all()
