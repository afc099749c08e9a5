"""Declared voltage units, read once at the border. Inside the pipeline everything is microvolts."""

# A prefix is case-sensitive where case carries meaning (mV is not MV); long names are not.
_SYMBOLS = {
    "V": 1e6,
    "mV": 1e3,
    "uV": 1.0,
    "\N{MICRO SIGN}V": 1.0,
    "\N{GREEK SMALL LETTER MU}V": 1.0,
    "nV": 1e-3,
}
_NAMES = {
    "volt": 1e6,
    "millivolt": 1e3,
    "microvolt": 1.0,
    "\N{MICRO SIGN}volt": 1.0,
    "\N{GREEK SMALL LETTER MU}volt": 1.0,
    "nanovolt": 1e-3,
}
# All-lower or all-upper spellings that can mean one thing only. "MV" is not among them: it reads as megavolt.
_UNAMBIGUOUS = {
    "v": 1e6,
    "mv": 1e3,
    "uv": 1.0,
    "UV": 1.0,
    "Uv": 1.0,
    "\N{MICRO SIGN}v": 1.0,
    "\N{GREEK SMALL LETTER MU}v": 1.0,
    "nv": 1e-3,
    "NV": 1e-3,
}


# MNE-LSL declares powers of ten of a volt (mne_lsl.lsl.StreamInfo.set_channel_units).
_POWERS = {"0": 1e6, "-3": 1e3, "-6": 1.0, "-9": 1e-3}


def microvolts_per(unit: str | None) -> float | None:
    """How many microvolts one `unit` is; None for a missing or unknown unit, or one that is no voltage.

    Accepts the symbols V, mV, uV and nV with either micro code point (U+00B5, U+03BC), their lower-case spellings, and
    the long names in any case and number ("microvolts"), MNE-LSL's powers of ten. "MV" is refused: a factor of 1e9 is
    no matter to guess.
    """
    if unit is None:
        return None
    text = unit.strip()
    for table in (_SYMBOLS, _UNAMBIGUOUS, _POWERS):
        if text in table:
            return table[text]
    return _NAMES.get(text.lower().removesuffix("s"))
