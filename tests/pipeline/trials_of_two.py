"""A scripted session of trials with a picture and a turn, and a decoder that shows what it was given."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.anytime import Answer, Windows
from pipeline.clock import FakeClock
from pipeline.epochs import EpochConfig
from pipeline.preprocess import ChainConfig
from pipeline.session import Session, Setup
from pipeline.types import Array, EegChunk, Item, MarkerChunk, Nearest
from tests.scripted import EEG, FS, MARKERS, ScriptedSource

CHAIN = ChainConfig(high_hz=15.0, mains_hz=None)
WINDOWS = Windows(
    static=EpochConfig(-0.2, 0.8, (-0.2, 0.0)),
    dynamic=EpochConfig(-0.2, 2.3, (-0.2, 0.0)),
    dynamic_hz=40.0,
    every_s=0.5,
)
N_STATIC, N_DYNAMIC = 100, 100
STEPS = (28, 48, 68, 88, 100)
PATTERNS = {"up": ["stim/up/*"], "down": ["stim/down/*"]}
PICTURES_S = (20.0, 24.01, 28.0, 32.123, 36.0, 40.0)
TURN_AFTER_S = 1.0
SECONDS = 45.0


class Shows:
    """Answers by the sign of Oz in all that it sees, and hands everything it was given out as its embedding."""

    classes = ("up", "down")
    colours = ("red", "blue")
    channels = ("Oz", "Fz", "Cz", "Pz")
    sfreq_hz = FS
    chain = CHAIN
    windows = WINDOWS

    def answer(self, static_uv: Array, dynamic_uv: Array | None) -> Answer:
        parts = [static_uv] if dynamic_uv is None else [static_uv, dynamic_uv]
        seen = np.concatenate([part.ravel() for part in parts])
        p, q = (1 / (1 + np.exp(-part[0].mean())) for part in (parts[-1], static_uv))
        nearest = (Nearest("up/00", float(p)), Nearest("down/00", float(q)))
        return Answer(np.array([p, 1 - p]), np.array([q, 1 - q]), nearest, seen)


Marks = Sequence[tuple[float, str]]


def marks(categories: Sequence[str] = ("up", "down", "down", "up", "up", "down")) -> list[tuple[float, str]]:
    """A picture and its turn for every category."""
    return [
        mark
        for at_s, category in zip(PICTURES_S, categories, strict=True)
        for mark in ((at_s, f"stim/{category}/03"), (at_s + TURN_AFTER_S, f"turn/{category}/03"))
    ]


def signal(seconds: float = SECONDS) -> Array:
    return np.random.default_rng(5).standard_normal((len(EEG.channels), round(seconds * FS))) * 20


def items(sizes: Sequence[int], markers: Marks | None = None, data: Array | None = None) -> list[Item]:
    """The same samples and markers in chunks of the given sizes, each marker before the chunk that holds it."""
    data = signal() if data is None else data
    waiting = sorted(marks() if markers is None else markers)
    made: list[Item] = []
    first = k = 0
    while first < data.shape[1]:
        n = min(sizes[k % len(sizes)], data.shape[1] - first)
        while waiting and waiting[0][0] < (first + n) / FS:
            at_s, label = waiting.pop(0)
            made.append(MarkerChunk("m", (label,), (at_s,)))
        made.append(EegChunk(data[:, first : first + n], np.arange(first, first + n) / FS))
        first, k = first + n, k + 1
    return made


def session_over(
    things: Sequence[Item],
    decoder: Shows | None = None,
    live: bool = False,
    clock: FakeClock | None = None,
    **options: Any,
) -> Session:
    """A session that is not open yet."""
    return Session(
        ScriptedSource(EEG, things, {"m": MARKERS}, live),
        lambda _: Setup(CHAIN, WINDOWS.static, PATTERNS),
        decoder=decoder or Shows(),
        clock=clock or FakeClock(),
        **options,
    )


def run(things: Sequence[Item], decoder: Shows | None = None, **options: Any) -> Session:
    """A session cranked to its end."""
    session = session_over(things, decoder, **options)
    session.open()
    while session.crank():
        pass
    session.finish()
    session.close()
    return session
