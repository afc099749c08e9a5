"""What report pages are put together from: their style, sections, tables and numbers in words."""

import re
from collections.abc import Sequence
from html import escape

# Words up to this length stay on one line of a table.
SHORT = 28
# With more columns, intervals stand below their numbers.
FEW_COLUMNS = 5
# A number before its interval, and what comes behind.
WITH_INTERVAL = re.compile(r"(\S+) ([(\[].+[)\]])(.*)")

STYLE = """
:root { color-scheme: light dark; --ground: #fbfbfa; --card: #ffffff; --line: #dfe2e6; --text: #1c2127;
  --muted: #5d6773; --good: #1a7f5a; --warn: #9a6700; --bad: #b3393f; --simulated: #6d4bb5; --shade: 0, 114, 178; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171b; --card: #1b1f25; --line: #313842; --text: #e6e9ed;
  --muted: #9aa5b1; --good: #58b892; --warn: #e3b04b; --bad: #e5646a; --simulated: #b79cf0; --shade: 86, 180, 233; } }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.35rem; margin: 0 0 1rem; } h2 { font-size: 1.05rem; margin: 2.2rem 0 .6rem; }
p { margin: .3rem 0; } .muted { color: var(--muted); font-size: .88rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .9rem 1.1rem; }
.verdict { font-size: 1.12rem; border-left: 4px solid var(--muted); }
.verdict.good { border-left-color: var(--good); } .verdict.bad { border-left-color: var(--bad); }
.banner { color: var(--simulated); border-color: var(--simulated); font-weight: 600; margin-bottom: .8rem; }
.warnings { border-color: var(--warn); margin-top: .8rem; } .warnings ul { margin: .3rem 0; padding-left: 1.2rem; }
.warnings b { color: var(--warn); }
.tiles { display: flex; flex-wrap: wrap; gap: .7rem; margin-top: .8rem; } .tiles .card { flex: 1 1 8rem; }
.tiles b { display: block; font-size: 1.15rem; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; color: var(--muted); white-space: normal; vertical-align: bottom; min-width: 3rem; }
.text { text-align: left; } td.long { white-space: normal; min-width: 11rem; max-width: 38rem; }
td.nought, small { color: var(--muted); }
th:first-child, td:first-child { position: sticky; left: 0; background: var(--ground); }
.wide { width: max-content; min-width: 100%; max-width: calc(100vw - 2.5rem); position: relative; left: 50%;
  transform: translateX(-50%); box-sizing: border-box; }
.scroll { overflow-x: auto; } .plot { max-width: 100%; background: #fff; border-radius: 8px; padding: .4rem;
  box-sizing: border-box; border: 1px solid var(--line); }
@media print { .wide { position: static; transform: none; width: auto; max-width: 100%; } table { font-size: .7rem; } }
summary { cursor: pointer; color: var(--muted); } td.wrong { color: var(--bad); } td.right { color: var(--good); }
"""


def section(title: str, content: str) -> str:
    """A part of the page under its heading; what the title adds after a semicolon or in brackets stands below it."""
    heading, more = _parted(title)
    note = f'<p class="muted">{escape(more)}</p>' if more else ""
    return f"<section><h2>{escape(heading)}</h2>{note}{content}</section>"


def _parted(title: str) -> tuple[str, str]:
    found = re.fullmatch(r"(.+?) \((.+)\)", title) or re.fullmatch(r"(.+?); (.+)", title)
    return (found[1], found[2][0].upper() + found[2][1:]) if found else (title, "")


def folded(title: str, content: str) -> str:
    """What is there for those who open it."""
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def wide(content: str) -> str:
    """What may be wider than the text, up to the window."""
    return f'<div class="wide">{content}</div>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]], n_text: int = 1) -> str:
    """The first `n_text` columns are words, the others numbers."""
    told = _in_two_lines if len(head) > FEW_COLUMNS else escape

    def line(cells: Sequence[str], tag: str) -> str:
        made = (f"<{tag}{_kind(str(cell), i < n_text)}>{told(str(cell))}</{tag}>" for i, cell in enumerate(cells))
        return f"<tr>{''.join(made)}</tr>"

    lines = "".join(line(row, "td") for row in rows)
    return scrolled(f"<table>{line(head, 'th')}{lines}</table>")


def _kind(cell: str, is_text: bool) -> str:
    return "" if not is_text else ' class="text long"' if len(cell) > SHORT else ' class="text"'


def _in_two_lines(cell: str) -> str:
    """A number's interval stands below it, so that more columns fit; stars stay with the number."""
    found = WITH_INTERVAL.fullmatch(cell)
    if found is None or not found[1][-1].isdigit():
        return escape(cell)
    value, interval, more = (escape(part) for part in found.groups())
    return (
        f"{value}{more}<br><small>{interval}</small>"
        if set(more) <= set(" *")
        else f"{value}<br><small>{interval}{more}</small>"
    )


def scrolled(table: str) -> str:
    """A table that is moved sideways where even the window is too narrow for it."""
    return wide(f'<div class="scroll">{table}</div>')


def anything(value: object) -> str:
    """Whatever a report holds, in words."""
    return number(value, 2) if isinstance(value, float) else "–" if value is None else str(value)


def number(value: float | None, digits: int = 0) -> str:
    """With at most so many digits behind the point; a dash for none, and for what is no number."""
    if value is None or value != value:
        return "–"
    return f"{value:,.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:,g}"


def short(value: float | None) -> str:
    """Three digits that count."""
    return "–" if value is None else f"{value:.3g}"


def percent(share: float | None) -> str:
    """A share as a percentage."""
    return "–" if share is None or share != share else f"{100 * share:.1f} %"
