"""A contact sheet: every category of a set in a row, to look at before anyone is shown it."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from calibration.sets.pictures import GREY
from calibration.stimuli import Item, Picture, StimulusSet

SIDE_PX = 72
TITLE_PX = 110
# THINGS has 1854 categories of a dozen pictures; a sheet of some thousand pictures can still be looked at.
MAX_ROWS, MAX_COLUMNS = 100, 12


def contact_sheet(stimuli: StimulusSet) -> tuple[Picture, int]:
    """(height, width, 3) and how many pictures found no place: rows of categories, up to MAX_ROWS of up to MAX_COLUMNS.

    Raises:
        SetUnusable: a picture cannot be read.
    """
    rows = _rows(stimuli.items)
    shown = [row[:MAX_COLUMNS] for row in rows[:MAX_ROWS]]
    width = TITLE_PX + SIDE_PX * max(len(row) for row in shown)
    sheet = Image.new("RGB", (width, SIDE_PX * len(shown)), GREY)
    draw = ImageDraw.Draw(sheet)
    for at, row in enumerate(shown):
        draw.text((4, SIDE_PX * at + SIDE_PX // 2 - 6), row[0].category[:17], fill="white")
        for place, item in enumerate(row):
            small = ImageOps.contain(Image.fromarray(stimuli.picture(item)), (SIDE_PX - 2, SIDE_PX - 2))
            left = TITLE_PX + SIDE_PX * place + (SIDE_PX - small.width) // 2
            sheet.paste(small, (left, SIDE_PX * at + (SIDE_PX - small.height) // 2))
    return np.array(sheet), len(stimuli.items) - sum(len(row) for row in shown)


def _rows(items: Sequence[Item]) -> list[list[Item]]:
    rows: dict[str, list[Item]] = {}
    for item in items:
        rows.setdefault(item.category, []).append(item)
    return list(rows.values())
