"""What Afterimage publishes over LSL: its decisions, and its EEG for MNE-LSL and mne-realtime.

Nothing here is on the decoder's critical path: a `Publisher` sends from a thread of its own.
"""

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pylsl

from engines.errors import InputError
from pipeline.channels import Lossless
from pipeline.outlet import lsl_info
from pipeline.types import Array, Channel, Decision, Kind, StreamInfo
from pipeline.worker import Health, Worker

DECISIONS_NAME = "AfterimageDecisions"
STIM_CHANNEL = "STI 014"
# mne.find_events refuses events shorter than two samples.
PULSE_S, PULSE_SAMPLES = 0.01, 2
HOLD_S = 0.1
VOLTS_PER_UV = 1e-6


class Publisher:
    """Makes calls later, in their order, in a thread of its own. Thread: `submit` any."""

    def __init__(self) -> None:
        self._calls: Lossless[Callable[[], None]] = Lossless()
        self._worker = Worker("publish", self.step)

    @property
    def health(self) -> Health:
        """The state of the publishing thread."""
        return self._worker.health

    def start(self) -> None:
        """Start publishing."""
        self._worker.start()

    def submit(self, call: Callable[[], None]) -> None:
        """Have `call` made soon.

        Raises:
            ChannelFull: the publishing thread is dead or far too slow.
        """
        self._calls.put(call)

    def step(self, timeout_s: float = 0.1) -> bool:
        """Make the calls that wait."""
        self._calls.wait(timeout_s)
        for call in self._calls.take_all():
            call()
        return True

    def stop(self) -> None:
        """Stop the thread, then make what is left to be made."""
        self._worker.stop()
        self.step(timeout_s=0.0)


class DecisionOutlet:
    """Decisions as JSON, one string channel, stamped with the moment they were made.

    Fields: trial, stage, onset_s, window_stop_s, decided_s (LSL clock), top, probabilities {class: p}, took_ms {wait,
    filter, epoch, decode}. The classes travel with each decision because they change when a model is refitted, and
    stages differ in theirs (docs/decisions/0041-decisions-as-json.md). Decoders of two streams add n_dynamic (samples
    of the turn seen), colour, colour_probabilities {colour: p} and nearest [{key, similarity}], the most alike first.

    `classes` are those of the model at the start, for readers who want to know beforehand (`desc/classes/class`). Sent
    by a thread of its own between `start` and `stop`, or inside a `with` statement.

    Thread: `publish` any.
    """

    def __init__(self, classes: Sequence[str] = (), source_id: str = "afterimage-decisions") -> None:
        info = lsl_info(StreamInfo(DECISIONS_NAME, "Decisions", 1, 0.0, "string", source_id, manufacturer="Afterimage"))
        listed = info.desc().append_child("classes")
        for name in classes:
            listed.append_child_value("class", name)
        self._outlet = pylsl.StreamOutlet(info)
        self._publisher = Publisher()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start sending."""
        self._publisher.start()

    def stop(self) -> None:
        """Send what waits and end the thread; the stream closes with the last reference to this object."""
        self._publisher.stop()

    def publish(self, decision: Decision) -> None:
        """Have one decision sent.

        Raises:
            ChannelFull: the publishing thread is dead or far too slow.
        """
        self._publisher.submit(lambda: self._outlet.push_sample([decision_json(decision)], decision.decided_s))


def decision_json(decision: Decision) -> str:
    """A decision as one line of JSON."""
    fields = {
        "trial": decision.trial,
        "stage": decision.stage,
        "onset_s": decision.onset_s,
        "window_stop_s": decision.window_stop_s,
        "decided_s": decision.decided_s,
        "top": decision.top,
        "probabilities": dict(zip(decision.classes, decision.probabilities, strict=True)),
        "took_ms": dict(decision.took_ms),
        **of_two_streams(decision),
    }
    return json.dumps(fields, ensure_ascii=False)


def of_two_streams(decision: Decision) -> dict[str, Any]:
    """What a decoder of two streams says beside its classes, in JSON's own kinds; nothing for others."""
    if not decision.colours:
        return {}
    return {
        "n_dynamic": decision.n_dynamic,
        "colour": decision.top_colour,
        "colour_probabilities": dict(zip(decision.colours, decision.colour_probabilities, strict=True)),
        "nearest": [{"key": near.key, "similarity": near.similarity} for near in decision.nearest],
    }


class CompatibilityOutlet:
    """EEG in volts with a numeric stimulus channel, and the same events as a one-hot stream.

    `mne_realtime.LSLClient(host=source_id)` and `mne_lsl.stream.StreamLSL` read the first (MNE means volts and finds
    events on "STI 014"); `mne_lsl.stream.EpochsStream` takes the second as its event stream. Label number k of `labels`
    has the code k + 1 in both. Samples are held back `HOLD_S` so that a marker that arrives after its sample still
    finds it; later ones go on the next sample and count in `n_late`. Labels without a code count in `n_unknown`.

    Thread: one only.
    """

    def __init__(self, info: StreamInfo, labels: Sequence[str], source_id: str = "afterimage-eeg") -> None:
        if len(set(labels)) != len(labels) or not labels:
            raise InputError(f"the event labels must be different and at least one; came {list(labels)}")
        self._codes = {label: k + 1 for k, label in enumerate(labels)}
        self._eeg = pylsl.StreamOutlet(lsl_info(compatible_info(info, source_id)))
        self._events = pylsl.StreamOutlet(lsl_info(one_hot_info(labels, f"{source_id}-events")))
        self._volts = np.array(
            [VOLTS_PER_UV if c.kind in (Kind.EEG, Kind.EOG, Kind.EMG, Kind.ECG) else 1.0 for c in info.channels]
        )
        self._pulse = max(PULSE_SAMPLES, round(PULSE_S * info.sfreq_hz))
        self._held: deque[tuple[Array, Array]] = deque()  # (n, channels + 1) volts, (n,) times
        self._waiting: list[tuple[float, int]] = []
        self._pulse_code, self._pulse_left = 0, 0
        self.n_late = self.n_unknown = 0

    def push(self, data_uv: Array, times_s: Array) -> None:
        """Take (n_channels, n) and the sample times (n,) on the LSL clock; send what has been held long enough."""
        rows = np.zeros((times_s.size, self._volts.size + 1))
        rows[:, :-1] = (data_uv * self._volts[:, None]).T
        self._held.append((rows, times_s))
        while self._held and self._held[0][1][-1] <= times_s[-1] - HOLD_S:
            self._send(*self._held.popleft())

    def mark(self, label: str, time_s: float) -> None:
        """Take one marker, `time_s` on the LSL clock."""
        code = self._codes.get(label)
        if code is None:
            self.n_unknown += 1
            return
        one_hot = np.zeros(len(self._codes), np.float32)
        one_hot[code - 1] = code
        self._events.push_sample(one_hot, time_s)
        self._waiting.append((time_s, code))

    def flush(self) -> None:
        """Send what is still held back."""
        while self._held:
            self._send(*self._held.popleft())

    def _send(self, rows: Array, times_s: Array) -> None:
        half_s = (times_s[-1] - times_s[0]) / (2 * (times_s.size - 1)) if times_s.size > 1 else 0.0
        due = sorted(event for event in self._waiting if event[0] <= times_s[-1] + half_s)
        self._waiting = [event for event in self._waiting if event not in due]
        starts: dict[int, int] = {}
        for time_s, code in due:
            self.n_late += time_s < times_s[0] - 2 * half_s
            starts[int(np.argmin(np.abs(times_s - time_s)))] = code
        for k in range(times_s.size):
            if k in starts:
                self._pulse_code, self._pulse_left = starts[k], self._pulse
            if self._pulse_left:
                rows[k, -1] = self._pulse_code
                self._pulse_left -= 1
        self._eeg.push_chunk(rows, times_s.tolist())


def compatible_info(info: StreamInfo, source_id: str) -> StreamInfo:
    """The stream in volts with the stimulus channel last."""
    volts = [
        replace(c, unit="volts") if c.kind in (Kind.EEG, Kind.EOG, Kind.EMG, Kind.ECG) else c for c in info.channels
    ]
    channels = (*volts, Channel(STIM_CHANNEL, Kind.STIM))
    return replace(
        info,
        name="AfterimageEEG",
        type="EEG",
        n_channels=len(channels),
        dtype="float64",
        source_id=source_id,
        channels=channels,
        extra={},
    )


def one_hot_info(labels: Sequence[str], source_id: str) -> StreamInfo:
    """One numeric channel a label, irregular, as `EpochsStream` wants its events."""
    channels = tuple(Channel(label, Kind.STIM) for label in labels)
    return StreamInfo("AfterimageEvents1Hot", "Events", len(channels), 0.0, "float32", source_id, channels=channels)
