"""Simulated participants as a data set in the layout of EEG-3D, cut by the stages that run live.

Each participant sees EEG-3D's protocol, session by session. The folder says in `origin.json` that its data are
simulated and causal, and beside each participant's arrays stands who it is. A participant that is there is whole: it is
written under another name first.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from calibration import protocol
from calibration.datasets.eeg3d import ORIGIN_FILE, Origin
from calibration.datasets.eeg3d_write import labels_of, organise, write_stimuli, write_subject
from calibration.decoding.cut import PICTURE_MARK, cut
from calibration.decoding.trials import Floats
from calibration.decoding.who import Who
from calibration.defaults import default_chain
from calibration.objects.builtin import BuiltIn
from calibration.sets.errors import SetUnusable
from calibration.simulate import SimulateConfig, plan
from calibration.stimuli import Item, Only, StimulusSet
from engines.errors import InputError
from pipeline.anytime import Windows
from pipeline.sources.played import PlayedSource
from pipeline.sources.simulated import Performance

PROTOCOL = "eeg3d"
N_SHOWINGS = 24  # of each category by one participant, over all sessions

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class DatasetConfig:
    """`participants` are seeds; the first `n_categories` are shown, each `repeats` times a session.

    Raises:
        InputError: a number that cannot be.
    """

    participants: tuple[int, ...]
    snr: float = 1.0
    n_categories: int | None = None
    repeats: int = 1

    def __post_init__(self) -> None:
        """Refuse what is no whole recording."""
        if self.repeats < 1 or N_SHOWINGS % self.repeats:
            raise InputError(
                f"--repeats takes a divisor of {N_SHOWINGS}, as often as each category is shown; {self.repeats} came"
            )

    @property
    def n_sessions(self) -> int:
        """Runs of the protocol that one participant takes part in."""
        return N_SHOWINGS // self.repeats

    def of(self, participant: int, run: int) -> SimulateConfig:
        """One session of one participant."""
        return SimulateConfig(
            seed=participant,
            run=run,
            snr=self.snr,
            n_categories=self.n_categories,
            repeats=self.repeats,
            protocol=PROTOCOL,
        )


def subject_name(participant: int) -> str:
    """What the layout calls a participant."""
    return f"sub{participant:02d}"


def write_dataset(folder: Path, config: DatasetConfig, progress: Progress = lambda share, note: None) -> list[str]:
    """Add the participants that `folder` has not got; the folder is made where there is none. Returns what was added.

    Two processes may fill one folder with different participants. About 0.8 GB and some minutes a participant.

    Raises:
        InputError: the folder holds data of another kind, or the simulation was asked for what cannot be.
    """
    shown = Only(BuiltIn(), protocol.load(PROTOCOL, n_categories=config.n_categories).items)
    _prepare(folder, shown, config, progress)
    missing = [p for p in config.participants if not (folder / "EEGdata" / subject_name(p)).is_dir()]
    for done, participant in enumerate(missing):
        _write_participant(
            folder,
            shown,
            config,
            participant,
            lambda share, note, done=done: progress((done + share) / len(missing), note),  # type: ignore[misc]
        )
    return [subject_name(p) for p in missing]


def _prepare(folder: Path, shown: StimulusSet, config: DatasetConfig, progress: Progress) -> None:
    """Stimuli and origin, whole or not at all."""
    origin = Origin(
        made_by=f"afterimage {version('afterimage')} simulate, SNR {config.snr:g}",
        simulated=True,
        causal=True,
        n_per_session=config.repeats * len({item.category for item in shown.items}),
    )
    if not folder.exists():
        progress(0.0, "pictures and shapes")
        unfinished = folder.with_name(f"{folder.name}.unfinished-{os.getpid()}")
        write_stimuli(unfinished, shown, origin, videos=False)
        try:
            unfinished.rename(folder)
        except OSError:  # another process was faster
            shutil.rmtree(unfinished)
    if not (folder / ORIGIN_FILE).is_file():
        raise InputError(f"{folder} exists and has no {ORIGIN_FILE}; expected a new folder, or one that we made")
    there = Origin.model_validate_json((folder / ORIGIN_FILE).read_bytes())
    if there != origin:
        raise InputError(f"{folder} holds {there}, and asked for is {origin}; choose another folder")


def _write_participant(
    folder: Path, shown: StimulusSet, config: DatasetConfig, participant: int, progress: Progress
) -> None:
    subject = subject_name(participant)
    unfinished = folder / f"unfinished-{subject}"
    shutil.rmtree(unfinished, ignore_errors=True)
    progress(0.0, subject)
    sessions = _sessions(config, participant)
    labels = labels_of(shown)
    order = [labels[item] for session in sessions for item in _items(session)]
    epochs = _epochs(sessions, lambda share: progress(share, subject))
    place = write_subject(unfinished, subject, order, epochs)
    organise(place)
    _who(sessions[0]).write(place)
    (folder / "EEGdata").mkdir(exist_ok=True)
    place.rename(folder / "EEGdata" / subject)
    shutil.rmtree(unfinished)


def _sessions(config: DatasetConfig, participant: int) -> list[Performance]:
    first = plan(config.of(participant, 0))
    rest = [plan(config.of(participant, run), first.participant) for run in range(1, config.n_sessions)]
    return [first, *rest]


def _items(session: Performance) -> list[Item]:
    pictures = [s.label.removeprefix(PICTURE_MARK) for s in session.shown if s.label.startswith(PICTURE_MARK)]
    return [Item(*key.split("/")) for key in pictures]


def _epochs(sessions: list[Performance], progress: Callable[[float], None]) -> Iterator[tuple[Floats, Floats]]:
    for run, session in enumerate(sessions):
        progress(run / len(sessions))
        source = PlayedSource(session)
        recording = cut(lambda source=source: source, default_chain(source.info), Windows())  # type: ignore[misc]
        if [trial.item for trial in recording.trials] != _items(session):
            raise SetUnusable(
                f"session {run} of participant {session.participant.seed}: the layout holds whole sessions only, and "
                f"trials were rejected ({dict(recording.rejected)})"
            )
        for trial in recording.trials:
            yield trial.static, trial.dynamic


def _who(session: Performance) -> Who:
    participant = session.participant
    return Who(
        made_by=f"afterimage {version('afterimage')}",
        simulated=True,
        seed=participant.seed,
        snr=session.snr,
        participant=participant.digest,
        facts=participant.facts,
        channels=participant.names,
        chain=default_chain(session.infos[0]).to_dict(),
        windows=Windows().to_dict(),
    )
