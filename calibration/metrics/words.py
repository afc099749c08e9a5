"""How good captions are: BLEU, METEOR, and the likeness of their meanings, each against one or several true captions.

    words are what is left of a text in small letters without punctuation (`words_of`)
    BLEU      n-gram precision of the whole corpus with brevity penalty (Papineni et al. 2002, ACL, section 2)
    METEOR    unigram F-mean with a penalty for pieces (Banerjee & Lavie 2005, ACL workshop), exact words and Porter
              stems; WordNet's synonyms, its third module, are left out, so that numbers are at most the published ones
    likeness  cosine of the embeddings of two texts, by a sentence model or CLIP's text tower (`engines.text`)

Published tables (RealMind) count BLEU-1, BLEU-4, METEOR, sentence likeness and CLIP likeness times 100. Which captioner
wrote the true captions moves BLEU-1 by ten points: name it beside the numbers.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from calibration.metrics.stem import stem
from engines.errors import InputError
from engines.vision.base import Floats, normalised
from pipeline.types import Array

SMOOTHING = "none for a corpus; of one caption, 1 added to counts from bigrams on (Lin & Och 2004, COLING)"
METEOR_LEFT_OUT = "WordNet synonyms"

_WORD = re.compile(r"\w+(?:'\w+)?")
# Banerjee & Lavie 2005: F-mean 10 P R / (R + 9 P), penalty 0.5 (pieces / matches)^3.
_RECALL_WEIGHT, _MOST_PENALTY, _PENALTY_POWER = 9, 0.5, 3
_BEAM = 40  # Denkowski & Lavie 2014

Truths = Sequence[Sequence[str]]
Interval = tuple[float, float]


class TextEncoder(Protocol):
    """Texts in, embeddings out (`engines.text`). Thread: any, one at a time."""

    @property
    def name(self) -> str:
        """What reports call the measure that it makes."""
        ...

    def embed(self, texts: list[str]) -> Floats:
        """(n, dim), raw."""
        ...


def words_of(text: str) -> list[str]:
    """The words of a text, in small letters, without punctuation."""
    return _WORD.findall(text.lower().replace("\u2019", "'"))


def bleu(said: Sequence[str], truths: Truths, order: int = 4) -> float:
    """BLEU-`order` of all captions `said` together, each against its own true ones: 0 to 1, 0 where no n-gram fits.

    Raises:
        InputError: not as many lists of true captions as captions, or an empty one.
    """
    return _bleu(_counted(said, truths, order).sum(axis=0))


def bleu_interval(said: Sequence[str], truths: Truths, order: int = 4, n: int = 1000, seed: int = 0) -> Interval:
    """Percentiles 2.5 and 97.5 of BLEU-`order` over `n` draws of as many captions, with replacement (Koehn 2004).

    Raises:
        InputError: as `bleu`.
    """
    counts = _counted(said, truths, order)
    draws = np.random.default_rng(seed).integers(len(counts), size=(n, len(counts)))
    low, high = np.percentile([_bleu(counts[drawn].sum(axis=0)) for drawn in draws], [2.5, 97.5])
    return float(low), float(high)


def sentence_bleu(said: str, truths: Sequence[str], order: int = 4) -> float:
    """BLEU-`order` of one caption, smoothed: 1 is added to hits and totals from bigrams on; a total is at least 1.

    Raises:
        InputError: no true caption.
    """
    _require([said], [truths])
    given, wanted = words_of(said), [words_of(truth) for truth in truths]
    logs = []
    for n in range(1, order + 1):
        hits, total, extra = _hits(given, wanted, n), max(len(given) - n + 1, 1), int(n > 1)
        if hits + extra == 0:
            return 0.0
        logs.append(np.log((hits + extra) / (total + extra)))
    return _brevity(len(given), _closest(len(given), wanted)) * float(np.exp(np.mean(logs)))


def meteor(said: str, truths: Sequence[str]) -> float:
    """METEOR of one caption, 0 to 1: the best over its true ones.

    Raises:
        InputError: no true caption.
    """
    _require([said], [truths])
    return max(_meteor(words_of(said), words_of(truth)) for truth in truths)


def likeness(said: Sequence[str], truths: Truths, encoder: TextEncoder) -> Array:
    """(n,) cosine of each caption with its true ones, the mean over these.

    Raises:
        InputError: not as many lists of true captions as captions, or an empty one.
    """
    _require(said, truths)
    given = normalised(encoder.embed(list(said))).astype(np.float64)
    own = np.repeat(np.arange(len(said)), [len(texts) for texts in truths])
    wanted = normalised(encoder.embed([truth for texts in truths for truth in texts])).astype(np.float64)
    cosines = np.einsum("ij,ij->i", given[own], wanted)
    return np.asarray(np.bincount(own, cosines) / np.bincount(own))


@dataclass(frozen=True, eq=False)
class CaptionScores:
    """`corpus` BLEU-1 and BLEU-4 of all captions together; `each` (n,) by measure, for means and their intervals."""

    corpus: dict[str, float]
    each: dict[str, Array]


def caption_scores(said: Sequence[str], truths: Truths, encoders: Sequence[TextEncoder] = ()) -> CaptionScores:
    """All measures of captions; of likeness, those of `encoders`.

    Raises:
        InputError: not as many lists of true captions as captions, or an empty one.
    """
    corpus = {f"BLEU-{order}": bleu(said, truths, order) for order in (1, 4)}
    each = {"METEOR": np.array([meteor(text, own) for text, own in zip(said, truths, strict=True)])}
    return CaptionScores(corpus, each | {encoder.name: likeness(said, truths, encoder) for encoder in encoders})


def _require(said: Sequence[str], truths: Truths) -> None:
    if len(said) != len(truths) or not said or not all(truths):
        raise InputError(
            f"expected at least one true caption for each caption, got {len(said)} captions, {len(truths)} lists, "
            f"{sum(not own for own in truths)} of them empty"
        )


def _counted(said: Sequence[str], truths: Truths, order: int) -> Array:
    """(n, 2 order + 2) of each caption: hits and totals of n-grams, its length, and the nearest true one's.

    Raises:
        InputError: not as many lists of true captions as captions, or an empty one.
    """
    _require(said, truths)
    rows = []
    for text, own in zip(said, truths, strict=True):
        given, wanted = words_of(text), [words_of(truth) for truth in own]
        hits = [_hits(given, wanted, n) for n in range(1, order + 1)]
        totals = [max(len(given) - n + 1, 0) for n in range(1, order + 1)]
        rows.append([*hits, *totals, len(given), _closest(len(given), wanted)])
    return np.array(rows, dtype=np.float64)


def _bleu(counts: Array) -> float:
    """BLEU of the sums of what `_counted` counts."""
    hits, totals = np.split(counts[:-2], 2)
    if hits.min() == 0:
        return 0.0
    return _brevity(counts[-2], counts[-1]) * float(np.exp(np.mean(np.log(hits / totals))))


def _grams(words: list[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[i:] for i in range(n)), strict=False))


def _hits(given: list[str], wanted: list[list[str]], n: int) -> int:
    """n-grams that a true caption has too, each at most as often as there (clipped counts)."""
    most: Counter[tuple[str, ...]] = Counter()
    for words in wanted:
        most |= _grams(words, n)
    return (_grams(given, n) & most).total()


def _closest(length: int, wanted: list[list[str]]) -> int:
    """Length of the true caption that is nearest in length, of two the shorter."""
    return min((len(words) for words in wanted), key=lambda n: (abs(n - length), n))


def _brevity(length: float, wanted: float) -> float:
    """1 where captions are as long as the true ones, less where they are shorter."""
    if length >= wanted:
        return 1.0
    return float(np.exp(1 - wanted / length)) if length else 0.0


def _meteor(given: list[str], wanted: list[str]) -> float:
    found = _alignment(given, wanted)
    if not found.matches:
        return 0.0
    precision, recall = found.matches / len(given), found.matches / len(wanted)
    mean = (1 + _RECALL_WEIGHT) * precision * recall / (recall + _RECALL_WEIGHT * precision)
    return mean * (1 - _MOST_PENALTY * (found.pieces / found.matches) ** _PENALTY_POWER)


@dataclass(frozen=True)
class _Aligned:
    """Words of a caption laid on those of the truth, as far as it is read; `last` the last pair of positions."""

    used: frozenset[int] = frozenset()
    last: tuple[int, int] = (-2, -2)
    matches: int = 0
    exact: int = 0
    pieces: int = 0
    apart: int = 0

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """The smaller the better: most words, most of them exact, in the fewest pieces, close to their places."""
        return -self.matches, -self.exact, self.pieces, self.apart

    def matched(self, i: int, j: int, exact: bool) -> "_Aligned":
        goes_on = self.last == (i - 1, j - 1)
        return _Aligned(
            self.used | {j}, (i, j), self.matches + 1, self.exact + exact, self.pieces + (not goes_on),
            self.apart + abs(i - j),
        )  # fmt: skip


def _alignment(given: list[str], wanted: list[str]) -> _Aligned:
    """The best alignment, a word with at most one other: of equal words first, then of equal stems.

    A beam over the caption's words. A word is left out only where the truth has fewer of its stem, since every other
    choice loses a match.
    """
    stems, known = [stem(word) for word in given], [stem(word) for word in wanted]
    more, beam = Counter(stems) - Counter(known), [_Aligned()]
    for i, (word, root) in enumerate(zip(given, stems, strict=True)):
        places = [(j, wanted[j] == word) for j, other in enumerate(known) if other == root]
        beam = sorted(_continued(beam, i, places, more[root] > 0), key=lambda one: one.rank)[:_BEAM]
    return beam[0]


def _continued(beam: list[_Aligned], i: int, places: list[tuple[int, bool]], may_stay: bool) -> Iterator[_Aligned]:
    for one in beam:
        free = [(j, exact) for j, exact in places if j not in one.used]
        yield from (one.matched(i, j, exact) for j, exact in free)
        if may_stay or not free:
            yield one
