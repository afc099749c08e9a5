"""Trials that others have cut, as epochs for comparisons; never for a decoder that runs live.

The causal chain cannot run on them: it takes longer to settle than a trial lasts, and what came before the picture is
not there. So nothing is filtered. Channels that are no EEG are left out, the average of the rest is the reference, and
every channel loses its mean over the trial.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from calibration.datasets.recording import EpochSet
from calibration.datasets.uci_smni import Trial, read_trials
from engines.errors import InputError
from pipeline.epochs import EpochConfig
from pipeline.scoring import Events
from pipeline.types import Array, Channel, StreamInfo

# Eye and ear electrodes of the SMNI cap.
_NO_EEG = ("X", "Y", "nd")
OFFLINE = "pre-cut trials without the time before the picture: offline only"


def smni_epochs(paths: Sequence[Path], patterns: Mapping[str, Sequence[str]]) -> tuple[EpochSet, list[str]]:
    """Labelled trials of the UCI "EEG Database", one "file" a person in the order of their names, and warnings.

    `patterns` maps classes to globs on conditions ("S1 obj", "S2 match", "S2 nomatch"; with " err" where the person
    answered wrongly). Onsets are the trials' numbers in seconds: their order is real, the time between them is not.

    Raises:
        FileUnreadable: no readable trial.
        InputError: trials of several set-ups, or a class without trials.
    """
    if len(patterns) < 2:
        raise InputError(f"expected two conditions or more to tell apart; got {len(patterns)}; name them with --event")
    trials, warnings = read_trials(paths)
    events = Events(patterns)
    wanted = [trial for trial in trials if events.class_of(trial.condition) is not None]
    classes = tuple(patterns)
    labels = np.array([classes.index(str(events.class_of(t.condition))) for t in wanted], dtype=np.int64)
    counts = np.bincount(labels, minlength=len(classes))
    if counts.min() == 0:
        listed = ", ".join(sorted({trial.condition for trial in trials}))
        raise InputError(
            f"expected trials of every class; got {dict(zip(classes, counts.tolist(), strict=True))}; "
            f"name them with --event CLASS=PATTERN; the conditions are: {listed}"
        )
    first = wanted[0]
    if any((t.labels, t.sfreq_hz, t.data.shape) != (first.labels, first.sfreq_hz, first.data.shape) for t in wanted):
        raise InputError("expected trials of one set-up; got several channels, rates or lengths; compare them apart")
    people = sorted({trial.person for trial in wanted})
    channels = tuple(label for label in first.labels if label not in _NO_EEG)
    epochs = EpochSet(
        data=np.stack([_cleaned(trial) for trial in wanted]),
        labels=labels,
        onset_s=np.array([float(trial.number) for trial in wanted]),
        file=np.array([people.index(trial.person) for trial in wanted]),
        number=np.array([trial.number for trial in wanted]),
        classes=classes,
        channels=channels,
        sfreq_hz=first.sfreq_hz,
        epoch=EpochConfig(0.0, first.data.shape[1] / first.sfreq_hz, None),
        info=_info(people, channels, first.sfreq_hz),
        begun=np.arange(len(wanted)),
    )
    return epochs, [*warnings, OFFLINE]


def _cleaned(trial: Trial) -> Array:
    """(n_channels, n_samples) in microvolts against the average of the EEG channels, each with mean 0."""
    eeg = trial.data[[label not in _NO_EEG for label in trial.labels]]
    referenced = eeg - eeg.mean(axis=0)
    cleaned: Array = referenced - referenced.mean(axis=1, keepdims=True)
    return cleaned


def _info(people: Sequence[str], channels: Sequence[str], sfreq_hz: float) -> StreamInfo:
    named = tuple(Channel(label, unit="uV") for label in channels)
    return StreamInfo(f"SMNI of {len(people)}", "EEG", len(channels), sfreq_hz, channels=named)
