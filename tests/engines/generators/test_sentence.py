import numpy as np
import pytest

from calibration.objects.catalogue import CATEGORIES
from engines.errors import InputError
from engines.generators.base import Seen
from engines.generators.sentence import sentence, with_article
from engines.generators.words import Words

NOTHING = np.zeros(4, np.float32)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (("chair", "red"), "A red chair."),
        (("apple", ""), "An apple."),
        (("apple", "orange"), "An orange apple."),
        (("umbrella", ""), "An umbrella."),
        (("icecream", ""), "An ice cream."),
        (("scissors", "yellow"), "A pair of yellow scissors."),
        (("glasses", ""), "A pair of glasses."),
        (("grapes", "white"), "White grapes."),
        (("cactus", "green"), "A green cactus."),
        (("bow_tie2", ""), "A bow tie."),
        (("", "blue"), "Something blue."),
        (("chair", "red", ("chair/05", "sofa/01", "bed/00")), "A red chair, nearest to chair/05 and sofa/01."),
        (("", "", ("chair/05",)), "Something nearest to chair/05."),
        (("", ""), ""),
    ],
)
def test_what_was_decoded_becomes_a_sentence(given, text):
    assert sentence(*given) == text


@pytest.mark.parametrize("noun", ["hourglass", "umbrella", "urn", "x-ray", "heirloom", "mp3 player", "uninvited guest"])
def test_an_stands_before_what_sounds_like_a_vowel(noun):
    assert with_article(noun) == f"an {noun}"


@pytest.mark.parametrize("noun", ["unicycle", "ukulele", "uniform", "one-man band", "euro coin", "house", "used car"])
def test_a_stands_before_what_sounds_like_a_consonant(noun):
    assert with_article(noun) == f"a {noun}"


def test_every_built_in_category_gets_a_well_formed_beginning():
    plural = {"grapes"}
    for category in CATEGORIES:
        first, *rest = sentence(category).removesuffix(".").split()
        assert first in ("A", "An") or category in plural
        assert category in plural or (first == "An") == (rest[0][0] in "aeiou"), category


def test_words_say_that_they_are_words_and_take_no_embedding():
    words = Words()
    words.warm_up()
    caption = words.caption(Seen(NOTHING, category="chair", colour="red", nearest=("chair/05",)))
    assert (caption.text, caption.route) == ("A red chair, nearest to chair/05.", "words")
    assert (words.encoder, words.pocket, words.name) == (None, False, "words")


def test_words_refuse_where_nothing_was_decoded():
    with pytest.raises(InputError, match="category, colour or nearest"):
        Words().caption(Seen(NOTHING))
