"""What the built-in set looks like, on one page, and its statistics."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from calibration.objects import audit
from calibration.objects.build import build
from calibration.objects.builtin import BuiltIn
from calibration.objects.catalogue import CATEGORIES, N_OBJECTS
from calibration.objects.colours import LABELS
from calibration.objects.render import BACKGROUND
from calibration.stimuli import Item

_COLUMNS = 9
_LARGE_PX, _SMALL_PX, _NAME_PX = 160, 40, 16
_PALETTE_SIZE = 200


def make_docs(folder: Path, stimuli: BuiltIn) -> None:
    """Write `images/stimuli.png` and `stimuli.md` into `folder`."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    contact_sheet(stimuli).save(folder / "images" / "stimuli.png", optimize=True)
    (folder / "stimuli.md").write_text(statistics(stimuli), encoding="utf-8")


def contact_sheet(stimuli: BuiltIn) -> Image.Image:
    """Every category: its name, its first object, and four more below."""
    height = _LARGE_PX + _SMALL_PX + _NAME_PX
    n_rows = -(-len(CATEGORIES) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * _LARGE_PX, n_rows * height), (BACKGROUND,) * 3)
    for i, category in enumerate(CATEGORIES):
        left, top = i % _COLUMNS * _LARGE_PX, i // _COLUMNS * height
        for number in range(1 + _LARGE_PX // _SMALL_PX):
            size = _LARGE_PX if number == 0 else _SMALL_PX
            picture = Image.fromarray(stimuli.picture(Item(category, f"{number:02d}")))
            at = (
                (left, top + _NAME_PX) if number == 0 else (left + (number - 1) * _SMALL_PX, top + _NAME_PX + _LARGE_PX)
            )
            sheet.paste(picture.resize((size, size), Image.Resampling.LANCZOS), at)
        ImageDraw.Draw(sheet).text((left + 6, top + 3), category, fill="white")
    return sheet.quantize(_PALETTE_SIZE, dither=Image.Dither.NONE)


def statistics(stimuli: BuiltIn) -> str:
    """A page of Markdown: counts, files, what colour and size give away, and a row for each category."""
    solids = [build(item.category, int(item.object)) for item in stimuli.items]
    labels = np.bincount([solid.colour_label for solid in solids], minlength=len(LABELS))
    lines = [
        "# The built-in stimulus set",
        "",
        "Made by `python -m calibration.objects.make`; do not edit.",
        "",
        f"{len(CATEGORIES)} categories of {N_OBJECTS} objects, each a mesh of named, coloured parts.",
        "",
        "![The first objects of each category](images/stimuli.png)",
        "",
        "| Main colour | " + " | ".join(LABELS) + " |",
        "|---" * (len(LABELS) + 1) + "|",
        "| Objects | " + " | ".join(str(n) for n in labels) + " |",
        "",
        *_audited(stimuli),
        "",
        "| Category | Parts | Names of parts | Faces | Share of the picture |",
        "|---|---|---|---|---|",
    ]
    for i, category in enumerate(CATEGORIES):
        own = solids[i * N_OBJECTS : (i + 1) * N_OBJECTS]
        shares = [audit.foreground(stimuli.picture(Item(category, solid.name))).mean() for solid in own]
        names = dict.fromkeys(part.name for solid in own for part in solid.parts)
        counts, faces = [len(solid.parts) for solid in own], [len(solid.faces) for solid in own]
        lines.append(
            f"| {category} | {_span(counts)} | {', '.join(names)} | {_span(faces)} "
            f"| {100 * min(shares):.0f}-{100 * max(shares):.0f} % |"
        )
    return "\n".join(lines) + "\n"


def _audited(stimuli: BuiltIn) -> list[str]:
    pictures = [stimuli.picture(item) for item in stimuli.items]
    rows = {
        "colour": [audit.colour(picture) for picture in pictures],
        "area": [audit.area(picture) for picture in pictures],
        "diagonal": [audit.diagonal(picture) for picture in pictures],
        "area and diagonal": [np.append(audit.area(picture), audit.diagonal(picture)) for picture in pictures],
        "silhouette": [audit.silhouette(picture) for picture in pictures],
    }
    found = {name: audit.accuracies(np.stack(features)) for name, features in rows.items()}
    classifiers = list(found["colour"])
    return [
        "What tells the category? Classifiers that learned from objects 00 to 07 name those of 08 and 09, in per cent; "
        f"chance is {100 / len(CATEGORIES):.1f}, and one guess in twenty sets does better than "
        f"{100 * audit.chance_bound():.1f}, one of nine guesses better than {100 * audit.chance_bound(9):.1f}. "
        "Area and diagonal together hold their ratio, which is shape.",
        "",
        "| From | " + " | ".join(classifiers) + " |",
        "|---" * (len(classifiers) + 1) + "|",
        *(f"| {name} | " + " | ".join(f"{100 * found[name][c]:.1f}" for c in classifiers) + " |" for name in found),
    ]


def _span(values: list[int]) -> str:
    return f"{min(values)}-{max(values)}" if min(values) < max(values) else str(values[0])
