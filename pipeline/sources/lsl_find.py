"""Finding LSL streams: what a selector means, what is on the network, what a stream says about itself."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pylsl

from engines.errors import InputError
from pipeline.errors import StreamMissing
from pipeline.stream_xml import parse_info
from pipeline.types import ClockOffset, StreamInfo

Selector = Mapping[str, str]

KEYS = ("name", "type", "source_id", "uid", "hostname")
POLL_S = 0.05
# liblsl asks the network again every 0.5 s (ContinuousResolveInterval): one more round shows rivals of the first match.
SETTLE_S = 0.6
# A stream that does not answer for this long is no longer listed.
FORGET_S = 5.0


def checked_selector(selector: Selector) -> dict[str, str]:
    """The selector with `id` spelt `uid`.

    Raises:
        InputError: it is empty or has a key that no stream can be chosen by.
    """
    named = {("uid" if key == "id" else key): value for key, value in selector.items()}
    unknown = sorted(set(named) - set(KEYS))
    if unknown or not named:
        came = f"came {', '.join(unknown)}" if unknown else "none came"
        raise InputError(
            f"an LSL stream is chosen by {', '.join(KEYS)}; {came}; write for example lsl:name=EEG,hostname=lab-pc"
        )
    return named


def describe(selector: Selector) -> str:
    """The selector as the user wrote it."""
    return "lsl:" + ",".join(f"{key}={value}" for key, value in selector.items())


def agrees(found: pylsl.StreamInfo, selector: Selector) -> bool:
    """True when every key of the selector has that very value."""
    return all(getattr(found, key)() == value for key, value in selector.items())


def is_signal(found: pylsl.StreamInfo) -> bool:
    """Numbers at a regular rate."""
    return bool(found.nominal_srate() > 0 and found.channel_format() != pylsl.cf_string)


def is_marker(found: pylsl.StreamInfo) -> bool:
    """Strings or integers at irregular times."""
    floats = (pylsl.cf_float32, pylsl.cf_double64)
    return bool(found.nominal_srate() == 0 and found.channel_format() not in floats)


def one_line(found: pylsl.StreamInfo) -> str:
    """A stream for a person to recognise."""
    return (
        f"name={found.name()}, type={found.type()}, source_id={found.source_id()}, uid={found.uid()}, "
        f"hostname={found.hostname()}: {found.channel_count()} channels, {found.nominal_srate():g} Hz"
    )


class Settled:
    """Says "enough" as soon as stream `uid` is there, else when others have agreed for `SETTLE_S`."""

    def __init__(self, agreeing: Callable[[pylsl.StreamInfo], bool], uid: str) -> None:
        self._agreeing, self._uid = agreeing, uid
        self._first_s: float | None = None

    def __call__(self, found: list[pylsl.StreamInfo]) -> bool:
        """Judge one round of answers."""
        agreeing = [info for info in found if self._agreeing(info)]
        if any(info.uid() == self._uid for info in agreeing):
            return True
        if agreeing and self._first_s is None:
            self._first_s = pylsl.local_clock()
        return self._first_s is not None and pylsl.local_clock() - self._first_s >= SETTLE_S


def search(
    enough: Callable[[list[pylsl.StreamInfo]], bool],
    timeout_s: float,
    stop: threading.Event,
    on_round: Callable[[list[pylsl.StreamInfo]], None] | None = None,
) -> list[pylsl.StreamInfo]:
    """Ask the network until `enough` says so, `timeout_s` passed or `stop` is set; whatever answered by then.

    Blocks. Thread: any.
    """
    resolver = pylsl.ContinuousResolver(forget_after=FORGET_S)
    deadline_s = pylsl.local_clock() + timeout_s
    while True:
        found = sorted(resolver.results(), key=lambda info: str(info.uid()))
        if enough(found) or pylsl.local_clock() >= deadline_s:
            return found
        if on_round is not None:
            on_round(found)
        if stop.wait(POLL_S):
            return found


def choose(
    found: Sequence[pylsl.StreamInfo], selector: Selector, wanted: Callable[[pylsl.StreamInfo], bool]
) -> pylsl.StreamInfo:
    """The one stream that the selector means.

    Raises:
        StreamMissing: none agrees; the message lists what was seen.
        InputError: several agree; the message lists them.
    """
    agreeing = [info for info in found if agrees(info, selector) and wanted(info)]
    if not agreeing:
        seen = "\n".join(f"  {one_line(info)}" for info in found) or "  nothing"
        kind = "marker stream (strings or integers, irregular)" if wanted is is_marker else "signal (numbers, regular)"
        raise StreamMissing(
            f"no {kind} agrees with {describe(selector)}; seen on the network:\n{seen}\n"
            "start the sender, or choose one of these"
        )
    if len(agreeing) > 1:
        identities = {info.source_id() for info in agreeing}
        remedy = (
            "two senders share one identity: stop one of them, or choose by uid"
            if len(identities) == 1
            else "add a key that tells them apart"
        )
        lines = "\n".join(f"  {one_line(info)}" for info in agreeing)
        raise InputError(f"{len(agreeing)} streams agree with {describe(selector)}; {remedy}:\n{lines}")
    return agreeing[0]


def introduce(found: pylsl.StreamInfo, timeout_s: float) -> tuple[StreamInfo, ClockOffset | None]:
    """The stream's whole description and its clock, asked from its sender. Blocks.

    The offset is None when the sender's clock did not answer within `timeout_s`.

    Raises:
        StreamMissing: the sender did not describe itself within `timeout_s`.
    """
    inlet = pylsl.StreamInlet(found, max_buflen=1, recover=False)
    try:
        info = parse_info(inlet.info(timeout_s).as_xml())
    except (pylsl.util.TimeoutError, pylsl.util.LostError) as error:
        raise StreamMissing(
            f"the stream did not describe itself within {timeout_s:g} s: {one_line(found)}; is its sender stuck, or a "
            "firewall in the way?"
        ) from error
    return replace(info, stream_id=str(found.uid())), clock_offset(inlet, "", timeout_s)


def clock_offset(inlet: pylsl.StreamInlet, stream: str, timeout_s: float) -> ClockOffset | None:
    """One clock measurement, collection time on the sender's clock as XDF wants it; None when it failed."""
    try:
        value_s = float(inlet.time_correction(timeout_s))
    except (pylsl.util.TimeoutError, pylsl.util.LostError):
        return None
    return ClockOffset(stream, pylsl.local_clock() - value_s, value_s)


def differences(before: StreamInfo, after: StreamInfo) -> list[str]:
    """What a stream that came back has changed of what the pipeline relies on; empty when nothing."""
    found = []
    for attribute, word in (("sfreq_hz", "rate in Hz"), ("n_channels", "number of channels"), ("dtype", "number type")):
        was, now = getattr(before, attribute), getattr(after, attribute)
        if was != now:
            found.append(f"{word}: {was} before, {now} now")
    for attribute in ("name", "unit"):
        was = [getattr(channel, attribute) for channel in before.channels]
        now = [getattr(channel, attribute) for channel in after.channels]
        if was != now and not (len(was) != len(now) and found):
            found.append(f"channel {attribute}s: {_first_difference(was, now)}")
    return found


def _first_difference(was: list[str | None], now: list[str | None]) -> str:
    for number, (one, other) in enumerate(zip(was, now, strict=False)):
        if one != other:
            return f"number {number} was {one}, is {other}"
    return f"{len(was)} before, {len(now)} now"
