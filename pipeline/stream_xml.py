"""The LSL/XDF `<info>` header, read tolerantly and written plainly.

XDF 1.0 specification, "StreamHeader"; LSL's EEG meta-data convention (channel locations in millimetres, X right,
Y front, Z up). A stream counts as simulated when `desc/acquisition/simulated` says so or its manufacturer is
`SIMULATED_MANUFACTURER`; what is written carries both. `desc/acquisition/offline_reason` is ours: why no decoder made
from the stream may run live (`StreamInfo.offline_reason`).
"""

import math
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from pipeline.errors import FileUnreadable
from pipeline.montage import kind_of
from pipeline.types import OFFLINE_REASON, Channel, Kind, StreamInfo

SIMULATED_MANUFACTURER = "Afterimage simulated participant"
# More channels than any amplifier has; a header beyond it is damaged, and is not worth the memory.
MAX_CHANNELS = 65_536
DTYPES = {
    "float32": "float32",
    "double64": "float64",
    "string": "string",
    "int8": "int8",
    "int16": "int16",
    "int32": "int32",
    "int64": "int64",
}
FORMATS = {dtype: name for name, dtype in DTYPES.items()}
# Key of `StreamInfo.extra` under which `parse_info` leaves a sentence on what it had to repair.
HEADER_WARNING = "header_warning"
_EXTRA_HEADER = ("uid", "session_id", "created_at")
_EXTRA_ACQUISITION = ("model", "serial_number", OFFLINE_REASON)
# Distances of electrodes from the middle of the head, the widest that are still believed.
_HEAD_MM = (20.0, 300.0)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CORE_FIELDS = (
    "name",
    "type",
    "channel_count",
    "nominal_srate",
    "channel_format",
    "source_id",
    "hostname",
    *_EXTRA_HEADER,
)


def parse_info(xml: str) -> StreamInfo:
    """Read one header. Channels always number `n_channels`: missing labels become "ch1"..., extra ones are cut.

    What had to be repaired is told in `extra["header_warning"]`. `stream_id` is LSL's uid; a file's reader replaces it.

    Raises:
        FileUnreadable: the number of channels or their format cannot be made out.
    """
    warnings: list[str] = []
    root = _parse(xml, warnings)
    n_channels = _channel_count(root)
    channel_format = _text(root, "channel_format")
    if channel_format not in DTYPES:
        raise FileUnreadable(
            f"the stream header names the channel format {channel_format!r}; known are {', '.join(DTYPES)}"
        )
    dtype = DTYPES[channel_format]
    stream_type = _text(root, "type")
    manufacturer = _text(root, "desc/acquisition/manufacturer") or _text(root, "desc/manufacturer")
    extra = {key: _text(root, key) for key in _EXTRA_HEADER if _text(root, key)}
    for key in _EXTRA_ACQUISITION:
        if text := _text(root, f"desc/acquisition/{key}"):
            extra[key] = text
    channels = _channels(root, n_channels, stream_type, dtype, warnings)
    sfreq_hz = _rate(root, warnings)
    if warnings:
        extra[HEADER_WARNING] = "; ".join(warnings)
    return StreamInfo(
        name=_text(root, "name"),
        type=stream_type,
        n_channels=n_channels,
        sfreq_hz=sfreq_hz,
        dtype=dtype,
        source_id=_text(root, "source_id"),
        stream_id=_text(root, "uid"),
        channels=channels,
        hostname=_text(root, "hostname"),
        manufacturer=manufacturer,
        simulated=manufacturer == SIMULATED_MANUFACTURER
        or _text(root, "desc/acquisition/simulated").lower() in ("true", "1", "yes"),
        extra=extra,
    )


def info_xml(info: StreamInfo) -> str:
    """Write `info` as a header that `parse_info`, pyxdf and LabRecorder's readers understand."""
    root = ET.Element("info")
    _put(root, "name", info.name)
    _put(root, "type", info.type)
    _put(root, "channel_count", str(info.n_channels))
    _put(root, "nominal_srate", repr(float(info.sfreq_hz)))
    _put(root, "channel_format", FORMATS[info.dtype])
    _put(root, "source_id", info.source_id)
    _put(root, "version", "1.1")
    for key in ("created_at", "uid", "session_id"):
        if key in info.extra:
            _put(root, key, info.extra[key])
    _put(root, "hostname", info.hostname)
    desc = ET.SubElement(root, "desc")
    acquisition = ET.SubElement(desc, "acquisition")
    manufacturer = SIMULATED_MANUFACTURER if info.simulated and not info.manufacturer else info.manufacturer
    _put(acquisition, "manufacturer", manufacturer)
    for key in _EXTRA_ACQUISITION:
        if key in info.extra:
            _put(acquisition, key, info.extra[key])
    if info.simulated:
        _put(acquisition, "simulated", "true")
    if info.channels:
        channels = ET.SubElement(desc, "channels")
        for channel in info.channels:
            _put_channel(channels, channel)
    return '<?xml version="1.0"?>' + ET.tostring(root, encoding="unicode")


def _put(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = _NOT_XML.sub("", text)


def _put_channel(parent: ET.Element, channel: Channel) -> None:
    element = ET.SubElement(parent, "channel")
    _put(element, "label", channel.name)
    _put(element, "type", channel.kind.value.upper())
    if channel.unit is not None:
        _put(element, "unit", channel.unit)
    if channel.position_m is not None:
        location = ET.SubElement(element, "location")
        for axis, metres in zip("XYZ", channel.position_m, strict=True):
            _put(location, axis, repr(metres * 1e3))


def _text(element: ET.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _parse(xml: str, warnings: list[str]) -> ET.Element:
    try:
        return ET.fromstring(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", xml).strip("\N{REPLACEMENT CHARACTER} \r\n\t"))
    except (ET.ParseError, ValueError):
        # A flipped bit in a header must not cost the recording: the fields that still stand are read one by one.
        warnings.append("the header is not well-formed XML; it was read field by field")
        return _salvaged(xml)


def _salvaged(xml: str) -> ET.Element:
    root = ET.Element("info")
    head, _, description = xml.partition("<desc")
    for tag in _CORE_FIELDS:
        if found := re.search(rf"<{tag}>([^<]*)</", head):
            ET.SubElement(root, tag).text = found[1]
    channels = ET.SubElement(ET.SubElement(root, "desc"), "channels")
    for block in description.split("<channel>")[1:]:
        channel = ET.SubElement(channels, "channel")
        for tag in ("label", "type", "unit"):
            if found := re.search(rf"<{tag}>([^<]*)</", block):
                ET.SubElement(channel, tag).text = found[1]
    return root


def _channel_count(root: ET.Element) -> int:
    text = _text(root, "channel_count")
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MAX_CHANNELS:
        raise FileUnreadable(
            f"the stream header says channel_count {text!r}; expected a number from 1 to {MAX_CHANNELS}"
        )
    return int(text)


def _rate(root: ET.Element, warnings: list[str]) -> float:
    text = _text(root, "nominal_srate")
    rate = _number(text)
    if rate is None or rate < 0:
        warnings.append(f"nominal_srate {text!r} is no rate; the stream is taken as irregular")
        return 0.0
    return rate


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _channels(
    root: ET.Element, n_channels: int, stream_type: str, dtype: str, warnings: list[str]
) -> tuple[Channel, ...]:
    elements = root.findall("desc/channels/channel")
    if elements and len(elements) != n_channels:
        warnings.append(f"the header describes {len(elements)} channels and the stream has {n_channels}")
    channels = []
    positions = list(_positions(elements[:n_channels]))
    for index in range(n_channels):
        if index < len(elements):
            channels.append(_channel(elements[index], index, stream_type, dtype, positions[index]))
        else:
            channels.append(Channel(f"ch{index + 1}", _kind("", stream_type, dtype)))
    return tuple(channels)


def _channel(
    element: ET.Element, index: int, stream_type: str, dtype: str, position_m: tuple[float, float, float] | None
) -> Channel:
    label = _text(element, "label") or _text(element, "name")
    declared = _text(element, "type") or stream_type
    kind = _kind(label, declared, dtype)
    return Channel(label or f"ch{index + 1}", kind, _text(element, "unit") or None, position_m)


def _kind(label: str, declared: str, dtype: str) -> Kind:
    return Kind.MISC if dtype == "string" else kind_of(label, declared or None)


def _positions(elements: list[ET.Element]) -> Iterator[tuple[float, float, float] | None]:
    """Locations in metres; millimetres by the convention, metres where the numbers can be nothing else."""
    located = [[_number(_text(e, f"location/{axis}")) for axis in "XYZ"] for e in elements]
    for xyz in located:
        if any(v is None for v in xyz):
            yield None
            continue
        x, y, z = (v for v in xyz if v is not None)
        distance = math.hypot(x, y, z)
        low, high = _HEAD_MM
        if low <= distance <= high:
            yield x / 1e3, y / 1e3, z / 1e3
        elif low <= distance * 1e3 <= high:
            yield x, y, z
        else:
            yield None
