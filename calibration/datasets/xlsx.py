"""The first sheet of an .xlsx file as rows of text and numbers, for the one small table that EEG-3D ships so.

An .xlsx is a zip of XML (ECMA-376 part 1, 18.3): strings stand in a table of their own or in the cell. Formulas give
their stored values; dates, styles and further sheets are not looked at. Pandas would need a further dependency for it.
"""

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

from calibration.sets.errors import SetUnusable

Cell = str | float | None

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
# A table of 720 names and numbers takes some 30 kB unpacked.
_MAX_BYTES = 20_000_000
_MAX_COLUMNS = 16_384
# What reading a damaged or encrypted file raises.
_DAMAGE = (
    DefusedXmlException,
    LookupError,
    NotImplementedError,
    OSError,
    ParseError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_table(path: Path) -> list[dict[str, Cell]]:
    """Rows of the first sheet by the names in its first row; a missing cell is None, empty rows are left out.

    Raises:
        SetUnusable: missing, no .xlsx, damaged, or beyond any table's size.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            rows = list(_rows(archive))
    except _DAMAGE as error:
        raise SetUnusable(f"{path} cannot be read as an .xlsx table: {error}") from error
    if not rows:
        raise SetUnusable(f"{path} holds no rows; expected a first row of names")
    names = [str(cell) for cell in rows[0]]
    filled = [row for row in rows[1:] if any(cell is not None for cell in row)]
    return [dict(zip(names, row + [None] * len(names), strict=False)) for row in filled]


def _rows(archive: zipfile.ZipFile) -> Iterator[list[Cell]]:
    shared = _shared(archive)
    for row in _parsed(archive, _first_sheet(archive)).iter(f"{_MAIN}row"):
        cells: list[Cell] = []
        for cell in row.iter(f"{_MAIN}c"):
            column = _column(cell.get("r"), len(cells))
            cells += [None] * (column - len(cells))
            cells.append(_value(cell, shared))
        yield cells


def _first_sheet(archive: zipfile.ZipFile) -> str:
    sheet = next(_parsed(archive, "xl/workbook.xml").iter(f"{_MAIN}sheet"), None)
    if sheet is None:
        raise ValueError("the workbook has no sheet")
    for link in _parsed(archive, "xl/_rels/workbook.xml.rels"):
        if link.get("Id") == sheet.get(f"{_LINK}id"):
            return posixpath.normpath(posixpath.join("/xl", link.get("Target", ""))).lstrip("/")
    raise ValueError("the workbook does not say where its first sheet is")


def _shared(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    return [_text(entry) for entry in _parsed(archive, "xl/sharedStrings.xml").iter(f"{_MAIN}si")]


def _value(cell: Element, shared: list[str]) -> Cell:
    kind, value = cell.get("t", "n"), cell.findtext(f"{_MAIN}v")
    if kind == "inlineStr":
        return _text(cell)
    if value is None:
        return None
    if kind == "s":
        return shared[int(value)]
    return value if kind in ("str", "e") else float(value)


def _text(entry: Element) -> str:
    """All runs of a string; the reading aids of East Asian text (`rPh`) are not part of it."""
    aids = {id(text) for aid in entry.iter(f"{_MAIN}rPh") for text in aid.iter(f"{_MAIN}t")}
    return "".join(text.text or "" for text in entry.iter(f"{_MAIN}t") if id(text) not in aids)


def _column(reference: str | None, following: int) -> int:
    """Number of the column in a reference such as `B7`, from 0; without one the next after the cell before."""
    letters = re.match("[A-Z]+", reference or "")
    if letters is None:
        return following
    number = 0
    for letter in letters.group():
        number = 26 * number + ord(letter) - ord("A") + 1
    if number > _MAX_COLUMNS or number <= following:
        raise ValueError(f"cell {reference} is out of order")
    return number - 1


def _parsed(archive: zipfile.ZipFile, name: str) -> Element:
    if archive.getinfo(name).file_size > _MAX_BYTES:
        raise ValueError(f"{name} unpacks to more than {_MAX_BYTES} bytes")
    root: Element = fromstring(archive.read(name))
    return root
