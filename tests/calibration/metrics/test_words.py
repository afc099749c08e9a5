"""Reference numbers: nltk 3.10.4 and sacrebleu 2.6.0 on the captions below, METEOR without WordNet; others by hand."""

import itertools
import math

import numpy as np
import pytest

from calibration.metrics.stem import stem
from calibration.metrics.words import (
    _alignment,
    bleu,
    caption_scores,
    likeness,
    meteor,
    sentence_bleu,
    words_of,
)
from engines.errors import InputError

SAID = [
    "a red chair stands in a room",
    "two dogs are running on the beach",
    "a man riding a horse",
    "the cat",
    "a bowl of fruit sits on the wooden table near a window",
]
TRUTHS = [
    ["a red chair in an empty room", "there is a red chair standing in the room"],
    ["two dogs run along the beach", "dogs running on a sandy beach"],
    ["a man rides a brown horse in a field"],
    ["a cat sleeping on a sofa"],
    ["a bowl of fruits on a table by the window", "fruit bowl sitting on a wooden table"],
]


def test_words_are_small_letters_without_punctuation():
    assert words_of("A man's dog, 2 cats -- and the dog\u2019s bone!") == [
        "a", "man's", "dog", "2", "cats", "and", "the", "dog's", "bone",
    ]  # fmt: skip


# nltk corpus_bleu, and sacrebleu (tokenize none, smooth none) / 100: both the same numbers.
@pytest.mark.parametrize(("order", "wanted"), [(1, 0.6771068600939769), (2, 0.43248370498417443), (4, 0.0)])
def test_bleu_of_a_corpus_is_that_of_nltk_and_sacrebleu(order, wanted):
    assert bleu(SAID, TRUTHS, order) == pytest.approx(wanted, abs=1e-12)


# nltk sentence_bleu, without smoothing and with its method 2.
@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        (1, [0.7142857142857143, 0.8571428571428571, 0.35946317129377725, 0.06766764161830635, 0.8333333333333334]),
        (4, [0.37796447300922725, 0.35745672884978397, 0.18157522773982648, 0.06766764161830635, 0.26658376817028856]),
    ],
)
def test_bleu_of_one_caption_is_that_of_nltk(order, wanted):
    got = [sentence_bleu(said, truths, order) for said, truths in zip(SAID, TRUTHS, strict=True)]
    np.testing.assert_allclose(got, wanted, rtol=1e-12)


def test_bleu_counts_a_repeated_word_no_more_often_than_the_truth_has_it():
    assert bleu(["the the the the the the the"], [["the cat is on the mat"]], 1) == pytest.approx(2 / 7)  # Papineni


def test_short_captions_are_punished_by_the_closest_length():
    assert bleu(["a red chair"], [["a red chair is here", "a big red chair in the hall"]], 1) == pytest.approx(
        math.exp(1 - 5 / 3)
    )


def test_a_caption_without_a_right_word_has_no_bleu_and_no_meteor():
    assert sentence_bleu("dogs", ["a cat"]) == bleu(["dogs"], [["a cat"]]) == meteor("dogs", ["a cat"]) == 0
    assert sentence_bleu("", ["a cat"]) == meteor("", ["a cat"]) == 0


# nltk single_meteor_score with PorterStemmer(ORIGINAL_ALGORITHM) and a WordNet that knows nothing; the best truth.
@pytest.mark.parametrize(("i", "wanted"), [(1, 0.7311475409836065), (3, 0.08928571428571427), (4, 0.7632653061224489)])
def test_meteor_is_that_of_nltk_where_words_fit_in_one_way(i, wanted):
    assert meteor(SAID[i], TRUTHS[i]) == pytest.approx(wanted, rel=1e-12)


def test_meteor_by_hand_where_words_fit_in_several_ways():
    """`a man rides a | horse`: 5 of 5 and of 9 words in 2 pieces. nltk, which takes the last `a` first, makes 4."""
    precision, recall = 5 / 5, 5 / 9
    mean = 10 * precision * recall / (recall + 9 * precision)
    assert meteor(SAID[2], TRUTHS[2]) == pytest.approx(mean * (1 - 0.5 * (2 / 5) ** 3))


def test_meteor_of_the_same_caption_keeps_only_the_penalty_of_one_piece():
    assert meteor("a red chair", ["a red chair"]) == pytest.approx(1 - 0.5 * (1 / 3) ** 3)


def test_an_equal_word_is_preferred_to_an_equal_stem():
    found = _alignment(["run", "running"], ["running"])
    assert (found.matches, found.exact, found.last) == (1, 1, (1, 0))


def every_alignment(given, wanted):
    """All ways to lay words on words of the same stem, by (matches, exact ones, pieces)."""
    choices = [[None, *(j for j, other in enumerate(wanted) if stem(other) == stem(word))] for word in given]
    for chosen in itertools.product(*choices):
        pairs = [(i, j) for i, j in enumerate(chosen) if j is not None]
        if len({j for _, j in pairs}) == len(pairs):
            pieces = sum((i - 1, j - 1) not in pairs for i, j in pairs)
            yield -len(pairs), -sum(given[i] == wanted[j] for i, j in pairs), pieces


def test_the_alignment_is_the_best_of_all():
    rng, words = np.random.default_rng(0), ["a", "dog", "dogs", "run", "runs", "the"]
    for _ in range(150):
        given, wanted = (list(rng.choice(words, rng.integers(1, 7))) for _ in range(2))
        found = _alignment(given, wanted)
        assert (-found.matches, -found.exact, found.pieces) == min(every_alignment(given, wanted)), (given, wanted)


# nltk PorterStemmer(ORIGINAL_ALGORITHM).
STEMS = """
caresses caress ponies poni ties ti cats cat feed feed agreed agre plastered plaster bled bled motoring motor sing sing
conflated conflat troubled troubl sized size hopping hop tanned tan falling fall hissing hiss fizzed fizz failing fail
filing file happy happi sky sky relational relat conditional condit rational ration valenci valenc digitizer digit
conformabli conform radicalli radic differentli differ vileli vile analogousli analog vietnamization vietnam
predication predic operator oper feudalism feudal decisiveness decis hopefulness hope callousness callous
formaliti formal sensitiviti sensit sensibiliti sensibl triplicate triplic formative form formalize formal
electriciti electr electrical electr hopeful hope goodness good revival reviv allowance allow inference infer
airliner airlin gyroscopic gyroscop adjustable adjust defensible defens irritant irrit replacement replac
adjustment adjust dependent depend adoption adopt homologou homolog communism commun activate activ angulariti angular
homologous homolog effective effect bowdlerize bowdler probate probat rate rate cease ceas controll control roll roll
riding ride rides ride standing stand sits sit sitting sit fruits fruit as as
"""


def test_stems_are_those_that_porter_gives():
    words = STEMS.split()
    for word, wanted in zip(words[::2], words[1::2], strict=True):
        assert stem(word) == wanted, word


class Letters:
    """Embeds a text as counts of a, b and c."""

    name = "letters"

    def embed(self, texts):
        return np.array([[text.count(letter) for letter in "abc"] for text in texts], dtype=np.float32)


def test_likeness_is_the_mean_cosine_with_the_true_captions():
    got = likeness(["aa", "ab"], [["a", "b"], ["abb"]], Letters())
    np.testing.assert_allclose(got, [0.5, 3 / math.sqrt(10)], rtol=1e-6)


def test_all_measures_come_at_once_by_name():
    scores = caption_scores(SAID, TRUTHS, [Letters()])
    assert scores.corpus == {"BLEU-1": bleu(SAID, TRUTHS, 1), "BLEU-4": bleu(SAID, TRUTHS, 4)}
    assert {name: values.shape for name, values in scores.each.items()} == {"METEOR": (5,), "letters": (5,)}


@pytest.mark.parametrize(("said", "truths"), [([], []), (["a"], [[]]), (["a", "b"], [["a"]])])
def test_captions_without_truth_are_refused(said, truths):
    for measure in (bleu, lambda *given: likeness(*given, Letters()), caption_scores):
        with pytest.raises(InputError, match="at least one true caption"):
            measure(said, truths)
