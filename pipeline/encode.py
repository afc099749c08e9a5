"""From epochs in microvolts to what a network takes; training does the same to its trials.

A trial of two streams is standardised stream by stream, by one mean and one deviation over all channels and samples, as
EEG-3D does. Of a turn that has only begun, the beginning is standardised by itself: what has not come cannot count.
Thread: any.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.types import Array

# A flat epoch stays flat instead of becoming no number.
_LEAST_UV = 1e-12


def standardised(epoch: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """`epoch` (channel, time) less its mean over everything, over its deviation over everything; float32."""
    deviation = max(float(epoch.std()), _LEAST_UV)
    return np.asarray((epoch - epoch.mean()) / deviation, dtype=np.float32)


def inputs(static_uv: Array, dynamic_uv: Array | None, n_dynamic: int) -> dict[str, NDArray[Any]]:
    """One trial as a batch of one: `static` (1, channel, time), `dynamic` (1, channel, `n_dynamic`), `n_dynamic` (1,).

    `dynamic_uv` (channel, n up to `n_dynamic`) is the beginning that has come, None for nothing of it; zeros behind it.
    """
    there = 0 if dynamic_uv is None else dynamic_uv.shape[1]
    dynamic = np.zeros((static_uv.shape[0], n_dynamic), dtype=np.float32)
    if dynamic_uv is not None and there:
        dynamic[:, :there] = standardised(dynamic_uv)
    return {
        "static": standardised(static_uv)[None],
        "dynamic": dynamic[None],
        "n_dynamic": np.array([there], dtype=np.int64),
    }
