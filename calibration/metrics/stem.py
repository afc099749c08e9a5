"""Stems of English words, step by step as in Porter 1980, "An algorithm for suffix stripping", Program 14(3)."""

from itertools import pairwise

_VOWELS = frozenset("aeiou")
_STEP_2 = (
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("abli", "able"),
    ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"),
    ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"),
    ("iviti", "ive"), ("biliti", "ble"),
)  # fmt: skip
_STEP_3 = (
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""),
)  # fmt: skip
_STEP_4 = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
    "ous", "ive", "ize",
)  # fmt: skip


def stem(word: str) -> str:
    """The stem of a word in lower case."""
    if len(word) <= 2:
        return word  # as in the author's own program
    for step in (_plural, _past, _final_y):
        word = step(word)
    word = _replaced(word, _STEP_2)
    word = _replaced(word, _STEP_3)
    return _final_l(_final_e(_dropped(word)))


def _plural(word: str) -> str:
    """Step 1a."""
    for suffix, instead in (("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")):
        if word.endswith(suffix):
            return word.removesuffix(suffix) + instead
    return word


def _past(word: str) -> str:
    """Step 1b."""
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    for suffix in ("ed", "ing"):
        rest = word.removesuffix(suffix)
        if rest != word:
            return _mended(rest) if _has_vowel(rest) else word
    return word


def _mended(word: str) -> str:
    """What is left without -ed or -ing, ending as a word does: conflat(ed) to conflate, hopp(ing) to hop."""
    if word.endswith(("at", "bl", "iz")):
        return word + "e"
    if _ends_double(word) and word[-1] not in "lsz":
        return word[:-1]
    return word + "e" if _measure(word) == 1 and _ends_cvc(word) else word


def _final_y(word: str) -> str:
    """Step 1c."""
    return word[:-1] + "i" if word.endswith("y") and _has_vowel(word[:-1]) else word


def _replaced(word: str, rules: tuple[tuple[str, str], ...]) -> str:
    """Steps 2 and 3: the longest suffix that fits, replaced where something is left before it."""
    for suffix, instead in sorted(rules, key=lambda rule: -len(rule[0])):
        if word.endswith(suffix):
            rest = word.removesuffix(suffix)
            return rest + instead if _measure(rest) > 0 else word
    return word


def _dropped(word: str) -> str:
    """Step 4: the longest suffix that fits, dropped where enough is left."""
    for suffix in sorted(_STEP_4, key=len, reverse=True):
        if word.endswith(suffix):
            rest = word.removesuffix(suffix)
            fits = _measure(rest) > 1 and (suffix != "ion" or rest.endswith(("s", "t")))
            return rest if fits else word
    return word


def _final_e(word: str) -> str:
    """Step 5a."""
    rest = word.removesuffix("e")
    drop = rest != word and (_measure(rest) > 1 or (_measure(rest) == 1 and not _ends_cvc(rest)))
    return rest if drop else word


def _final_l(word: str) -> str:
    """Step 5b."""
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word


def _is_consonant(word: str, i: int) -> bool:
    if word[i] == "y":
        return i == 0 or not _is_consonant(word, i - 1)
    return word[i] not in _VOWELS


def _measure(word: str) -> int:
    """How often a vowel is followed by a consonant: m of [C](VC)^m[V]."""
    kinds = [_is_consonant(word, i) for i in range(len(word))]
    return sum(now and not before for before, now in pairwise(kinds))


def _has_vowel(word: str) -> bool:
    return not all(_is_consonant(word, i) for i in range(len(word)))


def _ends_double(word: str) -> bool:
    return len(word) > 1 and word[-1] == word[-2] and _is_consonant(word, len(word) - 1)


def _ends_cvc(word: str) -> bool:
    """*o: consonant, vowel, consonant that is not w, x or y."""
    if len(word) < 3 or word[-1] in "wxy":
        return False
    before, middle, last = (_is_consonant(word, len(word) - back) for back in (3, 2, 1))
    return before and not middle and last
