import numpy as np

from calibration.metrics.generation import Centres, shape_credit
from calibration.metrics.looks import views_of
from calibration.objects.build import build
from calibration.objects.catalogue import CATEGORIES
from calibration.surface_view import surface_of
from engines.vision.pocket import PocketVision

SHOWN = ("car", "cup", "guitar")


def test_true_shapes_are_named_from_four_sides_and_those_of_others_are_not():
    views = views_of([surface_of(build(name, 7).mesh()) for name in SHOWN])
    assert len(views) == 4 and all(side.shape == (len(SHOWN), 96, 96, 3) for side in views)
    assert not np.array_equal(views[0], views[1])
    centres, own = Centres.builtin(PocketVision.load()), np.array([CATEGORIES.index(name) for name in SHOWN])
    assert shape_credit(centres, views, own, n_way=10, k=3).min() > 0.9
    assert shape_credit(centres, views, np.roll(own, 1), n_way=10, k=3).mean() < 0.9
