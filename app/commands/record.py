"""`afterimage record`: streams to XDF, until told to stop."""

import argparse
from typing import Any

from app.commands.run import source_of
from app.headless import stop_on_signals
from app.terminal import Terminal, write_stdout
from calibration.report import to_json
from pipeline.recorder.messages import RecorderStatus
from pipeline.recorder.record import record as record_streams
from pipeline.recorder.record import record_source
from pipeline.sources.select import selector


def record(options: argparse.Namespace) -> int:
    """Record until `--seconds` are over or a signal comes; status 1 when the recording failed."""
    terminal = Terminal(quiet_stdout=options.json)
    with stop_on_signals() as stop, terminal.progress(f"recording {options.to.name}") as progress:
        told: set[str] = set()
        progress.update(None, "connecting")

        def on_status(status: RecorderStatus) -> None:
            megabytes = status.bytes_written / 1e6
            progress.update(None, f"{status.state.value}, {len(status.streams)} streams, {megabytes:.2f} MB")
            said = list(status.warnings)
            if status.path.name != options.to.name:
                said.insert(0, f"{options.to} exists and is never overwritten; this goes into {status.path.name}")
            for text in said:
                if text not in told:
                    terminal.warn(text)
            told.update(said)

        if options.source.startswith("lsl:"):
            markers = [selector(text) for text in options.markers]
            report = record_streams([selector(options.source)], markers, options.to, options.seconds, stop, on_status)
        else:
            report = record_source(source_of(options, terminal), options.to, options.seconds, stop, on_status)
    return _finish(report, options, terminal)


def _finish(report: dict[str, Any], options: argparse.Namespace, terminal: Terminal) -> int:
    if options.json:
        write_stdout(to_json(report))
    for stream in report["streams"]:
        terminal.say(f"{stream['name']} ({stream['type']}): {stream['n_samples']} samples")
    terminal.say(f"{report['state']}: {report['path']}, {report['bytes'] / 1e6:.2f} MB")
    if report["state"] == "failed":
        terminal.warn(report["text"])
        return 1
    return 0
