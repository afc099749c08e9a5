"""`afterimage train`: decoders on a participant's trials, and the networks that Afterimage comes with."""

import argparse
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from app.commands.run import default_out
from app.config import load
from app.headless import stop_on_signals
from app.summary import versions
from app.tables import lines_of
from app.terminal import Terminal, write_stdout
from calibration.decoding.process import Finished, Standing, TrainingProcess
from calibration.decoding.targets import AUTO
from calibration.open_set import BUILT_IN, open_set
from calibration.recipes import pocket_shape, pocket_vision
from calibration.recipes.systems import systems
from calibration.report import to_json, write_report
from calibration.train import Order
from engines.errors import InputError
from engines.generators import shape
from engines.vision import pocket
from engines.vision.encoders import open_encoder

if TYPE_CHECKING:
    from calibration.tuning import AdapterOrder

POCKET_VISION = "pocket-vision"
POCKET_PICTURES = "pocket-pictures"
POCKET_SHAPE = "pocket-shape"
ADAPTER = "adapter"
CAPTION_MAP = "caption-map"
OWN = (POCKET_VISION, POCKET_PICTURES, POCKET_SHAPE, ADAPTER, CAPTION_MAP)  # all but decoders
# A second core makes the batches; more do not pay for networks of this size.
_N_THREADS = 1
_LOOK_S = 0.2


def train(options: argparse.Namespace) -> int:
    """Train one system and say how good it is.

    Raises:
        InputError: there is no such system, or what it is trained on is missing or superfluous.
    """
    terminal = Terminal(quiet_stdout=options.json)
    if options.pictures is not None and options.system != CAPTION_MAP:
        raise InputError(f"--pictures belongs to {CAPTION_MAP}; {options.system} takes none")
    if options.learning_rate is not None and options.system in OWN:
        raise InputError(f"--learning-rate belongs to decoders; {options.system} takes none")
    if options.system == POCKET_VISION:
        return _pocket_vision(options, terminal)
    if options.system == POCKET_PICTURES:
        return _pocket_pictures(options, terminal)
    if options.system == POCKET_SHAPE:
        return _pocket_shape(options, terminal)
    if options.system == ADAPTER:
        return _adapter(options, terminal)
    if options.system == CAPTION_MAP:
        return _caption_map(options, terminal)
    if options.system not in (known := systems("pocket")):
        raise InputError(f"expected a system to train ({', '.join((*OWN, *known))}), got {options.system!r}")
    if options.data is None:
        raise InputError(f"{options.system} is trained on a participant's trials: name their folder with --data DIR")
    return _decoder(options, terminal)


def _decoder(options: argparse.Namespace, terminal: Terminal) -> int:
    order = Order(
        data=options.data,
        participant=options.participant,
        system=options.system,
        out=default_out(options, options.system.replace("/", "-").replace(" ", "-")),
        size=options.size,
        seed=options.seed or 0,
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        encoder=options.encoder or AUTO,
        weights=options.weights,
        versions=versions(),
    )
    return _tell_of(order, options, terminal)


def _adapter(options: argparse.Namespace, terminal: Terminal) -> int:
    if options.data is None or options.model is None:
        raise InputError(
            "an adapter is fine-tuned to a trained decoder on a participant's trials: name them with --model DIR and "
            "--data DIR"
        )
    from calibration.tuning import AdapterOrder  # diffusers takes seconds to come

    order = AdapterOrder(
        data=options.data,
        model=options.model,
        out=default_out(options, ADAPTER),
        generator=options.generator,
        generators=load(options.config).reconstruction.generators(),
        participant=options.participant,
        seed=options.seed or 0,
        epochs=options.epochs,
        encoder=options.encoder or AUTO,
        weights=options.weights,
        versions=versions(),
    )
    return _tell_of(order, options, terminal)


def _tell_of(order: "Order | AdapterOrder", options: argparse.Namespace, terminal: Terminal) -> int:
    """Carry it out elsewhere, and report."""
    order.check()
    if order.checkpoint.exists():
        terminal.say(f"going on from {order.checkpoint}")
    report = _carried_out(order, terminal)
    if report is None:
        terminal.say("stopped; the same call goes on from the last whole epoch" if order.checkpoint.exists()
                     else "stopped before an epoch was whole; nothing is kept")  # fmt: skip
        report = {"command": "train", "system": order.system, "finished": False, "out": str(order.out)}
    else:
        report |= {"finished": True, "versions": versions()}
        page = write_report(order.out, report)
        terminal.say(report["verdict"]["text"])
        for line in (line for table in report.get("tables", ()) for line in lines_of(table)):
            terminal.say(line)
        for text in report["warnings"]:
            terminal.warn(text)
        terminal.say(f"model: {order.out}; report: {page}")
    if options.json:
        write_stdout(to_json(report))
    return 0


def _carried_out(order: "Order | AdapterOrder", terminal: Terminal) -> dict[str, Any] | None:
    """The fields of the report; None when a signal stopped it."""
    with (
        stop_on_signals() as stop,
        terminal.progress(f"training {order.system}") as progress,
        TrainingProcess(order) as training,
    ):
        while not stop.is_set():
            news = training.poll(_LOOK_S)
            if isinstance(news, Finished):
                result: dict[str, Any] = news.result
                return result
            if isinstance(news, Standing):
                progress.update(news.step.share, _note(news))
    return None


def _note(news: Standing) -> str:
    step, left_s = news.step, news.seconds_left
    left = "" if left_s is None else f", {left_s:.0f} s left" if left_s < 90 else f", {left_s / 60:.0f} min left"
    return f"epoch {step.epoch} of {step.epochs}: loss {step.loss:.3g}, selection {step.score:.3f}{left}"


def _pocket_vision(options: argparse.Namespace, terminal: Terminal) -> int:
    out, cache, started_s = _place(options)
    with terminal.progress("training the pocket vision encoder") as progress:
        encoder = pocket_vision.train(options.seed or 0, cache, progress=lambda share: progress.update(share))
    path = out / pocket.SHIPPED.name
    encoder.save(path)
    told = ", ".join(f"{what} {score:.1%}" for what, score in encoder.origin.scores.items())
    terminal.say(f"wrote {path}; categories of objects 07 found again: {told}")
    return _reported(options, path, asdict(encoder.origin), started_s)


def _pocket_shape(options: argparse.Namespace, terminal: Terminal) -> int:
    out, cache, started_s = _place(options)
    path = out / shape.SHIPPED.name
    with terminal.progress("training the pocket shape decoder") as progress:
        decoder = pocket_shape.train(
            options.seed or 0, cache, progress=lambda share: progress.update(share), snapshot=path
        )
    decoder.save(path)
    terminal.say(f"wrote {path}; meshes of objects 07: F-score {decoder.origin.scores['f_score']:.1%}")
    return _reported(options, path, asdict(decoder.origin), started_s)


def _caption_map(options: argparse.Namespace, terminal: Terminal) -> int:
    if options.data is not None or options.model is not None:
        raise InputError(f"{CAPTION_MAP} is fitted on pictures, without EEG; name their folder with --pictures DIR")
    stimuli = open_set(BUILT_IN if options.pictures is None else str(options.pictures))
    from calibration.recipes import caption_map  # transformers takes seconds to come
    from engines.generators.caption import open_tower
    from engines.generators.published import device_of

    started_s = time.monotonic()
    config = load(options.config).reconstruction.generators()
    encoder = open_encoder(options.encoder or "pocket", options.weights)
    captioner, passed_over = open_tower(config, device_of(config.device))
    for name, why in passed_over.items():
        terminal.warn(f"{name} was passed over: {why}")
    path = default_out(options, CAPTION_MAP) / f"{CAPTION_MAP}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    with terminal.progress(f"fitting a map to {captioner.name}") as progress:
        made = caption_map.train(captioner, encoder, stimuli, lambda share: progress.update(share))
    made.fitted.save(path)
    told = asdict(made.fitted.origin)
    missed = f"{told['unexplained']:.1%} of pictures left out in turn"
    if made.unexplained_07 is not None:
        missed += f", {made.unexplained_07:.1%} of objects 07"
    terminal.say(
        f"wrote {path}; it misses of the variance that {captioner.name} sees {missed}; name it as "
        '[reconstruction] caption_map, with caption_route = "embedding"'
    )
    return _reported(options, path, told | {"stimuli": made.stimuli, "unexplained_07": made.unexplained_07}, started_s)


def _place(options: argparse.Namespace) -> tuple[Path, Path, float]:
    """Where a network of ours is written, where its training keeps what it rendered, and when it began."""
    if options.data is not None:
        raise InputError(f"{options.system} is trained on the built-in objects; leave out --data")
    out = default_out(options, options.system)
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(_N_THREADS)
    return out, Path(tempfile.gettempdir()) / "afterimage-views", time.monotonic()


def _reported(options: argparse.Namespace, path: Path, origin: dict[str, Any], started_s: float) -> int:
    report = {
        "system": options.system, "weights": str(path), **origin,
        "seconds": round(time.monotonic() - started_s), "versions": versions(),
    }  # fmt: skip
    (path.parent / "report.json").write_text(to_json(report), encoding="utf-8")
    if options.json:
        write_stdout(to_json(report))
    return 0


def _pocket_pictures(options: argparse.Namespace, terminal: Terminal) -> int:
    out, cache, started_s = _place(options)
    from calibration.recipes import pocket_pictures  # diffusers takes seconds to come

    with terminal.progress("training the pocket picture generators") as progress:
        origins = pocket_pictures.train(options.seed or 0, cache, out, progress=lambda share: progress.update(share))
    for name, came in origins.items():
        told = ", ".join(f"{what} {score:.3f}" for what, score in came.scores.items())
        terminal.say(f"wrote {out / name}; on objects 07: {told}")
    told_of = {"origins": {name: asdict(came) for name, came in origins.items()}}
    return _reported(options, out / next(iter(origins)), told_of, started_s)
