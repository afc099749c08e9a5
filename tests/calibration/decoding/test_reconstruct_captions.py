"""Captions of reconstructions: whose words they are, what they are judged by, and what stands beside the numbers."""

import numpy as np
import pytest

from calibration.decoding.alone import BOTH, STREAMS
from calibration.decoding.reconstruct import MEAN, NEAREST, TRUE, Named, Reconstructions, TableRow
from calibration.decoding.reconstruct_captions import SAME_RULE, about, caption_scored, captioned, plain
from calibration.decoding.reconstruct_report import caption_tables
from calibration.decoding.reconstruct_scores import over_participants
from calibration.decoding.reconstruct_truth import Truth
from calibration.metrics.words import bleu, meteor
from calibration.stimuli import Item
from calibration.true_captions import BY_RULE
from engines.generators.base import Caption
from engines.generators.words import Words

ITEMS = tuple(Item(category, "08") for category in ("car", "chair", "dog", "tree"))
TRUE_TEXTS = tuple((f"a red {item.category}",) for item in ITEMS)


class Brightness:
    """Says how bright the picture is, by the picture's route; the embedding's first number by the other."""

    pocket, encoder = False, None

    def __init__(self, route):
        self.name, self.route = f"brightness by {route}", route

    def caption(self, seen):
        told = seen.picture.mean() if self.route == "picture" else seen.embedding[0]
        return Caption(f"a thing of {told:.0f}", self.route)


class Likeness:
    """Texts by their lengths."""

    name = "likeness"

    def embed(self, texts):
        return np.array([[len(text), 1.0] for text in texts], np.float32)


@pytest.fixture
def found():
    """Row number k is of brightness 10 k and of embeddings k; categories are right in all rows, colours in one."""
    names = (*STREAMS, TRUE, NEAREST, MEAN)
    rows = tuple(
        TableRow(name, np.full((4, 8, 8, 3), 10 * number, np.uint8), None, None) for number, name in enumerate(names)
    )
    embeddings = {name: np.full((4, 2), number, np.float32) for number, name in enumerate(names[:-1])}
    named = {
        name: tuple(Named(item.category, "red" if name == BOTH else "blue") for item in ITEMS)
        for name in (*STREAMS, NEAREST)
    }
    truth = Truth(ITEMS, np.zeros((4, 8, 8, 3), np.uint8), None)
    return Reconstructions("sub01", truth, rows, embeddings, named, {}, {}, (0,) * 4, True)


@pytest.mark.parametrize(("route", "times"), [("picture", 10), ("embedding", 1)])
def test_every_row_is_captioned_by_what_the_route_sees(found, route, times):
    told = captioned(found, Brightness(route), None)
    assert told.route == route
    assert {row: said[0] for row, said in told.said.items()} == {
        row: f"a thing of {times * number}" for number, row in enumerate((*STREAMS, TRUE, NEAREST))
    }


def test_words_tell_of_what_was_decoded_and_of_the_neighbour_as_it_is(found):
    told = captioned(found, Words(), TRUE_TEXTS)
    assert set(told.said) == {*STREAMS, NEAREST}
    assert told.said[BOTH][0] == "A red car." and told.said[NEAREST][0] == "A blue car."
    assert plain(told)[0] == {"item": "car/08", "true": ["a red car"]} | {
        row: said[0] for row, said in told.said.items()
    }


def test_captions_are_scored_against_the_true_ones(found):
    told = captioned(found, Words(), TRUE_TEXTS)
    cells = {(one.row, one.metric): one for one in caption_scored(told, [Likeness()])}
    assert cells[BOTH, "BLEU-1"].mean == 1
    assert cells[NEAREST, "BLEU-1"].mean == bleu(told.said[NEAREST], TRUE_TEXTS, 1) == pytest.approx(2 / 3)
    assert cells[NEAREST, "BLEU-1"].ci95 == pytest.approx((2 / 3, 2 / 3))  # each caption has one wrong word
    assert cells[BOTH, "METEOR"].mean == pytest.approx(meteor("a red car", ["a red car"]))
    assert cells[BOTH, "likeness"].mean > 0.9
    assert cells[BOTH, "METEOR"].n == 4


def test_without_true_captions_nothing_is_scored_and_the_report_says_so(found):
    told = captioned(found, Words(), None)
    assert caption_scored(told) == ()
    assert ("true captions", "none of this set: captions are not judged") in about(told, "")
    how, some = caption_tables([told], (), "", "objects", ("simulated participant",))
    assert "judged" in str(how["rows"])
    assert some["head"] == ["object", *STREAMS, NEAREST] and len(some["rows"]) == 4


def test_tables_name_captioner_route_author_and_what_equal_rules_mean(found):
    told = captioned(found, Words(), TRUE_TEXTS)
    scores = over_participants([caption_scored(told)])
    table, how, some = caption_tables([told], scores, BY_RULE, "objects", ("simulated participant",))
    assert "by words, route words" in table["title"] and BY_RULE in table["title"]
    assert [row[0] for row in table["rows"]] == [*STREAMS, NEAREST]
    assert ["beware", SAME_RULE] in how["rows"]
    assert some["head"][:2] == ["object", "true"] and "simulated participant" in some["title"]
    assert ("beware", SAME_RULE) not in about(told, "Ann")
