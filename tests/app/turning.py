"""A stream of noise while pictures come on and turn, for subjects as `visible` makes them."""

import numpy as np

from pipeline.types import Channel, EegChunk, Item, MarkerChunk, StreamInfo
from tests.app.visible_subject import CATEGORIES, FS

INFO = StreamInfo(
    "scripted", "EEG", 64, FS, "float32", "scripted", simulated=True,
    channels=tuple(Channel(f"E{n}", unit="microvolts") for n in range(64)),
)  # fmt: skip
SETTLED_S, TRIAL_S = 4, 5


def items(n_trials: int) -> list[Item]:
    """Noise in chunks of a second; a picture as each trial begins, which turns a second later."""
    rng = np.random.default_rng(4)
    found: list[Item] = []
    for second in range(SETTLED_S + n_trials * TRIAL_S + 1):
        stamps_s = second + np.arange(FS) / FS
        trial, since = divmod(second - SETTLED_S, TRIAL_S)
        if 0 <= trial < n_trials and since < 2:
            label = f"{('stim', 'turn')[since]}/{CATEGORIES[trial % 2]}/08"
            found.append(MarkerChunk("m", (label,), (second + 0.1,)))
        found.append(EegChunk(20 * rng.standard_normal((64, len(stamps_s))).astype(np.float32), stamps_s))
    return found
