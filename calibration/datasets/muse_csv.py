"""Muse recordings as NeuroTechX's eeg-notebooks saves them: a csv with stamp, channels and marker per sample."""

import csv
import gzip
import io
import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import FileUnreadable
from pipeline.types import Array

# What a Muse sends: the headbands of 2016 and later, and the one of 2014.
_RATES_HZ = (256.0, 220.0)
_MAX_BYTES = 1 << 30


@dataclass(frozen=True)
class MuseRun:
    """One file. `data` (n_channels, n) in microvolts; `stamps_s` (n,), rounded to milliseconds by their writer."""

    path: Path
    labels: tuple[str, ...]
    sfreq_hz: float
    data: Array
    stamps_s: Array
    markers: list[tuple[float, str]]
    warnings: list[str]


def read_muse(path: Path) -> MuseRun:
    """Read one csv or csv.gz. A marker is a non-zero number in the marker column, at the stamp of its sample.

    Rows that are no numbers are left out and told; the stamps keep the gap.

    Raises:
        FileUnreadable: no such table, or no complete row.
    """
    rows = csv.reader(io.StringIO(_text(path).replace("\0", "")))
    header = [name.strip() for name in next(rows, [])]
    marker_columns = [k for k, name in enumerate(header) if name.lower().startswith("marker")]
    if not header or header[0] != "timestamps" or len(marker_columns) != 1 or len(header) < 3:
        raise FileUnreadable(f"{path}: expected the columns timestamps, channels..., Marker0; came {header[:8]}")
    try:
        good, n_bad = _numbers(rows, len(header))
    except csv.Error as error:
        raise FileUnreadable(f"{path} is no table: {error}") from error
    if len(good) < 2:
        raise FileUnreadable(f"{path} holds no samples")
    table = np.asarray(good, dtype=np.float64)
    at = marker_columns[0]
    channels = [k for k in range(1, len(header)) if k != at]
    stamps = np.ascontiguousarray(table[:, 0])
    markers = [(float(stamps[k]), f"{table[k, at]:g}") for k in np.flatnonzero(table[:, at])]
    warnings = [f"{path.name}: {n_bad} rows are no numbers and were left out"] if n_bad else []
    rate_hz = _rate(stamps, path, warnings)
    data = np.ascontiguousarray(table[:, channels].T)
    return MuseRun(path, tuple(header[k] for k in channels), rate_hz, data, stamps, markers, warnings)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            data = gzip.GzipFile(fileobj=file).read(_MAX_BYTES) if zipped else file.read(_MAX_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise FileUnreadable(f"{path} cannot be read: {error}") from error
    return data.decode("utf-8", "replace")


def _numbers(rows: Iterable[list[str]], n_columns: int) -> tuple[list[list[float]], int]:
    good, n_bad = [], 0
    for row in rows:
        try:
            values = [float(text) for text in row]
        except ValueError:
            n_bad += 1
            continue
        if len(values) == n_columns and math.isfinite(values[0]) and math.isfinite(values[-1]):
            good.append(values)
        else:
            n_bad += bool(row)
    return good, n_bad


def _rate(stamps_s: Array, path: Path, warnings: list[str]) -> float:
    duration_s = float(stamps_s[-1] - stamps_s[0])
    if duration_s <= 0:
        raise FileUnreadable(f"{path}: its time stamps do not advance")
    effective_hz = (len(stamps_s) - 1) / duration_s
    nominal_hz = min(_RATES_HZ, key=lambda rate: abs(rate - effective_hz))
    if abs(effective_hz / nominal_hz - 1) > 0.02:
        warnings.append(f"{path.name}: {effective_hz:.1f} samples a second where a Muse sends {nominal_hz:g}")
    return nominal_hz
