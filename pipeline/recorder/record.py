"""What `afterimage record` does: streams from the network, or any source, into an XDF file until told to stop."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.recorder.disk import checked_room
from pipeline.recorder.recorder import Recorder, RecorderStatus
from pipeline.sources.base import Source, SourceEnded
from pipeline.sources.lsl_find import Selector
from pipeline.types import ClockOffset, EegChunk, Item, MarkerChunk, SourceEvent

STATUS_EVERY_S = 0.5
PATIENCE_S = 60.0
OnStatus = Callable[[RecorderStatus], None]


def record(
    source_selectors: Sequence[Selector],
    marker_selectors: Sequence[Selector],
    path: Path,
    seconds: float | None,
    stop_event: threading.Event,
    on_status: OnStatus,
) -> dict[str, Any]:
    """Record LSL streams until `seconds` have passed (None: without end), `stop_event` is set or the recording fails.

    Blocks; `on_status` is called about twice a second in this thread, the last time with the final status. Answers
    that status as `summary` writes it; "state" is "finished", or "failed" with the reason in "text".

    Raises:
        StreamMissing: a selector found nothing; the message lists what was seen.
        RecordingFailed: the recording could not begin.
    """
    recorder = Recorder(path, (*source_selectors, *marker_selectors))
    recorder.start()
    until_s = _until_s(seconds)
    try:
        while not (stop_event.is_set() or recorder.status.final or time.monotonic() >= until_s):
            on_status(recorder.status)
            stop_event.wait(min(STATUS_EVERY_S, max(0.0, until_s - time.monotonic())))
    finally:
        status = recorder.stop()
    on_status(status)
    return summary(status)


def record_source(
    source: Source, path: Path, seconds: float | None, stop_event: threading.Event, on_status: OnStatus
) -> dict[str, Any]:
    """Record any source (a BrainFlow board, the simulated participant, a file) as `record` does.

    It is opened and closed here, and its end ends the recording. "events" of the answer are the source's.

    Raises:
        StreamMissing, FileUnreadable: the source could not be opened.
        SourceFailed: it broke; what had come until then is in the file.
        RecordingFailed: the recording could not begin.
    """
    source.open()
    recorder = Recorder(path)
    events: list[SourceEvent] = []
    try:
        checked_room(path.absolute().parent, [source.info, *source.marker_streams.values()])
        recorder.start()
        for items in _read(source, recorder, _until_s(seconds), stop_event, on_status):
            events += [item for item in items if isinstance(item, SourceEvent)]
    finally:
        source.close()
        status = recorder.stop()
    on_status(status)
    return summary(status) | {"events": [asdict(event) for event in events]}


def summary(status: RecorderStatus) -> dict[str, Any]:
    """A final status as plain values, for a report."""
    streams = [asdict(stream) | {"state": stream.state.value} for stream in status.streams]
    return {
        "path": str(status.path),
        "state": status.state.value,
        "text": status.text,
        "bytes": status.bytes_written,
        "streams": streams,
        "warnings": list(status.warnings),
    }


def _read(
    source: Source, recorder: Recorder, until_s: float, stop_event: threading.Event, on_status: OnStatus
) -> Iterator[Sequence[Item]]:
    """What was read, after it was handed to the recorder."""
    keys = {"": recorder.open_stream(source.info)}
    keys |= {key: recorder.open_stream(info) for key, info in source.marker_streams.items()}
    told_s = 0.0
    while not (stop_event.is_set() or recorder.status.final or time.monotonic() >= until_s):
        try:
            items = source.read(STATUS_EVERY_S)
        except SourceEnded:
            return
        for item in items:
            _write(recorder, keys, item)
        yield items
        if not source.live:
            recorder.flush(PATIENCE_S)  # a file is read faster than it is written
        if time.monotonic() - told_s >= STATUS_EVERY_S:
            on_status(recorder.status)
            told_s = time.monotonic()


def _write(recorder: Recorder, keys: dict[str, int], item: Item) -> None:
    match item:
        case EegChunk(data, stamps_s):
            recorder.write(keys[""], stamps_s, data)
        case MarkerChunk(stream, labels, stamps_s):
            recorder.write(keys[stream], stamps_s, labels)
        case ClockOffset(stream, at_s, value_s):
            recorder.offset(keys[stream], at_s, value_s)


def _until_s(seconds: float | None) -> float:
    return float("inf") if seconds is None else time.monotonic() + seconds
