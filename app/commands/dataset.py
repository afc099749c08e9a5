"""`afterimage simulate --dataset`: simulated participants as a data set."""

import argparse

from app.terminal import Terminal
from calibration.decoding.generate import DatasetConfig, write_dataset
from engines.errors import InputError

_OF_ONE_RUN = ("to", "protocol", "minutes", "seconds", "rate", "run", "seed", "objects")


def dataset(options: argparse.Namespace, terminal: Terminal) -> int:
    """Add participants to the folder `--dataset`; those that are there are left alone.

    Raises:
        InputError: what is asked for cannot be, or the folder holds something else.
    """
    config = dataset_from(options)
    with terminal.progress(f"simulating into {options.dataset.name}") as progress:
        added = write_dataset(options.dataset, config, progress.callback)
    terminal.say(f"{options.dataset}: {len(added)} participants added{': ' if added else ''}{', '.join(added)}")
    return 0


def dataset_from(options: argparse.Namespace) -> DatasetConfig:
    """The data set asked for on the command line.

    Raises:
        InputError: no participants, or an option that a data set has not got.
    """
    if not options.participants:
        raise InputError("--dataset needs the seeds of its participants; give --participants, for example 9-13")
    for name in _OF_ONE_RUN:
        if getattr(options, name) is not None:
            raise InputError(
                f"--dataset and --{name} do not go together: every participant sees all of eeg3d, at 250 Hz"
            )
    return DatasetConfig(
        participants=options.participants,
        snr=options.snr,
        n_categories=options.categories,
        repeats=1 if options.repeats is None else options.repeats,
    )
