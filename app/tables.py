"""Tables of a report as lines of text."""

from collections.abc import Iterator, Mapping
from typing import Any


def lines_of(table: Mapping[str, Any]) -> Iterator[str]:
    """Head and rows in columns; the first `n_text` are words and stand left."""
    lines = [[str(cell) for cell in line] for line in (table["head"], *table["rows"])]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        cells = (
            cell.ljust(width) if i < table["n_text"] else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
