"""Preprocessed THINGS-EEG2 responses (Gifford et al. 2022, doi:10.1016/j.neuroimage.2022.119754), as published.

Two layouts. The 250 Hz release that goes with ATM (Li et al. 2024, arXiv:2403.07721) and the original 100 Hz one: a
dictionary `preprocessed_eeg_data` (pictures, repeats, channels, time), `ch_names`, `times` in
`preprocessed_eeg_training.npy` and `preprocessed_eeg_test.npy`; the first is a bare pickle under the name of an array,
the second a pickle inside one. SAMGA's: plain arrays `train.npy` (1654, 10, 4, 63, 250) and `test.npy`
(200, 1, 80, 63, 250), which need no flag.

The 250 Hz data were whitened with the training part's noise covariance (MVNN), which takes the whole recording.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from calibration.datasets.arrays import AnyArray, open_array
from calibration.datasets.plain_pickle import read_plain_pickle
from calibration.sets.errors import SetUnusable
from pipeline.types import Array

_KEYS = ("preprocessed_eeg_data", "ch_names", "times")
# The 250 Hz release cuts 0.2 s before the onset from the data and leaves them in `times`.
_CUT_BEFORE = 50
_SAMGA_TAIL = (63, 250)
PICKLE_REFUSED = (
    "is a pickle, which could run any program; expected a plain array. If you trust where it is from, say so "
    "(trust_pickle=True): it is then read as arrays and containers only"
)


@dataclass(frozen=True, eq=False)
class Responses:
    """`data` (pictures, repeats, channels, time) in the order of `Things.row`; what the files do not tell is None.

    `offline_only`: no decoder trained on them may run live, for `offline_reason`.
    """

    offline_only: ClassVar[bool] = True
    offline_reason: ClassVar[str] = (
        "THINGS-EEG2 was whitened with the noise of whole sessions, which a live signal does not know beforehand"
    )
    data: AnyArray
    ch_names: tuple[str, ...] | None
    times_s: Array | None


def read_release(path: Path, trust_pickle: bool = False) -> Responses:
    """One file of the release. It is read into memory whole: the 250 Hz training file takes 4 or 8 GB.

    Raises:
        SetUnusable: it is a pickle and `trust_pickle` is not set; it asks for more than arrays; or it is no such
            dictionary.
    """
    if not trust_pickle:
        raise SetUnusable(f"{path} {PICKLE_REFUSED}")
    values = read_plain_pickle(path)
    if not isinstance(values, Mapping) or not set(_KEYS) <= set(values):
        came = sorted(map(str, values)) if isinstance(values, Mapping) else type(values).__name__
        raise SetUnusable(f"{path}: expected a dictionary with {', '.join(_KEYS)}, came {came}")
    data, names, times = (values[key] for key in _KEYS)
    if not isinstance(data, np.ndarray) or data.ndim != 4 or data.dtype.kind != "f":
        raise SetUnusable(f"{path}: expected numbers (pictures, repeats, channels, time), came {_form(data)}")
    labels = _labels(path, names, data.shape[2])
    return Responses(data, labels, _times(path, times, data.shape[3]))


def read_samga(path: Path) -> Responses:
    """`train.npy` or `test.npy` of SAMGA's layout, mapped into memory, concepts and pictures in one axis.

    Raises:
        SetUnusable: missing, damaged, or of another shape.
    """
    array = open_array(path, (None, None, None, *_SAMGA_TAIL))
    return Responses(array.reshape(-1, *array.shape[2:]), None, None)


def _labels(path: Path, names: Any, n_channels: int) -> tuple[str, ...]:
    if not isinstance(names, list | tuple | np.ndarray) or len(names) != n_channels:
        raise SetUnusable(f"{path}: expected {n_channels} names of channels, came {_form(names)}")
    return tuple(str(name) for name in names)


def _times(path: Path, times: Any, n_samples: int) -> Array:
    values = np.asarray(times)
    if values.ndim != 1 or values.dtype.kind != "f" or len(values) not in (n_samples, n_samples + _CUT_BEFORE):
        raise SetUnusable(f"{path}: expected the times of {n_samples} samples, came {_form(times)}")
    return np.asarray(values[-n_samples:], dtype=np.float64)


def _form(value: Any) -> str:
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else f"{type(value).__name__}"
