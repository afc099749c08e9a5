"""What the shipped shape decoder can do, on objects that neither its training nor its selection has opened."""

import numpy as np
import pytest

from calibration.metrics.shapes import f_score, sampled
from calibration.objects.build import build
from calibration.objects.catalogue import CATEGORIES, HELD_OUT
from calibration.objects.embeddings import builtin_embeddings
from calibration.objects.shipped import ITEMS
from engines.generators.base import Seen
from engines.generators.shape import SHIPPED, PocketShape
from engines.vision.pocket import PocketVision

N_POINTS, TOLERANCE = 2048, 0.1
UNSEEN = [(category, HELD_OUT[k % 2]) for k, category in enumerate(CATEGORIES[::8])]


@pytest.fixture(scope="module")
def shipped():
    return PocketShape.load()


def test_the_shipped_weights_were_trained_on_the_objects_that_there_are(shipped):
    """The encoder's digests are recomputed in test_pocket_vision_shipped; building all objects once is enough."""
    encoder = PocketVision.load()
    assert shipped.origin.trained_on == encoder.origin.trained_on
    assert shipped.origin.selected_on == encoder.origin.selected_on


def test_the_file_is_small():
    assert SHIPPED.stat().st_size < 5e6


@pytest.fixture(scope="module")
def unseen(shipped):
    """True embeddings of unseen objects, their surfaces, and the objects."""
    known, keys = builtin_embeddings(), [item.key for item in ITEMS]
    assert known.encoder == shipped.encoder
    raw = [known.raw[keys.index(f"{category}/{number:02d}")] for category, number in UNSEEN]
    return [shipped.surface(Seen(one)) for one in raw], [build(category, number) for category, number in UNSEEN]


def test_meshes_of_unseen_objects_are_nearer_to_them_than_a_guess_and_a_guess_than_the_mesh_of_another(shipped, unseen):
    guess = shipped.surface(Seen(shipped.net.centre.numpy(), certainty=0.0))
    made, true = ([sampled(one, N_POINTS) for one in some] for some in ([*unseen[0], guess], unseen[1]))
    scores = np.array([[f_score(one, truth, TOLERANCE) for one in made] for truth in true])
    own, others, guessed = scores.diagonal(), scores[:, :-1][~np.eye(len(true), dtype=bool)], scores[:, -1]
    assert own.mean() > guessed.mean() + 0.05
    assert guessed.mean() > others.mean() + 0.1


def test_what_is_not_certain_at_all_is_the_same_whatever_was_decoded(shipped):
    one, other = (shipped.surface(Seen(shipped.net.centre.numpy() + away, certainty=0.0)) for away in (0.0, 3.0))
    assert (one.vertices == other.vertices).all() and (one.colours == other.colours).all()


def test_colours_of_unseen_objects_are_nearer_to_theirs_than_to_those_of_others(unseen):
    made = np.array([surface.colours.mean(axis=0) for surface in unseen[0]])
    true = np.array([255 * solid.point_cloud(N_POINTS)[:, 3:].mean(axis=0) for solid in unseen[1]])
    apart = np.linalg.norm(made[:, None] - true[None], axis=-1)
    assert apart.diagonal().mean() < 0.5 * apart[~np.eye(len(true), dtype=bool)].mean()
