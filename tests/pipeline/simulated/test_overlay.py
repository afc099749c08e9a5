import numpy as np

from pipeline.simulated.overlay import Overlay


def onto(overlay, n, pieces):
    parts, at = [], 0
    for size in pieces:
        out = np.zeros((2, size))
        overlay.onto(out, at)
        parts.append(out)
        at += size
    return np.hstack(parts)[:, :n]


def test_waves_land_where_they_begin_whatever_the_pieces():
    waves = np.random.default_rng(0).standard_normal((3, 2, 30))
    found = []
    for pieces in ([100], [7] * 15, [40, 1, 59]):
        overlay = Overlay()
        for start, wave in zip((5, 20, 25), waves, strict=True):
            overlay.add(start, wave)
        found.append(onto(overlay, 100, pieces))
    assert np.array_equal(found[0], found[1]) and np.array_equal(found[0], found[2])
    np.testing.assert_array_equal(found[0][:, 5:20], waves[0][:, :15])


def test_a_wave_may_belong_to_one_row():
    overlay = Overlay()
    overlay.add(3, np.ones((1, 4)), rows=slice(1, 2))
    out = onto(overlay, 10, [10])
    assert not out[0].any() and out[1].sum() == 4


def test_it_says_whether_anything_was_added():
    overlay = Overlay()
    overlay.add(5, np.ones((2, 2)))
    assert [overlay.onto(np.zeros((2, 4)), at) for at in (0, 4, 8)] == [False, True, False]


def test_a_cut_lets_held_waves_die_away_and_leaves_others():
    overlay = Overlay()
    overlay.add(0, np.ones((2, 50)), held=True)
    overlay.add(0, np.ones((2, 50)))
    overlay.cut(20, 10)
    out = onto(overlay, 60, [60])[0]
    assert (out[:20] == 2).all() and (np.diff(out[19:31]) < 0).all() and (out[30:50] == 1).all()
