"""Trials to train on: from a data set in the layout of EEG-3D, or from recordings of our own."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from calibration.datasets.eeg3d import Eeg3d
from calibration.datasets.recording import OpenSource
from calibration.decoding.cut import CutRecording, cut
from calibration.decoding.targets import AUTO, targets_of
from calibration.decoding.trials import Numbers, TrialSet
from calibration.decoding.who import read_who
from calibration.stimuli import Item, StimulusSet
from engines.errors import InputError
from pipeline.anytime import Windows
from pipeline.clock import Clock
from pipeline.montage import NEUROSCAN_64
from pipeline.preprocess import ChainConfig
from pipeline.scoring import TURN_WITHIN_S
from pipeline.types import Array

UNKNOWN = -1


def from_eeg3d(
    folder: Path | str,
    participant: str,
    encoder: str = AUTO,
    weights: Path | None = None,
    objects: Collection[int] | None = None,
) -> TrialSet:
    """All trials of one participant of EEG-3D, or of a data set that we wrote in its layout.

    Epochs are as the files hold them, standardised by their authors. `block` is the session, -1 where the files no
    longer tell; `channels` are EEG-3D's unless the participant's folder says otherwise. `encoder` and `weights` as
    `targets_of` takes them. The trials are read once into memory, float32; with `objects` those of these numbers alone.

    Raises:
        SetUnusable: no such participant, or files of another form.
        InputError: no such encoder, or its weights are not there.
    """
    stimuli = Eeg3d(folder)
    trials = stimuli.trials(participant)
    numbers = _numbers(stimuli)
    wanted = [row for row, label in enumerate(trials.labels) if objects is None or numbers[label.item] in objects]
    rows = np.array(wanted, dtype=np.int64)
    who = read_who(stimuli.folder / "EEGdata" / participant)
    sessions = [trials.session(row) for row in wanted]
    return TrialSet(
        participant=participant,
        static=trials.read("static", rows),
        dynamic=trials.read("dynamic", rows),
        block=np.array([UNKNOWN if session is None else session for session in sessions], dtype=np.int64),
        channels=NEUROSCAN_64 if who is None else who.channels,
        simulated=stimuli.simulated,
        offline_reason=stimuli.offline_reason,
        **_columns(stimuli, [trials.labels[row].item for row in wanted], encoder, weights),
    )


def from_recordings(
    files: Sequence[OpenSource],
    stimuli: StimulusSet,
    chain: ChainConfig,
    windows: Windows | None = None,
    *,
    participant: str = "",
    encoder: str = AUTO,
    weights: Path | None = None,
    unit: str | None = None,
    frozen: Mapping[str, Array] | None = None,
    clock: Clock | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> TrialSet:
    """All trials of recordings with pictures and turns (`stim/category/object`, `turn/category/object`).

    The stages that run live are cranked over each of `files`, which open one source each; an epoch is bit for bit what
    a decoder would get live. `block` is the file; `rejected` counts the trials that are not there, by reason. What was
    shown is looked up in `stimuli`; `encoder` and `weights` as `targets_of` takes them. `progress` hears the share of
    files done.

    Raises:
        InputError: no files, or they differ in channels or rate, show what `stimuli` has not got, or hold no trial of
            two windows.
        StreamMissing, FileUnreadable: from a source.
        StreamMismatch: the chain does not fit a stream.
        UnitUnknown: a stream declares no unit and none is given.
    """
    if not files:
        raise InputError("expected at least one recording, got none")
    windows = windows or Windows()
    parts: list[CutRecording] = []
    for number, open_source in enumerate(files):
        parts.append(cut(open_source, chain, windows, unit=unit, frozen=frozen, clock=clock))
        progress((number + 1) / len(files))
    _require_alike(parts)
    rejected = sum((part.rejected for part in parts), Counter[str]())
    trials = [trial for part in parts for trial in part.trials]
    if not trials:
        raise InputError(_nothing(rejected))
    return TrialSet(
        participant=participant,
        static=np.stack([trial.static for trial in trials]),
        dynamic=np.stack([trial.dynamic for trial in trials]),
        block=np.repeat(np.arange(len(parts)), [len(part.trials) for part in parts]),
        channels=parts[0].channels,
        simulated=any(part.info.simulated for part in parts),
        offline_reason=next((part.info.offline_reason for part in parts if part.info.offline_reason), ""),
        rejected=dict(rejected),
        **_columns(stimuli, [trial.item for trial in trials], encoder, weights),
    )


def _columns(stimuli: StimulusSet, shown: Sequence[Item], encoder: str, weights: Path | None) -> dict[str, Any]:
    """Everything of a TrialSet that follows from what was shown, trial by trial."""
    numbers, different = _numbers(stimuli), frozenset(shown)
    if foreign := [item for item in shown if item not in numbers]:
        raise InputError(
            f"{len(foreign)} trials show what {stimuli.name} has not got, the first {foreign[0].key}; "
            "name the stimulus set that was shown"
        )
    items = tuple(item for item in stimuli.items if item in different)
    categories = tuple(dict.fromkeys(item.category for item in items))
    row = {item: number for number, item in enumerate(items)}
    colours = {item: stimuli.colour_label(item) for item in items}
    name, targets = targets_of(stimuli, items, encoder, weights)
    return {
        "items": items,
        "item": _column(row[item] for item in shown),
        "categories": categories,
        "category": _column(categories.index(item.category) for item in shown),
        "colour": _column(UNKNOWN if (colour := colours[item]) is None else colour for item in shown),
        "number": _column(numbers[item] for item in shown),
        "targets": targets,
        "encoder": name,
    }


def _column(values: Iterable[int]) -> Numbers:
    return np.fromiter(values, dtype=np.int64)


def _numbers(stimuli: StimulusSet) -> dict[Item, int]:
    """Each object's number in its category: its name where the set's objects are numbered, else its place."""
    if all(item.object.isdecimal() for item in stimuli.items):
        return {item: int(item.object) for item in stimuli.items}
    seen: Counter[str] = Counter()
    found = {}
    for item in stimuli.items:
        found[item] = seen[item.category]
        seen[item.category] += 1
    return found


def _nothing(rejected: Mapping[str, int]) -> str:
    reasons = ", ".join(f"{reason}: {n}" for reason, n in rejected.items()) or "no marker stim/<category>/<object> came"
    return (
        "expected trials of a picture and the turn of the same object (markers stim/<category>/<object> and "
        f"turn/<category>/<object> within {TURN_WITHIN_S:g} s); got none ({reasons}); record the protocol eeg3d, or "
        "calibrate a system of one window, which takes pictures alone"
    )


def _require_alike(parts: Sequence[CutRecording]) -> None:
    for number, part in enumerate(parts[1:], start=2):
        if (part.channels, part.sfreq_hz) != (parts[0].channels, parts[0].sfreq_hz):
            raise InputError(
                f"expected recordings of one set-up; file 1 has {', '.join(parts[0].channels)} at "
                f"{parts[0].sfreq_hz:g} Hz, file {number} has {', '.join(part.channels)} at {part.sfreq_hz:g} Hz"
            )
