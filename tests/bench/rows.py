"""One measured figure, and how it is printed: a table for people, one JSON line a row for machines."""

import json
import operator
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

# The machine's own noise: a goal counts as reached within a tenth of it (docs/benchmarks.md).
MARGIN = 0.1
_SIGNS = {"<=": (operator.le, 1 + MARGIN), ">=": (operator.ge, 1 - MARGIN)}


@dataclass(frozen=True)
class Row:
    """`ours` beside `peer` in the same run, both in `unit`.

    `goal` is what is aimed at, "ratio <= 0.05" or "ours >= 100", empty where nothing is.
    """

    bench: str
    what: str
    ours: float
    unit: str
    peer: float | None = None
    peer_name: str = ""
    goal: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's; None without a peer."""
        return None if self.peer is None else self.ours / self.peer

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached, give or take `MARGIN`; None without one."""
        if not self.goal:
            return None
        of, sign, limit = self.goal.split()
        holds, margin = _SIGNS[sign]
        return bool(holds({"ours": self.ours, "ratio": self.ratio}[of], float(limit) * margin))

    def to_json(self) -> str:
        """One line, with what follows from the fields."""
        return json.dumps({**asdict(self), "ratio": self.ratio, "met": self.met})

    @classmethod
    def from_json(cls, line: str) -> "Row":
        """The inverse of `to_json`."""
        values = json.loads(line)
        return cls(**{field.name: values[field.name] for field in fields(cls)})


HEAD = ("", "ours", "peer", "ours / peer", "goal", "met")


def cells(row: Row) -> tuple[str, ...]:
    """The row as `HEAD` names its cells."""
    peer = "" if row.peer is None else f"{row.peer:.4g} ({row.peer_name})"
    ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
    met = {None: "", True: "yes", False: "NO"}[row.met]
    note = f" ({row.note})" if row.note else ""
    return f"{row.bench}: {row.what}, {row.unit}{note}", f"{row.ours:.4g}", peer, ratio, row.goal, met


def table(rows: Sequence[Row]) -> str:
    """The rows aligned for reading."""
    lines = [HEAD, *map(cells, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def markdown(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [HEAD, ("---",) * len(HEAD), *map(cells, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
