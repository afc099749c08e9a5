"""Captions of reconstructions beside true ones, by the configured captioner and its route.

    picture     each row's own picture is captioned
    embedding   each row's embedding is, of the nearest neighbour its own
    words       a sentence from the category and the colour that were decoded, of the nearest neighbour from its own;
                which known pictures were nearest, which a session says too, is left out: true captions name none

Captions are judged by `calibration.metrics.words`. Thread: the one that called.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from calibration.decoding.alone import STREAMS
from calibration.decoding.reconstruct import NEAREST, TRUE, Named, Reconstructions, TableRow
from calibration.decoding.reconstruct_scores import Scored, valued
from calibration.metrics.words import METEOR_LEFT_OUT, TextEncoder, bleu_interval, caption_scores
from calibration.stimuli import Item
from calibration.true_captions import BY_RULE
from engines.generators.base import Caption, Captioner, Route, Seen
from engines.vision.base import Floats

ROWS = (*STREAMS, TRUE, NEAREST)
SAME_RULE = (
    "The captions were put together by the rule of the true ones, so these numbers tell how often category and colour "
    "were right, and nothing else; a sentence of three words has no four in a row, and BLEU-4 is 0."
)

Progress = Callable[[float, str], None]
Truths = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Captioned:
    """What `captioner` said by `route`: a text for each item by row; `true` ones, None where nobody wrote any."""

    participant: str
    items: tuple[Item, ...]
    captioner: str
    route: Route
    said: dict[str, tuple[str, ...]]
    true: Truths | None


def captioned(
    found: Reconstructions,
    captioner: Captioner,
    true: Truths | None,
    progress: Progress = lambda share, what: None,
) -> Captioned:
    """A caption of every item in every row that the captioner can say something of.

    Raises:
        InputError: embeddings of another encoder than its map takes.
        WorkError: there was not enough memory.
    """
    items, said = found.truth.items, dict[str, tuple[str, ...]]()
    route: Route = "words"
    for number, name in enumerate(ROWS):
        if captioner.name == "words" and name not in found.named:
            continue
        told: list[Caption] = []
        for at, seen in enumerate(_seen(found.row(name), found.embeddings[name], found.named.get(name))):
            progress((number + at / len(items)) / len(ROWS), f"captions: {name}")
            told.append(captioner.caption(seen))
        route, said[name] = told[0].route, tuple(one.text for one in told)
    return Captioned(found.participant, items, captioner.name, route, said, true)


def caption_scored(told: Captioned, encoders: Sequence[TextEncoder] = ()) -> tuple[Scored, ...]:
    """Every measure of every row against the true captions; none where there are no true ones.

    Intervals are over items: of BLEU, which is one number of all captions, by drawing captions again.
    """
    if told.true is None:
        return ()
    found: list[Scored] = []
    for row, said in told.said.items():
        scores = caption_scores(said, told.true, encoders)
        for name, value in scores.corpus.items():
            ci95 = bleu_interval(said, told.true, int(name[-1]))
            found.append(Scored(row, name, value, ci95, None, None, len(said)))
        found += [valued(row, name, values) for name, values in scores.each.items()]
    return tuple(found)


def about(told: Captioned, author: str) -> list[tuple[str, str]]:
    """What belongs beside the numbers: captioner, route, who wrote the true captions, and what is left out."""
    lines = [("captioner", told.captioner), ("route", told.route)]
    if told.true is None:
        return [*lines, ("true captions", "none of this set: captions are not judged")]
    lines += [("true captions by", author), ("METEOR is without", METEOR_LEFT_OUT)]
    return [*lines, ("beware", SAME_RULE)] if author == BY_RULE and told.route == "words" else lines


def plain(told: Captioned) -> list[dict[str, Any]]:
    """Every caption, item by item, for JSON."""
    return [
        {"item": item.key, "true": None if told.true is None else list(told.true[at])}
        | {row: said[at] for row, said in told.said.items()}
        for at, item in enumerate(told.items)
    ]


def _seen(made: TableRow, embeddings: Floats, named: tuple[Named, ...] | None) -> list[Seen]:
    names = (Named("", ""),) * len(embeddings) if named is None else named
    pictures = (None,) * len(embeddings) if made.pictures is None else made.pictures
    return [
        Seen(np.asarray(embedding, np.float32), picture, name.category, name.colour)
        for embedding, picture, name in zip(embeddings, pictures, names, strict=True)
    ]
