import pytest

from engines.errors import InputError, WorkError
from engines.generators import choose
from engines.generators.choose import NoGenerator, open_generators
from engines.generators.config import CAPTIONS, PICTURES, SHAPES, GeneratorsConfig


class Fake:
    def __init__(self, name, encoder="mine"):
        self.name, self.encoder, self.pocket = name, encoder, False


def opens(name, encoder="mine", error=None):
    def open_(config, wanted):
        if error is not None:
            raise error
        return Fake(name, encoder)

    return open_


@pytest.fixture
def known(monkeypatch):
    """Tables that the test fills; everything is there to begin with."""
    tables = {}
    for table, names in (("_PICTURES", PICTURES), ("_SHAPES", SHAPES), ("_CAPTIONS", CAPTIONS)):
        tables[table] = {name: opens(name) for name in names}
        monkeypatch.setattr(choose, table, tables[table])
    return tables


def test_the_first_allowed_of_each_kind_is_taken(known):
    found = open_generators(GeneratorsConfig(pictures=("pocket", "sdxl-turbo")), "mine")
    assert (found.picture.name, found.shape.name, found.caption.name) == ("pocket", "trellis", "git")
    assert found.passed_over == {}


def test_why_one_was_passed_over_is_kept(known):
    known["_PICTURES"]["sdxl-turbo"] = opens("", error=InputError("get it from there"))
    known["_SHAPES"]["trellis"] = opens("trellis", encoder="another")
    found = open_generators(GeneratorsConfig(), "mine")
    assert (found.picture.name, found.shape.name) == ("pocket", "pocket")
    assert found.passed_over == {
        "picture sdxl-turbo": "get it from there",
        "mesh trellis": "it takes embeddings of another, and the subject gives those of mine",
    }


def test_what_takes_no_embedding_takes_that_of_every_subject(known):
    known["_CAPTIONS"]["git"] = opens("git", encoder=None)
    assert open_generators(GeneratorsConfig(), "mine").caption.name == "git"


def test_none_of_a_kind_is_an_error_that_says_what_to_do(known):
    known["_PICTURES"]["sdxl-turbo"] = opens("", error=InputError("get it from there"))
    known["_PICTURES"]["pocket"] = opens("pocket", encoder="another")
    with pytest.raises(NoGenerator, match=r"picture.*get it from there.*another.*\[reconstruction\]"):
        open_generators(GeneratorsConfig(), "mine")


def test_a_kind_that_is_left_out_is_none_and_leaving_out_all_is_refused(known):
    found = open_generators(GeneratorsConfig(shapes=()), "mine")
    assert found.shape is None and found.picture is not None
    with pytest.raises(NoGenerator, match="no generator is allowed"):
        open_generators(GeneratorsConfig(pictures=(), shapes=(), captions=()), "mine")


def test_one_that_is_here_and_fails_is_no_reason_to_take_another(known):
    known["_PICTURES"]["sdxl-turbo"] = opens("", error=WorkError("not enough memory"))
    with pytest.raises(WorkError, match="not enough memory"):
        open_generators(GeneratorsConfig(), "mine")


def test_names_that_are_none_of_ours_are_refused(known):
    with pytest.raises(InputError, match="dalle"):
        open_generators(GeneratorsConfig(pictures=("dalle", "pocket")), "mine")


def test_what_needs_pictures_is_passed_over_where_none_are_made():
    with pytest.raises(NoGenerator, match="trellis: it takes reconstructed pictures"):
        open_generators(GeneratorsConfig(pictures=(), shapes=("trellis",), captions=()), "mine")


def test_a_machine_without_weights_says_where_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(NoGenerator, match=r"get .* of stabilityai/sdxl-turbo"):
        open_generators(GeneratorsConfig(pictures=("sdxl-turbo",), shapes=(), captions=()), "mine")
