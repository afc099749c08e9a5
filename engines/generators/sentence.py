"""A sentence from what was decoded: category, colour, the nearest known pictures. English by rule; no model."""

import re
from collections.abc import Sequence

# Things that come in two; what is said of them is "a pair of".
_PAIRS = """
binoculars glasses goggles headphones jeans leggings pants pliers
scissors shears shorts sunglasses tights tongs trousers tweezers
"""
PAIRS = frozenset(_PAIRS.split())
# Written as one word in names of categories.
SPELT = {"icecream": "ice cream", "wineglass": "wine glass"}

_SINGULAR = re.compile(r"(ss|us|is|gas|lens)$")
# Written with a vowel and spoken with a consonant, and the other way round.
_SPOKEN_CONSONANT = re.compile(r"(uni(?!n|m)|use|usu|uten|ufo|ukulele|uranium|eu|ewe|one\b|once)")
_SPOKEN_VOWEL = re.compile(r"(hour|honest|honou?r|heir|[fhlmnrsx](-|\d|\b)|mp\d|x-?ray)")
_N_NEAREST = 2


def sentence(category: str = "", colour: str = "", nearest: Sequence[str] = ()) -> str:
    """Such as "A red chair, nearest to chair/05 and sofa/01."; "" where nothing of it was decoded."""
    seen = _thing(category, colour) if category else f"something {colour}" if colour else ""
    known = " and ".join(nearest[:_N_NEAREST])
    if known:
        seen = f"{seen}, nearest to {known}" if seen else f"something nearest to {known}"
    return f"{seen[0].upper()}{seen[1:]}." if seen else ""


def with_article(noun: str) -> str:
    """`noun` with "a" or "an", as it is spoken."""
    word = noun.lower()
    vowel = _SPOKEN_VOWEL.match(word) or (word[:1] in set("aeiou") and not _SPOKEN_CONSONANT.match(word))
    return f"{'an' if vowel else 'a'} {noun}"


def _thing(category: str, colour: str) -> str:
    name = _spelt(category)
    described = f"{colour} {name}" if colour else name
    last = name.rsplit(" ", 1)[-1]
    if last in PAIRS:
        return f"a pair of {described}"
    if last.endswith("s") and not _SINGULAR.search(last):
        return described  # a plural
    return with_article(described)


def _spelt(category: str) -> str:
    """The name of a category as words: THINGS writes `bat1` and `bow_tie`."""
    words = re.sub(r"\d+$", "", category).replace("_", " ").strip()
    return SPELT.get(words, words) or category
