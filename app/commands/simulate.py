"""`afterimage simulate`: the simulated participant, over LSL, into a file, or as a data set."""

import argparse

from app.commands.run import LIVE_RUN
from app.headless import stop_on_signals
from app.terminal import Terminal
from calibration.decoding.generate import DatasetConfig, write_dataset
from calibration.simulate import SimulateConfig, to_file
from calibration.simulate import simulate as play
from engines.errors import InputError

DEFAULT_PROTOCOL = "pictures"


def simulate(options: argparse.Namespace) -> int:
    """Play a simulated participant until its protocol ends, `--minutes` pass or a signal comes."""
    terminal = Terminal(quiet_stdout=options.json)
    if options.dataset is not None:
        return _dataset(options, terminal)
    config = config_from(options)
    if options.to is not None:
        with terminal.progress(f"simulating into {options.to.name}") as progress:
            to_file(config, options.to, lambda share: progress.update(share))
        terminal.say(f"wrote {options.to}")
        return 0
    with stop_on_signals() as stop:
        terminal.say("simulated participant is streaming over LSL; Ctrl-C ends it")
        play(config, stop)
    return 0


def _dataset(options: argparse.Namespace, terminal: Terminal) -> int:
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
    for name in ("to", "protocol", "minutes", "seconds", "rate", "run", "seed"):
        if getattr(options, name) is not None:
            raise InputError(f"--dataset and --{name} do not go together: it is EEG-3D's protocol, whole, at 250 Hz")
    return DatasetConfig(
        participants=options.participants,
        snr=options.snr,
        n_categories=options.categories,
        repeats=options.repeats or 1,
    )


def config_from(options: argparse.Namespace) -> SimulateConfig:
    """The simulation asked for on the command line."""
    # A decoder calibrated on the file must not meet the very same samples live.
    default_run = LIVE_RUN if options.to is None else 0
    given = {
        "n_categories": options.categories,
        "repeats": options.repeats,
        "minutes": options.minutes if options.seconds is None else options.seconds / 60,
        "seed": options.seed or 0,
        "run": options.run if options.run is not None else default_run,
    }
    if options.rate is not None:
        given["sfreq_hz"] = options.rate
    return SimulateConfig(snr=options.snr, protocol=options.protocol or DEFAULT_PROTOCOL, **given)
