"""From what the user writes after `--source` and `--markers` to a source.

    lsl:KEY=VALUE,...        name, type, source_id, uid (or id), hostname
    brainflow:BOARD?k=v&...  a board and BrainFlow's own parameters
    sim                      the simulated participant
    FILE                     an .xdf file, or anything that MNE reads

Markers: `lsl:KEY=VALUE,...`, `KEY=VALUE,...`, a bare name, `annotations`, or
`trigger:CHANNEL?mask=0xff&edge=rising&debounce_s=0.01`. Modules of sources are imported when one is asked for: LSL and
BrainFlow load native libraries.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import parse_qsl

from engines.errors import InputError
from pipeline.sources.base import Source

KEYS = ("name", "type", "source_id", "uid", "id", "hostname")
_EXAMPLES = "lsl:name=EEG, brainflow:SYNTHETIC_BOARD, sim, or a file such as rec.xdf"
_PAIR = re.compile(rf",(?=(?:{'|'.join(KEYS)})=)")  # a value may hold commas, as stream names do


def open_source(
    source: str,
    markers: Sequence[str] | None = None,
    *,
    stream: str | None = None,
    simulated: Callable[[], Source] | None = None,
    timeout_s: float = 10.0,
    on_wait: Callable[[str], None] | None = None,
) -> Source:
    """The source that the texts mean, not yet open.

    `markers` None: none for LSL, all that a file holds. `stream` chooses among the streams of a file. `simulated` makes
    the source for "sim", which this room cannot build. `on_wait` is told what an LSL source waits for.

    Raises:
        InputError: a text means nothing, or markers were asked for that such a source cannot have; with an example.
    """
    triggers = [text for text in markers or () if text.startswith("trigger:")]
    plain = None if markers is None else [text for text in markers if text not in triggers]
    made = _bare_source(source, plain, stream, simulated, timeout_s, on_wait)
    if triggers:
        from pipeline.sources.triggered import TriggeredSource, trigger_channel

        made = TriggeredSource(made, [trigger_channel(text) for text in triggers])
    return made


def _bare_source(
    source: str,
    markers: Sequence[str] | None,
    stream: str | None,
    simulated: Callable[[], Source] | None,
    timeout_s: float,
    on_wait: Callable[[str], None] | None,
) -> Source:
    kind, _, rest = source.partition(":")
    if kind == "lsl":
        from pipeline.sources.lsl import LslSource

        selectors = [selector(text) for text in markers or ()]
        return LslSource(selector(rest), selectors, timeout_s=timeout_s, on_wait=on_wait)
    if kind == "brainflow":
        _refuse(markers, "a BrainFlow board brings its own marker row", "--markers trigger:CHANNEL")
        from pipeline.sources.brainflow import BrainFlowSource

        board, _, query = rest.partition("?")
        return BrainFlowSource(board, dict(_query(query, source)))
    if source == "sim":
        _refuse(markers, "the simulated participant brings its own markers", "--source sim")
        if simulated is None:
            raise InputError(f"the simulated participant cannot be used here; write {_EXAMPLES}")
        return simulated()
    return _file_source(Path(source), markers, stream)


def _file_source(path: Path, markers: Sequence[str] | None, stream: str | None) -> Source:
    if not path.exists():
        raise InputError(f"{str(path)!r} is neither a file nor a source; write {_EXAMPLES}")
    chosen = None if markers is None else [selector(text) for text in markers]
    if path.suffix.lower() == ".xdf" or path.name.lower().endswith((".xdfz", ".xdf.gz")):
        from pipeline.sources.xdf import XdfSource

        return XdfSource(path, None if stream is None else selector(stream), chosen)
    if stream is not None:
        raise InputError(f"{path} holds one recording, not streams to choose from; leave out --stream")
    from pipeline.sources.mne_file import MneSource

    return MneSource(path, chosen)


def _refuse(markers: Sequence[str] | None, why: str, example: str) -> None:
    if markers:
        raise InputError(f"{why}, so --markers {markers[0]} means nothing; write {example}")


def selector(text: str) -> dict[str, str]:
    """`lsl:KEY=VALUE,...`, `KEY=VALUE,...`, or a bare name.

    Raises:
        InputError: it is empty, or a part is no KEY=VALUE.
    """
    body = text.removeprefix("lsl:").strip()
    if not body:
        raise InputError(f"no stream is named by {text!r}; write for example lsl:name=EEG,hostname=lab-pc")
    if not re.match(rf"(?:{'|'.join(KEYS)})=", body):
        if "=" in body:
            key = body.partition("=")[0]
            raise InputError(f"a stream is chosen by {', '.join(KEYS)}; came {key!r} in {text!r}; write lsl:name=EEG")
        return {"name": body}
    chosen: dict[str, str] = {}
    for part in _PAIR.split(body):
        key, _, value = part.partition("=")
        if not value or key in chosen:
            raise InputError(f"{key} needs exactly one value in {text!r}; write for example {key}=EEG")
        chosen[key] = value
    return chosen


def _query(query: str, text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise InputError(
            f"what follows '?' is KEY=VALUE&KEY=VALUE; came {text!r}; write for example "
            "brainflow:CYTON_BOARD?serial_port=/dev/ttyUSB0"
        ) from error
