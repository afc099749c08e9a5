"""Contact sheets: what was seen beside what was reconstructed, so that a person can judge at a glance.

    rows = [(Tile(truth, "chair 08"), Tile(made, "a red chair"), Tile(shape))]
    Image.fromarray(sheet(rows, columns=("seen", "picture", "shape"), title="S09", marks=("simulated", "pocket")))

Thread: any.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from calibration.stimuli import Picture
from engines.errors import InputError

TILE_PX = 120

_GAP_PX, _MARGIN_PX, _APART_PX = 6, 16, 26
_TITLE_PX, _TEXT_PX, _LINE_PX = 20, 12, 15
_CAPTION_LINES = 2
_GROUND, _TEXT, _MUTED, _MARK, _EMPTY = "#fbfbfa", "#1c2127", "#5d6773", "#6d4bb5", "#e4e6e9"
_DOTS = "..."


@dataclass(frozen=True, eq=False)
class Tile:
    """`picture` (height, width, 3), None where nothing was made; what stands below it."""

    picture: Picture | None
    caption: str = ""


def sheet(
    rows: Sequence[Sequence[Tile]],
    columns: Sequence[str] = (),
    title: str = "",
    marks: Sequence[str] = (),
    notes: Sequence[str] = (),
    across: int = 1,
    tile_px: int = TILE_PX,
) -> Picture:
    """(height, width, 3): each row's tiles side by side under the heads of `columns`, `across` rows beside one another.

    `marks` say what the pictures are not ("simulated", "pocket"), beside the title in capitals; `notes` stand at the
    foot, a line each.

    Raises:
        InputError: no rows, rows of different lengths, or not a head for every column.
    """
    n_tiles = len(rows[0]) if rows else 0
    if not n_tiles or any(len(row) != n_tiles for row in rows) or len(columns) not in (0, n_tiles):
        raise InputError(
            f"expected rows of as many tiles as there are columns; got rows of {sorted({len(row) for row in rows})} "
            f"and {len(columns)} columns"
        )
    across = min(across, len(rows))
    has_captions = any(tile.caption for row in rows for tile in row)
    row_width = n_tiles * tile_px + (n_tiles - 1) * _GAP_PX
    row_height = tile_px + _GAP_PX + (_CAPTION_LINES * _LINE_PX if has_captions else 0)
    width = 2 * _MARGIN_PX + across * row_width + (across - 1) * _APART_PX
    heading = _heading(title, marks, width - 2 * _MARGIN_PX)
    head_height = _LINE_PX + _GAP_PX if columns else 0
    top = _MARGIN_PX + heading.height + head_height
    n_lines = -(-len(rows) // across)
    foot = [line for note in notes for line in _wrapped(note, width - 2 * _MARGIN_PX, 99)]
    height = top + n_lines * row_height + len(foot) * _LINE_PX + _MARGIN_PX
    page = Image.new("RGB", (width, height), _GROUND)
    page.paste(heading, (_MARGIN_PX, _MARGIN_PX))
    lefts = [_MARGIN_PX + place * (row_width + _APART_PX) for place in range(across)]
    for left in lefts:
        for number, head in enumerate(columns):
            _write(page, head, left + number * (tile_px + _GAP_PX), top - head_height, tile_px, _MUTED, 1)
    for number, row in enumerate(rows):
        at = top + number // across * row_height
        for place, tile in enumerate(row):
            _put(page, tile, lefts[number % across] + place * (tile_px + _GAP_PX), at, tile_px)
    drawn = ImageDraw.Draw(page)
    for number, line in enumerate(foot):
        drawn.text((_MARGIN_PX, top + n_lines * row_height + number * _LINE_PX), line, fill=_MUTED, font=_font())
    return np.asarray(page)


def _heading(title: str, marks: Sequence[str], width: int) -> Image.Image:
    """The title, and every mark in a frame behind it, on new lines where the page is narrow."""
    lines = _wrapped(title, width, 3, _TITLE_PX)
    marked = " · ".join(mark.upper() for mark in marks)
    under = _wrapped(marked, width - 2 * _GAP_PX, 3) if marked else []
    height = len(lines) * (_TITLE_PX + 6) + (len(under) * _LINE_PX + 2 * _GAP_PX if under else 0) + _GAP_PX
    heading = Image.new("RGB", (width, height if lines or under else 0), _GROUND)
    drawn = ImageDraw.Draw(heading)
    for number, line in enumerate(lines):
        drawn.text((0, number * (_TITLE_PX + 6)), line, fill=_TEXT, font=_font(_TITLE_PX))
    if under:
        top = len(lines) * (_TITLE_PX + 6)
        right = max(_length(line) for line in under) + 2 * _GAP_PX
        drawn.rectangle((0, top, right, top + len(under) * _LINE_PX + _GAP_PX), outline=_MARK)
        for number, line in enumerate(under):
            drawn.text((_GAP_PX, top + 3 + number * _LINE_PX), line, fill=_MARK, font=_font())
    return heading


def _put(page: Image.Image, tile: Tile, left: int, top: int, tile_px: int) -> None:
    drawn = ImageDraw.Draw(page)
    if tile.picture is None:
        drawn.rectangle((left, top, left + tile_px - 1, top + tile_px - 1), fill=_EMPTY)
        _write(page, "not made", left + _GAP_PX, top + tile_px // 2 - _LINE_PX, tile_px, _MUTED, 1)
    else:
        picture = Image.fromarray(tile.picture)
        picture.thumbnail((tile_px, tile_px), Image.Resampling.LANCZOS)
        scaled = picture if max(picture.size) == tile_px else _enlarged(picture, tile_px)
        page.paste(scaled, (left + (tile_px - scaled.width) // 2, top + (tile_px - scaled.height) // 2))
    _write(page, tile.caption, left, top + tile_px + 1, tile_px, _TEXT, _CAPTION_LINES)


def _enlarged(picture: Image.Image, tile_px: int) -> Image.Image:
    factor = tile_px / max(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    return picture.resize(size, Image.Resampling.BICUBIC)


def _write(page: Image.Image, text: str, left: int, top: int, width: int, colour: str, most: int) -> None:
    drawn = ImageDraw.Draw(page)
    for number, line in enumerate(_wrapped(text, width, most)):
        drawn.text((left, top + number * _LINE_PX), line, fill=colour, font=_font())


def _wrapped(text: str, width: int, most: int, size_px: int = _TEXT_PX) -> list[str]:
    """At most so many lines, no wider than `width`; what does not fit ends in dots."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and _length(longer, size_px) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    lines += [line] if line else []
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1]}{_DOTS}"]
    return [_cut(one, width, size_px) for one in lines]


def _cut(line: str, width: int, size_px: int) -> str:
    if _length(line, size_px) <= width:
        return line
    kept = line.removesuffix(_DOTS)
    while kept and _length(f"{kept}{_DOTS}", size_px) > width:
        kept = kept[:-1]
    return f"{kept.rstrip()}{_DOTS}"


def _length(text: str, size_px: int = _TEXT_PX) -> float:
    return float(_font(size_px).getlength(text))


def _font(size_px: int = _TEXT_PX) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    # The font inside Pillow: pages look the same on every machine.
    return _FONTS[size_px]


_FONTS = {size: ImageFont.load_default(size) for size in (_TEXT_PX, _TITLE_PX)}
