"""`afterimage simulate`: the simulated participant, over LSL, into a file, or as a data set."""

import argparse

from app.headless import stop_on_signals
from app.simulation import LIVE_RUN
from app.terminal import Terminal
from calibration.simulate import SimulateConfig, to_file
from calibration.simulate import simulate as play
from engines.errors import InputError

DEFAULT_PROTOCOL = "pictures"


def simulate(options: argparse.Namespace) -> int:
    """Play a simulated participant until its protocol ends, `--minutes` pass or a signal comes."""
    terminal = Terminal(quiet_stdout=options.json)
    if options.dataset is not None:
        from app.commands.dataset import dataset  # draws pictures, which nothing else here does

        return dataset(options, terminal)
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


def config_from(options: argparse.Namespace) -> SimulateConfig:
    """The simulation asked for on the command line.

    Raises:
        InputError: an option that only a data set has.
    """
    if options.participants is not None:
        raise InputError("--participants are those of a data set; give --dataset, or --seed for one participant")
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
    if options.objects is not None:
        given["objects"] = tuple(f"{number:02d}" for number in options.objects)
    return SimulateConfig(snr=options.snr, protocol=options.protocol or DEFAULT_PROTOCOL, **given)
