import numpy as np
import pytest

from engines.errors import InputError
from engines.vision.base import Embeddings, Normalised, normalised
from engines.vision.encoders import open_encoder

RAW = np.random.default_rng(0).normal(size=(5, 16)).astype(np.float32) * 3


def test_normalised_embeddings_are_the_directions_of_the_raw_ones():
    given = Embeddings("some", RAW)
    directions = given.normalised()
    assert np.linalg.norm(directions.unit, axis=1) == pytest.approx(np.ones(5), abs=1e-6)
    assert directions.unit * np.linalg.norm(RAW, axis=1, keepdims=True) == pytest.approx(RAW, abs=1e-5)
    assert given.raw is RAW


def test_an_embedding_of_nothing_stays_nothing():
    assert np.array_equal(normalised(np.zeros((1, 4), dtype=np.float32)), np.zeros((1, 4)))


def test_normalised_embeddings_are_not_taken_for_raw_ones():
    with pytest.raises(InputError, match="expected raw embeddings"):
        Embeddings("some", normalised(RAW))


@pytest.mark.parametrize("raw", [RAW.astype(np.float64), RAW[0], RAW * np.nan])
def test_what_is_no_embedding_is_refused(raw):
    with pytest.raises(InputError, match="float32"):
        Embeddings("some", raw)


def test_cosines_are_those_of_the_raw_embeddings():
    cosines = Embeddings("some", RAW).normalised().cosines(Embeddings("some", RAW[:2]).normalised())
    wanted = [[a @ b / np.sqrt(a @ a) / np.sqrt(b @ b) for b in RAW[:2]] for a in RAW]
    assert cosines == pytest.approx(np.array(wanted), abs=1e-6)


def test_embeddings_of_two_encoders_are_not_compared():
    a, b = (Normalised(name, normalised(RAW)) for name in ("one", "other"))
    with pytest.raises(InputError, match="different spaces"):
        a.cosines(b)


def test_an_unknown_encoder_is_refused_with_those_that_there_are():
    with pytest.raises(InputError, match="pocket, openclip"):
        open_encoder("dino")


def test_openclip_without_a_folder_says_what_to_get():
    with pytest.raises(InputError, match=r"3\.9 GB; licence MIT"):
        open_encoder("openclip")
