"""`afterimage info`, `import` and `salvage`: recordings as files."""

import argparse
import threading
from typing import Any

from app.commands.run import file_source
from app.config import load
from app.headless import crank_through
from app.summary import marker_table, stream_fields
from app.terminal import Terminal, write_stdout
from calibration.datasets.imports import import_file
from calibration.report import to_json, write_report
from pipeline.session import Session, Setup
from pipeline.timestamps import Aligner
from pipeline.types import ClockOffset
from pipeline.xdf.file import XdfFile
from pipeline.xdf.salvage import salvage as salvage_file
from pipeline.xdf.scan import XdfStream


def info(options: argparse.Namespace) -> int:
    """Say what a recording holds, and what is wrong with it."""
    terminal = Terminal(quiet_stdout=options.json)
    config = load(options.config)
    options.markers = []
    session = Session(file_source(options), lambda _: Setup(None), unit=options.unit or config.unit)
    with terminal.progress(f"reading {options.file.name}") as progress:
        session.open()
        crank_through(session, options.seconds, threading.Event(), progress.update)
    report: dict[str, Any] = {"command": "info", **stream_fields(session), "streams": streams(options, session)}
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        terminal.say(f"report: {write_report(options.out, report, None)}")
    if options.json:
        write_stdout(to_json(report))
    else:
        _tell(report, terminal)
    return 0


def streams(options: argparse.Namespace, session: Session) -> list[dict[str, Any]]:
    """Every stream of the file; of a file that is no XDF, the one there is and its annotations."""
    if options.file.suffix.lower() == ".xdf":
        with XdfFile(options.file) as file:
            return [_xdf_stream(file, stream) for stream in file.streams]
    info, aligner = session.acquisition.info, session.acquisition.aligner
    return [
        {
            "id": "0",
            "name": info.name,
            "type": info.type,
            "n_channels": info.n_channels,
            "sfreq_nominal_hz": info.sfreq_hz,
            "sfreq_effective_hz": aligner.sfreq_effective_hz,
            "n_samples": session.acquisition.n_received,
            "unit": info.unit,
        }
    ]


def _xdf_stream(file: XdfFile, stream: XdfStream) -> dict[str, Any]:
    return {
        "id": stream.key,
        "name": stream.info.name,
        "type": stream.info.type,
        "n_channels": stream.info.n_channels,
        "sfreq_nominal_hz": stream.info.sfreq_hz,
        "sfreq_effective_hz": _effective_hz(file, stream),
        "n_samples": stream.n_samples,
        "unit": stream.info.unit,
    }


def _effective_hz(file: XdfFile, stream: XdfStream) -> float:
    """What the time estimator makes of a regular numeric stream; 0 for all others."""
    if stream.info.sfreq_hz <= 0 or stream.info.dtype == "string" or not stream.n_samples:
        return 0.0
    aligner, reader = Aligner(stream.info.sfreq_hz), file.reader(stream)
    for _, at_s, value_s in file.offsets(stream):
        aligner.offset(ClockOffset("", at_s, value_s))
    while (samples := reader.read(64)).stamps_s.size:
        aligner.push(samples.data, samples.stamps_s)
    aligner.finish()
    return aligner.sfreq_effective_hz


def _tell(report: dict[str, Any], terminal: Terminal) -> None:
    for stream in report["streams"]:
        terminal.say(
            f"{stream['id']:>4}  {stream['name']} ({stream['type']}): {stream['n_samples']} samples, "
            f"{stream['n_channels']} channels, {stream['sfreq_nominal_hz']:g} Hz nominal, "
            f"{stream['sfreq_effective_hz']:.3f} Hz effective, unit {stream['unit'] or 'not declared'}"
        )
    terminal.say(f"decodable: {report['source']['name']}")
    for gap in report["gaps"]:
        terminal.say(f"gap: {gap['start_s']:.3f} to {gap['stop_s']:.3f} s, {gap['n_lost']} samples lost")
    for reset in report["clock_resets"]:
        terminal.say(f"clock reset at {reset['at_s']:.3f} s by {reset['jump_s']:.3f} s")
    if report["markers"]:
        terminal.say(f"markers: {marker_table(report['markers'])}")
    for text in report["warnings"]:
        terminal.warn(text)


def import_(options: argparse.Namespace) -> int:
    """Turn another published layout into XDF."""
    terminal = Terminal(quiet_stdout=options.json)
    with terminal.progress(f"importing {options.kind}"):
        report = import_file(options.kind, options.files, options.to)
    return _written(options, report, terminal)


def salvage(options: argparse.Namespace) -> int:
    """Rescue what is readable of a damaged XDF file."""
    terminal = Terminal(quiet_stdout=options.json)
    with terminal.progress(f"salvaging {options.file.name}"):
        report = salvage_file(options.file, options.to)
    return _written(options, report, terminal)


def _written(options: argparse.Namespace, report: dict[str, Any], terminal: Terminal) -> int:
    if options.json:
        write_stdout(to_json(report))
    for text in report.get("warnings", []):
        terminal.warn(text)
    for stream in report.get("streams", []):
        terminal.say(f"{stream['name']}: {stream['n_samples']} samples")
    terminal.say(f"wrote {options.to}")
    return 0
