from dataclasses import replace

import pytest

from app.making import Making, OpenGenerators
from engines.errors import InputError, WorkError
from engines.generators.choose import Generators
from engines.generators.config import GeneratorsConfig
from tests.app.pretend_engines import Captions, generators
from tests.pipeline.pretend_generators import wish

WISH = wish(3, "chair", "red")


def test_the_picture_comes_first_then_mesh_then_caption():
    parts = list(Making(generators())(WISH))
    assert [(p.picture is not None, p.mesh is not None, p.caption, p.complete) for p in parts] == [
        (True, False, "", False),
        (True, True, "", False),
        (True, True, "a red chair", True),
    ]
    assert [kind for kind, _ in parts[-1].ms] == ["picture", "mesh", "caption"]
    assert parts[-1].caption_route == "picture" and parts[-1].pocket == ("noise",)


def test_equal_wishes_are_made_equal_and_another_seed_is_another_picture():
    making = Making(generators())
    first, again, other = (next(iter(making(w))).picture for w in (WISH, WISH, wish(3, "chair", "red", seed=6)))
    assert (first == again).all() and (first != other).any()


def test_one_that_fails_ends_no_other():
    *_, made = Making(generators(picture=WorkError("not enough memory"), shape=MemoryError("none left")))(WISH)
    assert made.complete and made.error == "picture: not enough memory; mesh: none left"
    assert made.picture is None and made.mesh is None and (made.caption, made.caption_route) == ("a red chair", "words")
    assert [kind for kind, _ in made.ms] == ["caption"]


def test_meshes_and_captions_are_told_how_certain_the_embedding_is_and_the_seed():
    told = []

    class Listens(Captions):
        def caption(self, seen):
            told.append((seen.certainty, seen.category, seen.seed))
            return super().caption(seen)

    list(Making(Generators(caption=Listens("told")))(replace(WISH, certainty=0.25, seed=11)))
    assert told == [(0.25, "chair", 11)]


def test_for_a_comparison_the_picture_alone_is_made():
    (made,) = Making(generators())(replace(WISH, aside=True))
    assert made.complete and made.picture is not None and made.mesh is None and not made.caption
    with pytest.raises(InputError, match="needs pictures"):
        list(Making(Generators(caption=Captions("told")))(replace(WISH, aside=True)))


def test_kinds_that_are_off_are_left_out():
    making = Making(Generators(caption=Captions("told")))
    assert making.opened.generators == (("caption", "told"),)
    (made,) = making(WISH)
    assert made.complete and made.picture is None and made.caption


def test_what_is_opened_is_warm_and_says_who_it_is(monkeypatch):
    opened = generators()
    monkeypatch.setattr("app.making.open_generators", lambda config, encoder: opened)
    making = OpenGenerators(GeneratorsConfig(), "made up")()
    assert opened.picture.warm and opened.shape.warm and opened.caption.warm
    assert making.opened.pocket == ("noise",) and making.opened.passed_over == (
        ("picture sdxl-turbo", "it is not here"),
    )
