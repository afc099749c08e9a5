"""True captions of what was shown: what somebody wrote of each object, and who.

    captions.csv      columns item (category/object) and caption, and author where it is known; a row a caption
    captions.json     {"author": "...", "captions": {"chair/08": "a chair", "chair/09": ["one", "another"]}}
    description.json  of EEG-3D, by its authors, where it tells of every object
    built-in objects  main colour and category by rule ("a red chair"): nobody wrote of them

The first of these that is there is taken. Which captioner wrote the true ones moves BLEU-1 by ten points, so numbers
never go without `author`. Thread: any.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from calibration.datasets.eeg3d import Eeg3d
from calibration.objects.builtin import BuiltIn
from calibration.objects.colours import sentence
from calibration.sets.errors import SetUnusable
from calibration.stimuli import Item

TABLE, MAPPING = "captions.csv", "captions.json"
NOBODY_SAYS = "an author who is not named"
BY_RULE = "nobody: put together by rule from the main colour and category of the built-in objects"
BY_EEG3D = "the authors of EEG-3D (description.json)"


@dataclass(frozen=True)
class TrueCaptions:
    """`texts` by item, one or several each, and who wrote them."""

    texts: Mapping[Item, tuple[str, ...]]
    author: str

    def of(self, items: Sequence[Item]) -> tuple[tuple[str, ...], ...]:
        """Those of `items`.

        Raises:
            SetUnusable: there is none of one of them.
        """
        if lacking := [item.key for item in items if not self.texts.get(item)]:
            raise SetUnusable(
                f"expected a true caption of each of {len(items)} objects; {len(lacking)} have none, {lacking[0]} the "
                f"first; add them to {TABLE} or {MAPPING}, or take the file away"
            )
        return tuple(self.texts[item] for item in items)


def true_captions(stimuli: Eeg3d) -> TrueCaptions | None:
    """What is known of the objects in a folder; None where nobody wrote of them.

    Raises:
        SetUnusable: a file of captions is damaged or of another form.
    """
    for name, read in ((TABLE, _table), (MAPPING, _mapping)):
        if (path := stimuli.folder / name).is_file():
            return read(path)
    described = {item: stimuli.description(item) for item in stimuli.items}
    if all(described.values()):
        return TrueCaptions({item: (text,) for item, text in described.items() if text}, BY_EEG3D)
    built_in = BuiltIn()
    if stimuli.simulated and set(stimuli.items) <= set(built_in.items):
        told = {item: (sentence(item.category, built_in.colour_label(item)),) for item in stimuli.items}
        return TrueCaptions(told, BY_RULE)
    return None


def _table(path: Path) -> TrueCaptions:
    texts: dict[Item, tuple[str, ...]] = {}
    authors: dict[str, None] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                item = _item(path, row.get("item"))
                texts[item] = (*texts.get(item, ()), _text(path, item, row.get("caption")))
                authors |= {row.get("author") or "": None}
    except (UnicodeDecodeError, csv.Error) as error:
        raise SetUnusable(f"{path}: expected a table with columns item and caption, in UTF-8 ({error})") from error
    return TrueCaptions(texts, ", ".join(filter(None, authors)) or NOBODY_SAYS)


def _mapping(path: Path) -> TrueCaptions:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        author, captions = str(told.get("author") or NOBODY_SAYS), dict(told["captions"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SetUnusable(
            f"{path}: expected {{author, captions: {{category/object: text}}}}, came {error!r}"
        ) from error
    texts = {}
    for key, some in captions.items():
        item = _item(path, key)
        texts[item] = tuple(_text(path, item, one) for one in (some if isinstance(some, list) else [some]))
    return TrueCaptions(texts, author)


def _item(path: Path, key: str | None) -> Item:
    category, slash, name = (key or "").strip().partition("/")
    if not (category and slash and name):
        raise SetUnusable(f"{path}: expected an item such as chair/08, came {key!r}")
    return Item(category, name)


def _text(path: Path, item: Item, text: object) -> str:
    if not isinstance(text, str) or not text.strip():
        raise SetUnusable(f"{path}: expected a caption of {item.key}, came {text!r}")
    return text.strip()
