"""Reports: `report.json` for programs beside `report.html` for people, both from the same fields (DESIGN section 5).

The page is one file: no script, no font, no picture from elsewhere. Each file is put in place whole or not at all.
"""

import json
import math
import os
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from calibration.report_figures import ReportFigures
from calibration.report_page import page
from pipeline.errors import RecordingFailed


def write_report(folder: Path, report: Mapping[str, Any], figures: ReportFigures | None = None) -> Path:
    """Write both files into `folder`, replacing older ones; answers the path of the page. Thread: any.

    Raises:
        RecordingFailed: the folder cannot be written; older reports are still whole.
        TypeError: a value in `report` is of a kind that JSON does not know.
    """
    fields = plain(report)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingFailed(f"cannot create {folder}: {error.strerror}; choose another --out") from error
    _put(folder / "report.json", to_json(fields))
    return _put(folder / "report.html", page(fields, figures))


def to_json(report: Mapping[str, Any]) -> str:
    """Strict JSON (RFC 8259): numbers that are no numbers become null. Thread: any.

    Raises:
        TypeError: a value is of a kind that JSON does not know.
    """
    return json.dumps(plain(report), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def plain(value: Any) -> Any:
    """The value in JSON's own kinds: NumPy's numbers and arrays, enumerations, paths and tuples turned into them.

    Raises:
        TypeError: for anything else.
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes):
        return [plain(item) for item in value]
    raise TypeError(f"a report holds numbers, texts, lists and mappings; {type(value).__name__} came: {value!r}")


def _put(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8", errors="replace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise RecordingFailed(f"cannot write {path}: {error.strerror}; free some space or choose --out") from error
    return path
