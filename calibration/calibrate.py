"""Calibration: recordings and event patterns in, an evaluated subject out."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from calibration.baselines import BANDS_HZ, linear_systems
from calibration.datasets.recording import EpochSet, OpenSource, Survey, epochs_from, opening, spacing_s, survey
from calibration.defaults import default_chain
from calibration.evaluate import Evaluation, Progress, evaluate, silent
from calibration.store import StreamRecord, ValidationRow
from calibration.subjects import Manifest, Subject, SubjectDecoder
from engines.errors import InputError
from engines.models.linear import to_parts
from pipeline.epochs import EpochConfig
from pipeline.fit_chain import fit_frozen
from pipeline.preprocess import BAND_LIMIT, ChainConfig
from pipeline.types import Array, StreamInfo

# Without --event every label is a class, up to so many; more are free text or trial numbers.
MAX_CLASSES = 16
FLICKER = re.compile(r"(\d+(?:\.\d+)?)\s*hz", re.IGNORECASE)
# Share of the work that reading and cutting takes, for the progress.
READING = 0.4
SIMULATED = "simulated: nothing here was measured on a person"
# The start of the first recording from which the chain learns eye movements and artifacts.
CHAIN_BLOCK_S = 45.0
# Flicker responses build up after about 140 ms (Chen et al. 2015, PNAS 112); 3 s tell 1 Hz apart well.
FLICKER_WINDOW = EpochConfig(0.14, 3.14, None)
IMAGERY_WINDOW = EpochConfig(0.5, 3.5, None)


@dataclass(frozen=True)
class CalibrationResult:
    """A subject ready to decode, and how it was found."""

    subject: Subject
    evaluation: Evaluation
    rejected: Mapping[str, int]
    warnings: tuple[str, ...]

    def fields(self) -> dict[str, Any]:
        """The report's fields (DESIGN section 5)."""
        manifest = self.subject.manifest
        return {
            "classes": list(manifest.classes),
            "n_epochs": sum(manifest.n_epochs.values()),
            "n_epochs_by_class": manifest.n_epochs,
            "n_trials": self.evaluation.n_trials,
            "epochs": {"accepted": sum(manifest.n_epochs.values()), "rejected": dict(self.rejected)},
            "system": manifest.system,
            "window": manifest.epoch,
            "chain": manifest.chain,
            "validation": [row.to_dict() for row in self.evaluation.rows],
            "confusion": self.evaluation.confusion.tolist(),
            "warnings": list(self.warnings),
            "simulated": manifest.simulated,
        }


def calibrate(
    files: Sequence[OpenSource],
    patterns: Mapping[str, Sequence[str]],
    *,
    system: str = "auto",
    chain: ChainConfig | None = None,
    epoch: EpochConfig | None = None,
    unit: str | None = None,
    trial_start: str | None = None,
    participant: str = "",
    recordings: Mapping[str, str] | None = None,
    versions: Mapping[str, str] | None = None,
    n_permutations: int = 199,
    seed: int = 0,
    progress: Progress = silent,
) -> CalibrationResult:
    """Cut epochs, choose and validate a system, fit it on everything.

    `files` open one source each; `patterns` maps classes to globs on marker labels (empty: every label is a class);
    `chain` and `epoch` override the defaults of stream and task; `trial_start` is a glob on markers that begin a trial
    of several windows; `recordings` names the files with their SHA-256, so that a replay of one of them can say so.
    Thread: any; takes seconds to minutes, `progress` hears the share done and of what.

    Raises:
        InputError: too few classes, epochs or trials, or files that do not match.
        UnitUnknown: a stream declares no unit and none is given.
    """
    cut = cut_epochs(files, patterns, chain, epoch, unit=unit, trial_start=trial_start, progress=progress)
    evaluation = evaluate(
        cut.sets,
        linear_systems(flicker_of(cut.classes)),
        system,
        n_permutations=n_permutations,
        seed=seed,
        progress=lambda share, text: progress(READING + (1.0 - READING) * share, text),
    )
    epochs = cut.sets[evaluation.window]
    said = evaluation.warnings + ((SIMULATED,) if cut.simulated else ())
    said += (f"offline only: {cut.offline_reason}",) if cut.offline_reason else ()
    manifest = _manifest(
        evaluation, epochs, cut.chain, cut.classes, trial_start, cut.simulated, said, participant, versions or {}
    )
    told = {"recordings": dict(recordings or {}), "offline_reason": cut.offline_reason}
    manifest = manifest.model_copy(update=told)
    subject = _subject(manifest, evaluation, epochs, cut.chain, cut.frozen)
    return CalibrationResult(subject, evaluation, epochs.rejected, said)


@dataclass(frozen=True)
class CutEpochs:
    """The epochs of each window that a system may ask for, and what they went through.

    `classes` maps classes to globs that each match a marker; `frozen` is what the chain learned; `offline_reason` that
    of the first stream that has one.
    """

    sets: Mapping[str, EpochSet]
    classes: Mapping[str, tuple[str, ...]]
    chain: ChainConfig
    frozen: Mapping[str, Array]
    simulated: bool
    offline_reason: str


def cut_epochs(
    files: Sequence[OpenSource],
    patterns: Mapping[str, Sequence[str]],
    chain: ChainConfig | None = None,
    epoch: EpochConfig | None = None,
    *,
    unit: str | None = None,
    trial_start: str | None = None,
    progress: Progress = silent,
) -> CutEpochs:
    """Cut recordings in the windows that their task has room for. Arguments, errors and thread as `calibrate`."""
    if not files:
        raise InputError("expected at least one recording; got none; write afterimage calibrate FILE...")
    progress(0.0, "reading markers")
    surveys = [survey(open_source(), unit) for open_source in files]
    classes = patterns_of(surveys, patterns)
    chosen_chain = chain or default_chain(surveys[0].info)
    windows = windows_for(spacing_s(surveys, classes), classes, surveys[0].info.sfreq_hz, epoch)
    frozen, fitted_until_s = fitted_chain(files[0], chosen_chain, surveys[0].info, unit)
    sets: dict[str, EpochSet] = {}
    for name, window in windows.items():
        progress(READING * len(sets) / len(windows), f"cutting {name} epochs")
        cut = epochs_from(files, classes, chosen_chain, window, unit=unit, trial_start=trial_start, frozen=frozen)
        sets[name] = cut.take((cut.file > 0) | (cut.onset_s > fitted_until_s))
    simulated = any(found.info.simulated for found in surveys)
    offline_reason = next((found.info.offline_reason for found in surveys if found.info.offline_reason), "")
    return CutEpochs(sets, classes, chosen_chain, frozen, simulated, offline_reason)


def fitted_chain(
    open_source: OpenSource, chain: ChainConfig, info: StreamInfo, unit: str | None
) -> tuple[dict[str, Array], float]:
    """What the chain must learn (eye movements, artifacts), and the time up to which the first file taught it.

    That block is spent: no epoch of it trains or tests a decoder. Nothing to learn: nothing, and the beginning of time.

    Raises:
        InputError: the block holds too little clean data.
    """
    if not (chain.eog_regression or chain.asr):
        return {}, float("-inf")
    stretches, until_s = opening(open_source(), CHAIN_BLOCK_S, unit)
    return fit_frozen(chain, info, stretches), until_s


def patterns_of(surveys: Sequence[Survey], patterns: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Patterns that each match a marker; without any given, one for every label.

    Raises:
        InputError: fewer than two classes, a pattern that matches nothing, or too many labels to be classes.
    """
    counts = Counter(m.label for found in surveys for m in found.markers)
    listed = ", ".join(f"{label!r} x{n}" for label, n in counts.most_common(12)) or "none at all"
    if not patterns:
        if not 2 <= len(counts) <= MAX_CLASSES:
            raise InputError(
                f"expected 2 to {MAX_CLASSES} marker labels to tell apart; got {len(counts)} ({listed}); "
                "name the classes with --event CLASS=PATTERN"
            )
        return {label: (_literal(label),) for label in sorted(counts)}
    if len(patterns) < 2:
        raise InputError(f"expected at least two classes to tell apart; got {', '.join(patterns)}; add another --event")
    for name, globs in patterns.items():
        if not any(fnmatchcase(label, glob) for label in counts for glob in globs):
            raise InputError(f"no marker matches class {name!r} ({', '.join(globs)}); the markers are: {listed}")
    return {name: tuple(globs) for name, globs in patterns.items()}


def _literal(label: str) -> str:
    """A glob that matches the label and nothing else."""
    return re.sub(r"([*?[])", r"[\1]", label)


def flicker_of(classes: Mapping[str, Sequence[str]]) -> tuple[float, ...] | None:
    """The flicker of each class in Hz where all are named after theirs ("12Hz"), else None."""
    found = [FLICKER.fullmatch(name.strip()) for name in classes]
    return tuple(float(m.group(1)) for m in found if m) if all(found) else None


def windows_for(
    spacing: float, classes: Mapping[str, Sequence[str]], sfreq_hz: float, epoch: EpochConfig | None
) -> dict[str, EpochConfig]:
    """The window of each kind of response that onsets `spacing` seconds apart leave room for.

    Evoked responses: 0.2 s before to 0.8 s after the onset, ended by the next onset but no sooner than 0.5 s after.
    Oscillatory: 0.5 to 3.5 s after a cue; where onsets come faster, from one to the next, at most 2 s, at least 1 s.
    """
    end_s = min(0.8, max(0.5, float(np.floor(min(spacing, 1.0) * 50)) / 50))
    windows = {"evoked": epoch or EpochConfig(-0.2, end_s, (-0.2, 0.0))}
    has_bands = BANDS_HZ[-1][1] <= BAND_LIMIT * sfreq_hz
    if epoch is not None and has_bands and epoch.tmax_s - epoch.tmin_s >= 1.0:
        windows["oscillatory"] = epoch
    elif epoch is None and has_bands and spacing >= IMAGERY_WINDOW.tmax_s:
        windows["oscillatory"] = IMAGERY_WINDOW
    elif epoch is None and has_bands and spacing >= 1.0:
        windows["oscillatory"] = EpochConfig(0.0, min(2.0, float(np.floor(spacing * 20)) / 20), None)
    if flicker_of(classes) is not None:
        windows["flicker"] = epoch or FLICKER_WINDOW
    return windows


def _manifest(
    evaluation: Evaluation,
    epochs: EpochSet,
    chain: ChainConfig,
    patterns: Mapping[str, Sequence[str]],
    trial_start: str | None,
    simulated: bool,
    warnings: tuple[str, ...],
    participant: str,
    versions: Mapping[str, str],
) -> Manifest:
    counts = np.bincount(epochs.labels, minlength=len(epochs.classes))
    return Manifest(
        participant=participant,
        simulated=simulated,
        system=evaluation.system.name,
        classes=epochs.classes,
        patterns={name: tuple(globs) for name, globs in patterns.items()},
        trial_start=trial_start,
        channels=epochs.channels,
        sfreq_hz=epochs.sfreq_hz,
        stream=StreamRecord.of(epochs.info),
        chain=chain.to_dict(),
        epoch=epochs.epoch.to_dict(),
        model=to_parts(evaluation.model)[0],
        n_epochs=dict(zip(epochs.classes, (int(n) for n in counts), strict=True)),
        validation=tuple(ValidationRow(**row.to_dict()) for row in evaluation.rows),
        confusion=tuple(tuple(int(n) for n in row) for row in evaluation.confusion),
        warnings=warnings,
        versions=dict(versions),
    )


def _subject(
    manifest: Manifest, evaluation: Evaluation, epochs: EpochSet, chain: ChainConfig, frozen: Mapping[str, Array]
) -> Subject:
    decoder = SubjectDecoder(
        classes=epochs.classes,
        channels=epochs.channels,
        sfreq_hz=epochs.sfreq_hz,
        chain=chain,
        epoch=epochs.epoch,
        stage=manifest.stage,
        model=evaluation.model,
    )
    return Subject(manifest, decoder, frozen)
