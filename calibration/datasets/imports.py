"""Turns other published layouts into XDF recordings, so that everything else sees one kind of file.

Nothing is filtered, resampled or filled. Where a layout keeps only cut trials, they become stretches with gaps between
them: no epoch can join what was never recorded together. Time between such trials is invented, and said to be.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from calibration.datasets.eeg3d import OFFLINE_REASON as EEG3D_OFFLINE
from calibration.datasets.muse_csv import MuseRun, read_muse
from calibration.datasets.uci_smni import read_trials
from engines.errors import InputError
from pipeline.errors import FileUnreadable
from pipeline.montage import NEUROSCAN_64
from pipeline.types import OFFLINE_REASON, Array, Channel, Kind, StreamInfo
from pipeline.xdf.writer import XdfWriter

# Seconds without samples between trials whose true distance is not known; longer than any gap that is bridged.
PAUSE_S = 1.0
# Runs further apart than a day were made on different days or clocks; they are moved to this distance.
LONGEST_PAUSE_S = 86_400.0
MOVED_PAUSE_S = 60.0
# As recorders do: samples in chunks of about a second, a boundary about every ten.
_CHUNK_S = 1.0
_BOUNDARY_S = 10.0
# EEG-3D (Guo et al. 2025): trials are cut 0.2 s before the onset, 1 s at 250 Hz (picture) or 6 s at 100 Hz (video).
_EEG3D_RATE_HZ = {250: 250.0, 600: 100.0}
_EEG3D_BEFORE_S = 0.2


@dataclass(frozen=True)
class Stretch:
    """Samples recorded without interruption. `data` (n_channels, n); `stamps_s` (n,); markers as (stamp, label)."""

    data: np.ndarray[Any, Any]
    stamps_s: Array
    markers: list[tuple[float, str]]


@dataclass(frozen=True)
class Import:
    """A recording about to be written. `stretches` may be lazy; `dtype` float32 as amplifiers send."""

    info: StreamInfo
    stretches: Iterator[Stretch]
    warnings: list[str] = field(default_factory=list)


def import_file(kind: str, files: Sequence[Path | str], to: Path | str) -> dict[str, Any]:
    """Write `files` of the layout `kind` as one new recording: an EEG stream and a string marker stream.

    muse-csv: runs as eeg-notebooks saves them, at their own stamps. uci-smni: trials (.tar, folder or .gz), person by
    person. eeg3d: one array of one person with `name_label.npy` beside it. Whatever the recording pretends, such as
    time that is not in the files or people that were not there together, is told in "warnings".

    Returns:
        {"kind", "files", "to", "streams": [{"name", "n_samples"}], "markers": {label: count}, "warnings"}

    Raises:
        InputError: an unknown kind, or files that are no one recording.
        FileUnreadable: a file is missing or not of that layout; nothing was written.
        RecordingFailed: `to` exists, or the disk does not take it.
    """
    if kind not in KINDS:
        raise InputError(f"unknown layout {kind!r}; known are {', '.join(sorted(KINDS))}")
    if not files:
        raise InputError(f"{kind}: no file was given")
    paths = [Path(file) for file in files]
    for path in paths:
        if not path.exists():
            raise FileUnreadable(f"{path} does not exist")
    plan = KINDS[kind](paths)
    n_samples, labels = _write(plan, Path(to))
    return {
        "kind": kind,
        "files": [str(path) for path in paths],
        "to": str(to),
        "streams": [
            {"name": plan.info.name, "n_samples": n_samples},
            {"name": "Markers", "n_samples": labels.total()},
        ],
        "markers": dict(labels),
        "warnings": plan.warnings,
    }


def _write(plan: Import, to: Path) -> tuple[int, Counter[str]]:
    n_samples, labels = 0, Counter[str]()
    marker_info = StreamInfo("Markers", "Markers", 1, 0.0, "string", source_id=f"{plan.info.source_id}-markers")
    with XdfWriter(to) as writer:
        eeg, markers = writer.add_stream(plan.info), writer.add_stream(marker_info)
        next_boundary_s = float("-inf")
        for stretch in plan.stretches:
            for chunk in _chunks(stretch, plan.info.sfreq_hz):
                if chunk.markers:
                    stamps = [at for at, _ in chunk.markers]
                    writer.write_samples(markers, stamps, [label for _, label in chunk.markers])
                writer.write_samples(eeg, chunk.stamps_s, chunk.data)
                if chunk.stamps_s[-1] >= next_boundary_s:
                    writer.write_boundary()
                    next_boundary_s = chunk.stamps_s[-1] + _BOUNDARY_S
                n_samples += len(chunk.stamps_s)
                labels.update(label for _, label in chunk.markers)
    return n_samples, labels


def _chunks(stretch: Stretch, sfreq_hz: float) -> Iterator[Stretch]:
    """The stretch in chunks, every marker with the chunk that holds the first sample as late as it is."""
    n = max(1, round(_CHUNK_S * sfreq_hz))
    waiting = list(stretch.markers)
    for start in range(0, len(stretch.stamps_s), n):
        stamps = stretch.stamps_s[start : start + n]
        last = start + n >= len(stretch.stamps_s)
        due = [m for m in waiting if last or m[0] <= stamps[-1]]
        waiting = [m for m in waiting if m not in due]
        yield Stretch(stretch.data[:, start : start + n], stamps, due)


def _muse(paths: list[Path]) -> Import:
    """Runs of one day keep their own stamps, so the pauses between them are real."""
    runs = sorted((read_muse(path) for path in paths), key=lambda run: run.stamps_s[0])
    warnings = [text for run in runs for text in run.warnings]
    stretches: list[Stretch] = []
    shift_s = 0.0
    for before, run in zip([None, *runs], runs, strict=False):
        if before is not None:
            shift_s += _shift_s(before, run, warnings)
        markers = [(at_s + shift_s, label) for at_s, label in run.markers]
        stretches.append(Stretch(run.data.astype(np.float32), run.stamps_s + shift_s, markers))
    first = runs[0]
    info = _info("Muse", first.labels, first.sfreq_hz, "uV", f"muse-csv-{first.path.name}")
    return Import(info, iter(stretches), warnings)


def _shift_s(before: MuseRun, run: MuseRun, warnings: list[str]) -> float:
    """Seconds by which to move `run`: 0, unless its clock has nothing to do with that of the run before."""
    if (before.labels, before.sfreq_hz) != (run.labels, run.sfreq_hz):
        raise InputError(f"{before.path.name} and {run.path.name} differ in channels or rate; import them one by one")
    pause_s = float(run.stamps_s[0] - before.stamps_s[-1])
    if pause_s <= 0:
        raise InputError(f"{before.path.name} and {run.path.name} overlap in time; they are no runs of one recording")
    if pause_s <= LONGEST_PAUSE_S:
        return 0.0
    warnings.append(
        f"{run.path.name} starts {pause_s:.0f} s after {before.path.name} ends, so they were not recorded in one go; "
        f"it was moved to {MOVED_PAUSE_S:.0f} s after"
    )
    return MOVED_PAUSE_S - pause_s


def _uci(paths: list[Path]) -> Import:
    """Trials in the order of their numbers; each is a stretch that starts with its picture."""
    trials, warnings = read_trials(paths)
    people = sorted({trial.person for trial in trials})
    if len(people) > 1:
        warnings.append(f"this recording joins {len(people)} people ({', '.join(people)}), one after the other")
    first = trials[0]
    if any(t.labels != first.labels or t.sfreq_hz != first.sfreq_hz for t in trials):
        raise InputError("the trials differ in channels or rate; import them apart")
    kinds = {"X": Kind.EOG, "Y": Kind.EOG, "nd": Kind.MISC}
    info = _info(f"SMNI-{first.person}", first.labels, first.sfreq_hz, "uV", f"uci-smni-{first.person}", kinds)
    warnings.append("the time between trials is not in these files; they are written one second apart")
    stretches = _apart(((t.data, 0.0, t.condition) for t in trials), first.sfreq_hz)
    return Import(info, stretches, warnings)


def _eeg3d(paths: list[Path]) -> Import:
    """One array (trials, 64, samples); values are z-scores, so the stream declares no unit; it may not run live."""
    if len(paths) > 1:
        raise InputError("eeg3d: one array at a time; its name_label.npy is looked for beside it")
    path = _eeg3d_array(paths[0])
    data, names = _load_npy(path), _load_npy(path.parent / "name_label.npy")
    if data.ndim != 3 or data.shape[1] != len(NEUROSCAN_64) or data.shape[2] not in _EEG3D_RATE_HZ:
        raise FileUnreadable(f"{path}: expected (trials, 64, 250 or 600), came {data.shape}")
    if names.shape != data.shape[:1] or names.dtype.kind not in "US":
        raise FileUnreadable(f"name_label.npy: expected {data.shape[0]} names, came {names.dtype} {names.shape}")
    sfreq_hz = _EEG3D_RATE_HZ[data.shape[2]]
    info = _info(f"EEG-3D {path.stem}", NEUROSCAN_64, sfreq_hz, None, f"eeg3d-{path.parent.name}")
    info = replace(info, extra={OFFLINE_REASON: EEG3D_OFFLINE})
    labels = [name.decode() if isinstance(name, bytes) else str(name) for name in names]
    stretches = _apart(
        ((np.asarray(data[k], np.float32), _EEG3D_BEFORE_S, labels[k]) for k in range(len(labels))), sfreq_hz
    )
    warnings = [
        "the time between trials is not in this file; they are written one second apart",
        "the values are z-scores of each trial, not microvolts; the stream declares no unit",
        "the file names no channels; the order is that of the 64-channel Neuroscan cap",
        f"offline only: {EEG3D_OFFLINE}",
    ]
    return Import(info, stretches, warnings)


def _eeg3d_array(path: Path) -> Path:
    if path.is_file():
        return path
    found = sorted(p for p in path.glob("*.npy") if p.name != "name_label.npy")
    if len(found) != 1:
        listed = ", ".join(p.name for p in found) or "none"
        raise InputError(f"{path}: expected one array beside name_label.npy, came {listed}; name the file")
    return found[0]


def _load_npy(path: Path) -> np.ndarray[Any, Any]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise FileUnreadable(f"{path} cannot be read as a plain array: {error}") from error
    if not isinstance(array, np.ndarray):
        raise FileUnreadable(f"{path} is an archive; expected one array")
    return array


def _apart(trials: Iterator[tuple[np.ndarray[Any, Any], float, str]], sfreq_hz: float) -> Iterator[Stretch]:
    """(data, seconds from its start to the onset, label) as stretches PAUSE_S apart."""
    start_s = 0.0
    for data, before_s, label in trials:
        n = data.shape[1]
        stamps = start_s + np.arange(n) / sfreq_hz
        yield Stretch(data.astype(np.float32), stamps, [(float(stamps[round(before_s * sfreq_hz)]), label)])
        start_s += n / sfreq_hz + PAUSE_S


def _info(
    name: str,
    labels: Sequence[str],
    sfreq_hz: float,
    unit: str | None,
    source_id: str,
    kinds: dict[str, Kind] | None = None,
) -> StreamInfo:
    special = kinds or {}
    channels = tuple(Channel(label, special.get(label, Kind.EEG), unit) for label in labels)
    return StreamInfo(name, "EEG", len(channels), sfreq_hz, "float32", source_id, channels=channels)


KINDS: dict[str, Callable[[list[Path]], Import]] = {"muse-csv": _muse, "uci-smni": _uci, "eeg3d": _eeg3d}
