"""What was seen, in words that nobody looked for: put together from what was decoded. Light to import."""

from engines.errors import InputError
from engines.generators.base import Caption, Seen
from engines.generators.sentence import sentence


class Words:
    """Sentence put together from the decoded category, colour and nearest known pictures; no model looks at anything.

    Thread: any.
    """

    name = "words"
    pocket = False
    encoder = None

    def warm_up(self) -> None:
        """Nothing is slow the first time."""

    def caption(self, seen: Seen) -> Caption:
        """The sentence.

        Raises:
            InputError: neither category nor colour nor neighbours were decoded.
        """
        text = sentence(seen.category, seen.colour, seen.nearest)
        if not text:
            raise InputError("words: expected a decoded category, colour or nearest pictures, got none of them")
        return Caption(text, "words")
