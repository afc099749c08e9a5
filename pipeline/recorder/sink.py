"""What goes into a recording through the recorder's pipe: streams without an inlet, our log, our decisions."""

import logging
from collections.abc import Callable, Mapping
from typing import ParamSpec

import numpy as np

from pipeline.clock import Clock
from pipeline.errors import ChannelFull, RecordingFailed
from pipeline.lived import DECISIONS_STREAM, EVENTS_STREAM, events_info
from pipeline.outlets import decision_json
from pipeline.recorder.recorder import Recorder
from pipeline.types import ClockOffset, Decision, EegChunk, Item, MarkerChunk, StreamInfo

P = ParamSpec("P")
log = logging.getLogger(__name__)

# The recorder says about twice a second how many samples it has; a live stream has some well before this.
FIRST_SAMPLES_S = 10.0


def no_samples(name: str) -> RecordingFailed:
    """The error for a stream that this session receives and the recorder does not."""
    return RecordingFailed(
        f"the recorder received no sample of {name!r} within {FIRST_SAMPLES_S:.0f} s, and this session did; "
        "is the sender still there?"
    )


class Sink:
    """Writes to a recorder that runs. When it has ended everything is passed over; its status says why.

    Thread: `item` and `line` acquire; `decision` decode.
    """

    def __init__(self, recorder: Recorder, clock: Clock, infos: Mapping[str, StreamInfo]) -> None:
        """`infos` are the streams of the source that have no inlet, by key, "" the EEG.

        Raises:
            RecordingFailed: the recorder has ended.
        """
        self._recorder = recorder
        self._clock = clock
        self._log = recorder.open_stream(events_info(EVENTS_STREAM))
        self._decisions = recorder.open_stream(events_info(DECISIONS_STREAM))
        self._streams = {key: recorder.open_stream(info) for key, info in infos.items()}

    def item(self, item: Item) -> None:
        """What the source gave; streams with an inlet, and events, are passed over."""
        match item:
            case EegChunk() if "" in self._streams:
                self._try(self._recorder.write, self._streams[""], item.stamps_s, item.data)
            case MarkerChunk() if item.stream in self._streams:
                self._try(self._recorder.write, self._streams[item.stream], np.array(item.stamps_s), item.labels)
            case ClockOffset() if item.stream in self._streams:
                self._try(self._recorder.offset, self._streams[item.stream], item.at_s, item.value_s)

    def line(self, text: str) -> None:
        """One line of the session's log."""
        self._try(self._recorder.write, self._log, np.array([self._clock.now_s()]), [text])

    def decision(self, decision: Decision) -> None:
        """One answer."""
        self._try(self._recorder.write, self._decisions, np.array([decision.decided_s]), [decision_json(decision)])

    def _try(self, write: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        if self._recorder.status.final:
            return
        try:
            write(*args, **kwargs)
        except (RecordingFailed, ChannelFull) as error:
            log.error("not recorded: %s", error)
