"""Outlets: a `StreamInfo` of ours as LSL sends it."""

from xml.etree import ElementTree

import pylsl
from pylsl.info import XMLElement

from pipeline.stream_xml import info_xml
from pipeline.types import StreamInfo

FORMATS = {
    "string": pylsl.cf_string,
    "float32": pylsl.cf_float32,
    "float64": pylsl.cf_double64,
    "int8": pylsl.cf_int8,
    "int16": pylsl.cf_int16,
    "int32": pylsl.cf_int32,
    "int64": pylsl.cf_int64,
}


def lsl_info(info: StreamInfo) -> pylsl.StreamInfo:
    """The same description for LSL, with the very `<desc>` that a file of this stream carries.

    Raises:
        ValueError: it has no source_id; receivers could not find the stream again after an interruption.
    """
    if not info.source_id:
        raise ValueError(f"the stream {info.name!r} needs a source_id that stays the same when its sender restarts")
    made = pylsl.StreamInfo(
        info.name, info.type, info.n_channels, info.sfreq_hz, FORMATS[info.dtype], source_id=info.source_id
    )
    described = ElementTree.fromstring(info_xml(info)).find("desc")
    if described is not None:
        _append(made.desc(), described)
    return made


def _append(to: XMLElement, element: ElementTree.Element) -> None:
    for child in element:
        if len(child):
            _append(to.append_child(child.tag), child)
        else:
            to.append_child_value(child.tag, child.text or "")
