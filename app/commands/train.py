"""`afterimage train`: the networks that Afterimage comes with, made anew."""

import argparse
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import torch

from app.commands.run import default_out
from app.summary import versions
from app.terminal import Terminal, write_stdout
from calibration.recipes import pocket_vision
from calibration.report import to_json
from engines.errors import InputError
from engines.vision.pocket import SHIPPED

_N_THREADS = 1
"""A second core makes the batches; more do not pay for networks of this size."""


def train(options: argparse.Namespace) -> int:
    """Train one system and say how good it is.

    Raises:
        InputError: there is no such system.
    """
    if options.system not in SYSTEMS:
        raise InputError(f"expected a system to train ({', '.join(SYSTEMS)}), got {options.system!r}")
    return SYSTEMS[options.system](options, Terminal(quiet_stdout=options.json))


def _pocket_vision(options: argparse.Namespace, terminal: Terminal) -> int:
    out, started_s = default_out(options, "pocket-vision"), time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(_N_THREADS)
    cache = Path(tempfile.gettempdir()) / "afterimage-views"
    with terminal.progress("training the pocket vision encoder") as progress:
        encoder = pocket_vision.train(options.seed or 0, cache, progress=lambda share: progress.update(share))
    path = out / SHIPPED.name
    encoder.save(path)
    report = {
        "system": options.system, "weights": str(path), **asdict(encoder.origin),
        "seconds": round(time.monotonic() - started_s), "versions": versions(),
    }  # fmt: skip
    (out / "report.json").write_text(to_json(report), encoding="utf-8")
    told = ", ".join(f"{what} {score:.1%}" for what, score in encoder.origin.scores.items())
    terminal.say(f"wrote {path}; categories of objects 07 found again: {told}")
    if options.json:
        write_stdout(to_json(report))
    return 0


SYSTEMS = {"pocket-vision": _pocket_vision}
