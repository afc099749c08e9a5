"""Trials of the UCI "EEG Database" (SMNI, H. Begleiter): gzipped text, one file a trial, one second after a picture.

64 channels at 256 Hz in microvolts; conditions "S1 obj", "S2 match", "S2 nomatch" (Zhang et al. 1995). Each file says
in its head who, which condition and which trial; then per channel the lines "trial channel sample value".
"""

import gzip
import re
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from pipeline.errors import FileUnreadable
from pipeline.types import Array

# A trial unpacks to 0.3 MB; far beyond that it is no trial.
_MAX_BYTES = 16 << 20
_INTERVAL = re.compile(r"#\s*([0-9.]+)\s*msecs\s+uV")
_CONDITION = re.compile(r"#\s*(S[12][^,]*?)\s*,?(\s*err\s*,?)?\s*trial\s+(\d+)")


@dataclass(frozen=True)
class Trial:
    """One trial. `data` (n_channels, n) in microvolts from the picture's onset on."""

    person: str
    number: int
    condition: str
    labels: tuple[str, ...]
    sfreq_hz: float
    data: Array


def read_trials(paths: Sequence[Path]) -> tuple[list[Trial], list[str]]:
    """All trials of some .tar archives, folders and .gz files, sorted by person and number, and what could not be read.

    Raises:
        FileUnreadable: there is no readable trial.
    """
    trials, warnings = [], []
    for path in paths:
        for name, data in _members(path):
            try:
                trials.append(parse_trial(data))
            except (ValueError, OSError, EOFError, zlib.error) as error:
                warnings.append(f"{name} is no readable trial and was left out: {error}")
    if not trials:
        raise FileUnreadable(f"{', '.join(map(str, paths))}: no readable trial (.gz); {'; '.join(warnings[:3])}")
    return sorted(trials, key=lambda trial: (trial.person, trial.number)), warnings


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each gzipped trial."""
    if path.is_dir():
        for file in sorted(path.rglob("*.gz")):
            yield file.name, file.read_bytes()
    elif path.suffix == ".gz":
        yield path.name, path.read_bytes()
    else:
        yield from _tar_members(path)


def _tar_members(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.name.endswith(".gz") else None
                if stream is not None and member.size <= _MAX_BYTES:
                    yield member.name, stream.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise FileUnreadable(f"{path} is no readable tar archive: {' '.join(str(error).split())}") from error


def parse_trial(zipped: bytes) -> Trial:
    """One trial from its gzipped text.

    Raises:
        ValueError: it does not follow the layout.
        OSError, EOFError, zlib.error: it is no gzip.
    """
    with gzip.open(BytesIO(zipped)) as file:
        text = file.read(_MAX_BYTES).decode("ascii", "replace")
    lines = text.splitlines()
    head = [line for line in lines[:4] if line.startswith("#")]
    interval = next((m for line in head if (m := _INTERVAL.match(line))), None)
    condition = next((m for line in head if (m := _CONDITION.match(line))), None)
    if len(head) < 4 or interval is None or condition is None:
        raise ValueError("its first lines are not those of an SMNI trial")
    labels, values = _channels(lines[4:])
    return Trial(
        person=head[0].lstrip("# ").removesuffix(".rd"),
        number=int(condition[3]),
        condition=condition[1] + (" err" if condition[2] else ""),
        labels=labels,
        # The head rounds the interval: 3.906 ms is 256 Hz.
        sfreq_hz=float(round(1e3 / float(interval[1]))),
        data=values,
    )


def _channels(lines: list[str]) -> tuple[tuple[str, ...], Array]:
    channels: dict[str, list[float]] = {}
    for line in lines:
        if line.startswith("#") or not line.strip():
            continue
        _trial, label, sample, value = line.split()
        values = channels.setdefault(label, [])
        if int(sample) != len(values):
            raise ValueError(f"channel {label}: sample {len(values)} is missing")
        values.append(float(value))
    lengths = {len(values) for values in channels.values()}
    if len(lengths) != 1:
        raise ValueError(f"its channels differ in length: {sorted(lengths)}")
    return tuple(channels), np.asarray(list(channels.values()), dtype=np.float64)
