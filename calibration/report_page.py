"""A report as one HTML page: the verdict first, then what it rests on."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from calibration.report_comparison import systems_image
from calibration.report_coupling import (
    comodulogram_image,
    coupling_verdict,
    course_image,
    head_image,
    histogram_image,
)
from calibration.report_decoding import reliability_image, unfolding_image
from calibration.report_figures import ReportFigures, evoked_image, timeline_image, topography_image
from calibration.report_images import picture
from calibration.report_training import curves_image

Fields = Mapping[str, Any]

MAX_DECISIONS = 200
MAX_GAPS = 50
MAX_MARKERS = 40
SIMULATED = "Simulated participant: nothing on this page was measured on a person."

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
td.text { white-space: normal; } th { font-weight: 600; color: var(--muted); } th.text, td.text { text-align: left; }
.scroll { overflow-x: auto; } .plot { max-width: 100%; background: #fff; border-radius: 8px; padding: .4rem;
  box-sizing: border-box; border: 1px solid var(--line); }
summary { cursor: pointer; color: var(--muted); } td.wrong { color: var(--bad); } td.right { color: var(--good); }
"""


def page(report: Fields, figures: ReportFigures | None) -> str:
    """The whole page. `report` in JSON's own kinds. Thread: any."""
    source = report.get("source") or {}
    title = " · ".join(["Afterimage", str(report.get("command", "report")), *([source["name"]] if source else [])])
    body = "".join(part(report, figures) for part in PARTS)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>\n"
    )


def _verdict(report: Fields, _: ReportFigures | None) -> str:
    """Banner, one sentence, warnings."""
    sentence, colour = verdict(report)
    banner = f'<div class="card banner">{SIMULATED}</div>' if report.get("simulated") else ""
    return f'{banner}<div class="card verdict {colour}">{escape(sentence)}</div>{_warnings(report)}'


def verdict(report: Fields) -> tuple[str, str]:
    """What came out, in words, and good, bad or "" for neither."""
    if "verdict" in report:
        return report["verdict"]["text"], report["verdict"]["colour"]
    row = next(iter(report.get("validation") or []), None) or report.get("accuracy")
    if row is not None:
        return _verdict_on(row, row.get("classes") or report.get("classes") or [])
    if "mi" in report:
        return coupling_verdict(report)
    if report.get("decisions"):
        return f"{len(report['decisions'])} decisions; no labels came with them, so they cannot be scored.", ""
    if report.get("command") == "present":
        n, late = len({t["trial"] for t in report.get("trials", [])}), (report.get("flips") or {}).get("n_late", 0)
        return f"{n} trials shown; {late} flips came late.", "bad" if late else "good"
    received, lost = report.get("samples_received"), report.get("samples_lost")
    if received is None:
        return "Nothing was decoded.", ""
    text = f"{received:,} samples received" + (f", {lost:,} lost" if lost else ", none lost")
    return f"{text}. Nothing was decoded.", "bad" if received == 0 else ""


def _tables(report: Fields, _: ReportFigures | None) -> str:
    """What a command tabulates by itself: `tables`, each with a title, a head, rows and how many columns are words."""
    return "".join(_section(t["title"], _table(t["head"], t["rows"], t["n_text"])) for t in report.get("tables", []))


def _verdict_on(row: Fields, classes: Sequence[str]) -> tuple[str, str]:
    low, high = row["ci95"]
    p = row.get("p_permutation")
    said = f"{_percent(row['mean'])} {row['metric']} over {row['n']} trials"
    said += f" (95 % interval {_percent(low)} to {_percent(high)}; chance {_percent(row['chance'])}"
    said += f"; p = {p:.3g} by permutation)." if p is not None else ")."
    what = f"{_or(classes)}: " if classes else ""
    if row.get("system"):
        said = f"{said} System {row['system']}; {row['scheme'].rstrip('.')}."
    above = low is not None and low > row["chance"] and (p is None or p < 0.05)
    if above:
        return f"Above chance. {what}{said}", "good"
    return f"Not above chance beyond doubt. {what}{said}", "bad"


def _or(names: Sequence[str]) -> str:
    few = list(names) if len(names) <= 6 else [*names[:5], f"{len(names) - 5} others"]
    return " or ".join([", ".join(few[:-1]), few[-1]]) if len(few) > 1 else few[0]


def _warnings(report: Fields) -> str:
    said = report.get("warnings") or []
    if not said:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in said)
    count = "1 warning" if len(said) == 1 else f"{len(said)} warnings"
    return f'<div class="card warnings"><b>{count}</b><ul>{items}</ul></div>'


def _systems(report: Fields, _: ReportFigures | None) -> str:
    """Of a comparison: each system as the turn unfolds."""
    if not report.get("unfolding"):
        return ""
    said = "The band is the 95 % interval of the first system; dashed: chance."
    return _section("Systems as the turn unfolds", f'{systems_image(report["unfolding"])}<p class="muted">{said}</p>')


def _numbers(report: Fields, _: ReportFigures | None) -> str:
    source, epochs = report.get("source"), report.get("epochs")
    tiles: list[tuple[str, str]] = []
    if source:
        tiles.append((f"{source['n_channels']} channels", f"at {_number(source['sfreq_nominal_hz'])} Hz nominal"))
        tiles.append((f"{_number(source['sfreq_effective_hz'], 3)} Hz", "effective rate"))
        tiles.append((source["unit"] or "unknown", "unit"))
        tiles.append((f"{report['samples_received']:,}", "samples received"))
        tiles.append((f"{report['samples_lost']:,}", _in_gaps(len(report["gaps"]))))
    if epochs:
        rejected = ", ".join(f"{n} {why}" for why, n in epochs["rejected"].items()) or "none"
        tiles.append((f"{epochs['accepted']}", f"epochs accepted; rejected: {rejected}"))
    if turns := report.get("turns"):
        lost = ", ".join(f"{n} {why}" for why, n in turns["lost"].items()) or "none"
        tiles.append((f"{turns['whole']}", f"turns decoded whole; lost: {lost}; pictures without one: {turns['none']}"))
    cards = "".join(
        f'<div class="card"><b>{escape(b)}</b><span class="muted">{escape(t)}</span></div>' for b, t in tiles
    )
    return f'<div class="tiles">{cards}</div>' if tiles else ""


def _in_gaps(n: int) -> str:
    return f"samples lost in {n} gap{'' if n == 1 else 's'}"


def _timeline(report: Fields, _: ReportFigures | None) -> str:
    source = report.get("source")
    rate_hz = source and (source["sfreq_effective_hz"] or source["sfreq_nominal_hz"])
    if not rate_hz or not report["samples_received"]:
        return ""
    gaps, resets = report["gaps"], report["clock_resets"]
    onsets_s = [d["onset_s"] for d in report.get("decisions") or []]
    length_s = (report["samples_received"] + report["samples_lost"]) / rate_hz
    length_s = max([length_s, *(g["stop_s"] for g in gaps), *(r["at_s"] for r in resets)])
    legend = "Pale: samples. Orange: gaps. Blue ticks: decided trials. Violet triangles: clock resets."
    rows = [[_number(g["start_s"], 3), _number(g["stop_s"], 3), str(g["n_lost"])] for g in gaps[:MAX_GAPS]]
    listed = _table(["gap from, s", "to, s", "samples lost"], rows) if gaps else ""
    more = f'<p class="muted">{len(gaps) - MAX_GAPS} more are in report.json.</p>' if len(gaps) > MAX_GAPS else ""
    image = timeline_image(length_s, gaps, resets, onsets_s)
    return _section("Time line", f'{image}<p class="muted">{legend}</p>{listed}{more}')


def _validation(report: Fields, _: ReportFigures | None) -> str:
    rows = [
        [
            row["system"],
            row["scheme"],
            row["metric"],
            _percent(row["mean"]),
            f"{_percent(row['ci95'][0])} to {_percent(row['ci95'][1])}",
            _percent(row["chance"]),
            "" if row["p_permutation"] is None else f"{row['p_permutation']:.3g}",
            str(row["n"]),
        ]
        for row in report.get("validation") or []
    ]
    head = ["system", "scheme", "metric", "mean", "95 % interval", "chance", "p", "trials"]
    return _section("Validation", _table(head, rows, n_text=3)) if rows else ""


def _confusion(report: Fields, _: ReportFigures | None) -> str:
    scored = report.get("accuracy") or report
    counts, classes = scored.get("confusion"), scored.get("classes")
    if not counts or not classes:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in classes)
    rows = "".join(
        f'<tr><th class="text">{escape(name)}</th>{"".join(_shaded(n, sum(row)) for n in row)}</tr>'
        for name, row in zip(classes, counts, strict=True)
    )
    table = f'<div class="scroll"><table><tr><th class="text">shown ↓ decoded →</th>{head}</tr>{rows}</table></div>'
    return _section("Confusion", table)


def _unfolding(report: Fields, _: ReportFigures | None) -> str:
    """Of an anytime decoder: accuracy as the turn unfolds, and reliability where it was judged."""
    stages, found = (report.get("accuracy") or report).get("by_stage"), report.get("reliability")
    if not stages:
        return ""
    said = "The band is the 95 % interval. Bins of equal counts; error: expected calibration error." if found else ""
    pictures = unfolding_image(stages) + (reliability_image(found) if found else "")
    return _section("As the object turns", f'{pictures}<p class="muted">{said}</p>')


def _training(report: Fields, _: ReportFigures | None) -> str:
    history = report.get("history") or []
    return _section("Training", curves_image(history, report.get("score_chance"))) if len(history) > 1 else ""


def _shaded(n: float, of: float) -> str:
    return f'<td style="background: rgba(var(--shade), {0.55 * n / of if of else 0:.2f})">{n:g}</td>'


def _evoked(_: Fields, figures: ReportFigures | None) -> str:
    if figures is None or not figures.evoked:
        return ""
    maps, why = topography_image(figures)
    delay = (
        f"Drawn {figures.group_delay_s * 1e3:.0f} ms earlier than measured: the group delay of the causal filters at "
        "10 Hz is taken off. Minimum-phase filters delay other frequencies otherwise, and bend the shape of slow waves."
    )
    missing = f'<p class="muted">{escape(why)}.</p>' if why else ""
    return _section("Evoked responses", f'{evoked_image(figures)}<p class="muted">{delay}</p>{maps}{missing}')


def _quality(_: Fields, figures: ReportFigures | None) -> str:
    if figures is None or not figures.quality:
        return ""
    rows = [
        [q.name, q.state.value, _number(q.amplitude_uv, 1), _number(q.mains_ratio, 2), _number(q.correlation, 2),
         _percent(q.bad_fraction)]
        for q in sorted(figures.quality, key=lambda q: -q.bad_fraction)
    ]  # fmt: skip
    head = ["channel", "at the end", "amplitude, µV", "mains ÷ signal", "best correlation", "time bad"]
    return _section("Channels, worst first", _folded(f"{len(rows)} channels", _table(head, rows, n_text=2)))


def _reconstruction(report: Fields, figures: ReportFigures | None) -> str:
    """What was shown beside what was made of it, by what, how fast."""
    told = report.get("reconstruction")
    if not told:
        return ""
    counts = ", ".join(f"{told[name]} {name}" for name in ("made", "dropped", "skipped", "failed", "restarts"))
    by = ", ".join(f"{kind} by {name}" for kind, name in told["generators"].items())
    said = [told["told"], f"{by}. {counts}.", *(f"Not by {name}: {why}." for name, why in told["passed_over"].items())]
    notes = "".join(f'<p class="muted">{escape(text)}</p>' for text in said if text)
    sheet = (
        picture(figures.sheet, "what was shown beside what was made") if figures and figures.sheet is not None else ""
    )
    names = ("trial", "stage", "shown", "picture", "mesh", "caption")
    rows = [[t["trial"], t["stage"], t["shown"] or "", t["picture"] or "", t["mesh"] or "", t["error"] or t["caption"]]
            for t in told["trials"][:MAX_DECISIONS]]  # fmt: skip
    table = _folded(f"{len(told['trials'])} trials", _table(names, rows, n_text=len(names))) if rows else ""
    took = [[part, *(_number(ms[c], 1) for c in ("median", "p95", "p99", "max"))] for part, ms in told["ms"].items()]
    times = _table(["took, ms", "median", "p95", "p99", "max"], took) if took else ""
    return _section("What was seen", f"{sheet}{notes}{times}{table}")


def _sheets(_: Fields, figures: ReportFigures | None) -> str:
    """Contact sheets, each with its name."""
    sheets = figures.sheets if figures else ()
    return "".join(_section(name.capitalize(), picture(sheet, f"contact sheet: {name}")) for name, sheet in sheets)


def _coupling(report: Fields, figures: ReportFigures | None) -> str:
    if figures is None or figures.coupling is None:
        return ""
    shown, told = figures.coupling, report.get("coupling") or report
    head, why = head_image(shown)
    over = comodulogram_image(shown.comodulogram) if shown.comodulogram else ""
    course = course_image(shown.course, shown.origin_s) if shown.course and shown.course.starts_s.size else ""
    grey = "Grey: the amplitude band cannot follow the phase, the mains leave too little of it, or the bands overlap."
    said = (told["estimator"], told["null"], why, grey if over else "")
    notes = "".join(f'<p class="muted">{escape(text)}</p>' for text in said if text)
    pictures = f"{head}{over}{histogram_image(shown)}{course}"
    return _section("Coupling", f"<p>{escape(told['caveat'])}</p>{pictures}{notes}{_coupling_table(told)}")


def _coupling_table(report: Fields) -> str:
    columns = ("mi", "excess", "z", "p", "p_family")
    order = sorted(range(len(report["channels"])), key=lambda i: -(report["z"][i] or report["mi"][i] or 0.0))
    rows = [[report["channels"][i], *(_short(report[key][i]) for key in columns)] for i in order]
    head = ["channel", "modulation index", "above surrogates", "z", "p", "p of all channels together"]
    return _folded(f"{len(rows)} channels", _table(head, rows))


def _latency(report: Fields, _: ReportFigures | None) -> str:
    latency = report.get("latency_ms") or {}
    columns = ("median", "p95", "p99", "max")
    rows = [[stage, *(_number(values.get(c), 2) for c in columns)] for stage, values in latency.items()]
    return _section("Latency, ms", _table(["stage", *columns], rows)) if rows else ""


def _decisions(report: Fields, _: ReportFigures | None) -> str:
    decisions = report.get("decisions") or []
    if not decisions:
        return ""
    rows = "".join(_decision(d) for d in decisions[:MAX_DECISIONS])
    names = ("trial", "onset, s", "window ends, s", "shown", "decoded", "probability")
    head = "".join(f"<th>{name}</th>" for name in names)
    more = len(decisions) - MAX_DECISIONS
    note = f'<p class="muted">{more} more are in report.json.</p>' if more > 0 else ""
    table = f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>{note}'
    return _section("Decisions", _folded(f"{len(decisions)} decisions", table))


def _decision(decision: Fields) -> str:
    truth, top = decision["true"], decision["top"]
    kind = "" if truth is None else "right" if truth == top else "wrong"
    p = decision["probabilities"].get(top) if isinstance(decision["probabilities"], Mapping) else None
    stage = "" if decision["stage"] == "single" else f", {decision['stage']}"
    cells = [f"{decision['trial']}{stage}", _number(decision["onset_s"], 3), _number(decision["window_stop_s"], 3)]
    told = "".join(f"<td>{escape(c)}</td>" for c in [*cells, truth or "–"])
    return f'<tr>{told}<td class="{kind}">{escape(top)}</td><td>{_percent(p)}</td></tr>'


def _streams(report: Fields, _: ReportFigures | None) -> str:
    keys = ("id", "name", "type", "n_channels", "sfreq_nominal_hz", "sfreq_effective_hz", "n_samples", "unit")
    rows = [[_any(stream.get(key)) for key in keys] for stream in report.get("streams") or []]
    head = ["id", "name", "type", "channels", "nominal Hz", "effective Hz", "samples", "unit"]
    return _section("Streams", _table(head, rows, n_text=3)) if rows else ""


def _markers(report: Fields, _: ReportFigures | None) -> str:
    markers = sorted((report.get("markers") or {}).items(), key=lambda item: -item[1])
    rows = [[label, str(n)] for label, n in markers[:MAX_MARKERS]]
    more = len(markers) - MAX_MARKERS
    note = f'<p class="muted">{more} more labels are in report.json.</p>' if more > 0 else ""
    return (
        _section("Markers", _folded(f"{len(markers)} labels", _table(["label", "count"], rows) + note)) if rows else ""
    )


def _versions(report: Fields, _: ReportFigures | None) -> str:
    rows = [[name, version] for name, version in (report.get("versions") or {}).items()]
    return _section("Versions", _folded(f"{len(rows)} packages", _table(["package", "version"], rows))) if rows else ""


PARTS: tuple[Callable[[Fields, ReportFigures | None], str], ...] = (
    _verdict,
    _sheets,
    _training,
    _systems,
    _tables,
    _numbers,
    _validation,
    _unfolding,
    _confusion,
    _reconstruction,
    _coupling,
    _timeline,
    _streams,
    _evoked,
    _quality,
    _latency,
    _decisions,
    _markers,
    _versions,
)


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], n_text: int = 1) -> str:
    """The first `n_text` columns are words, the others numbers."""

    def line(cells: Sequence[str], tag: str) -> str:
        made = (
            f"<{tag}{' class=text' if i < n_text else ''}>{escape(str(cell))}</{tag}>" for i, cell in enumerate(cells)
        )
        return f"<tr>{''.join(made)}</tr>"

    lines = "".join(line(row, "td") for row in rows)
    return f'<div class="scroll"><table>{line(head, "th")}{lines}</table></div>'


def _any(value: object) -> str:
    return _number(value, 2) if isinstance(value, float) else "–" if value is None else str(value)


def _number(value: float | None, digits: int = 0) -> str:
    return (
        "–"
        if value is None or value != value
        else f"{value:,.{digits}f}".rstrip("0").rstrip(".")
        if digits
        else f"{value:,g}"
    )


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _percent(share: float | None) -> str:
    return "–" if share is None or share != share else f"{100 * share:.1f} %"
