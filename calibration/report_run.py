"""What a report shows of one run over a recording or a stream: its samples, epochs, answers and reconstructions."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from calibration.report_figures import ReportFigures, evoked_image, timeline_image, topography_image
from calibration.report_html import anything, folded, number, percent, scrolled, section, table, wide
from calibration.report_images import picture

Fields = Mapping[str, Any]

MAX_DECISIONS = 200
MAX_GAPS = 50
MAX_MARKERS = 40
STEPS = ("wait", "filter", "epoch", "decode")


def numbers(report: Fields, _: ReportFigures | None) -> str:
    """How much of what there was."""
    source, epochs = report.get("source"), report.get("epochs")
    tiles: list[tuple[str, str]] = []
    if source:
        tiles.append((f"{source['n_channels']} channels", f"at {number(source['sfreq_nominal_hz'])} Hz nominal"))
        tiles.append((f"{number(source['sfreq_effective_hz'], 3)} Hz", "effective rate"))
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
    rows = [[number(g["start_s"], 3), number(g["stop_s"], 3), str(g["n_lost"])] for g in gaps[:MAX_GAPS]]
    listed = table(["gap from, s", "to, s", "samples lost"], rows) if gaps else ""
    more = f'<p class="muted">{len(gaps) - MAX_GAPS} more are in report.json.</p>' if len(gaps) > MAX_GAPS else ""
    image = timeline_image(length_s, gaps, resets, onsets_s)
    return section("Time line", f'{image}<p class="muted">{legend}</p>{listed}{more}')


def _evoked(_: Fields, figures: ReportFigures | None) -> str:
    if figures is None or not figures.evoked:
        return ""
    maps, why = topography_image(figures)
    delay = (
        f"Drawn {figures.group_delay_s * 1e3:.0f} ms earlier than measured: the group delay of the causal filters at "
        "10 Hz is taken off. Minimum-phase filters delay other frequencies otherwise, and bend the shape of slow waves."
    )
    missing = f'<p class="muted">{escape(why)}.</p>' if why else ""
    return section("Evoked responses", f'{evoked_image(figures)}<p class="muted">{delay}</p>{maps}{missing}')


def _quality(_: Fields, figures: ReportFigures | None) -> str:
    if figures is None or not figures.quality:
        return ""
    rows = [
        [q.name, q.state.value, number(q.amplitude_uv, 1), number(q.mains_ratio, 2), number(q.correlation, 2),
         percent(q.bad_fraction)]
        for q in sorted(figures.quality, key=lambda q: -q.bad_fraction)
    ]  # fmt: skip
    head = ["channel", "at the end", "amplitude, µV", "mains ÷ signal", "best correlation", "time bad"]
    return section("Channels, worst first", folded(f"{len(rows)} channels", table(head, rows, n_text=2)))


def reconstruction(report: Fields, figures: ReportFigures | None) -> str:
    """What was shown beside what was made of it, by what, how fast."""
    told = report.get("reconstruction")
    if not told:
        return ""
    counts = ", ".join(f"{told[name]} {name}" for name in ("made", "dropped", "skipped", "failed", "restarts"))
    by = ", ".join(f"{kind} by {name}" for kind, name in told["generators"].items())
    said = [told["told"], f"{by}. {counts}.", *(f"Not by {name}: {why}." for name, why in told["passed_over"].items())]
    notes = "".join(f'<p class="muted">{escape(text)}</p>' for text in said if text)
    sheet = (
        wide(picture(figures.sheet, "what was shown beside what was made"))
        if figures and figures.sheet is not None
        else ""
    )
    names = ("trial", "stage", "shown", "picture", "mesh", "caption")
    rows = [[t["trial"], t["stage"], t["shown"] or "", t["picture"] or "", t["mesh"] or "", t["error"] or t["caption"]]
            for t in told["trials"][:MAX_DECISIONS]]  # fmt: skip
    left = len(told["trials"]) - len(rows)
    more = f'<p class="muted">{left} more are in report.json.</p>' if left else ""
    listed = folded(f"{len(told['trials'])} trials", table(names, rows, n_text=len(names)) + more) if rows else ""
    took = [[part, *(number(ms[c], 1) for c in ("median", "p95", "p99", "max"))] for part, ms in told["ms"].items()]
    times = table(["took, ms", "median", "p95", "p99", "max"], took) if took else ""
    return section("What was seen", f"{sheet}{notes}{times}{listed}")


def _latency(report: Fields, _: ReportFigures | None) -> str:
    latency = report.get("latency_ms") or {}
    columns = ("median", "p95", "p99", "max")
    rows = [[stage, *(number(values.get(c), 2) for c in columns)] for stage, values in latency.items()]
    return section("Latency, ms", table(["stage", *columns], rows)) if rows else ""


def _decisions(report: Fields, _: ReportFigures | None) -> str:
    decisions = report.get("decisions") or []
    if not decisions:
        return ""
    rows = "".join(_decision(d) for d in decisions[:MAX_DECISIONS])
    names = ("trial", "onset, s", "window ends, s", "shown", "decoded", "probability", " + ".join(STEPS) + ", ms")
    head = "".join(f"<th>{name}</th>" for name in names)
    more = len(decisions) - MAX_DECISIONS
    note = f'<p class="muted">{more} more are in report.json.</p>' if more > 0 else ""
    listed = scrolled(f"<table><tr>{head}</tr>{rows}</table>") + note
    return section("Decisions", folded(f"{len(decisions)} decisions", listed))


def _decision(decision: Fields) -> str:
    truth, top = decision["true"], decision["top"]
    kind = "" if truth is None else "right" if truth == top else "wrong"
    p = decision["probabilities"].get(top) if isinstance(decision["probabilities"], Mapping) else None
    stage = "" if decision["stage"] == "single" else f", {decision['stage']}"
    cells = [f"{decision['trial']}{stage}", number(decision["onset_s"], 3), number(decision["window_stop_s"], 3)]
    told = "".join(f"<td>{escape(c)}</td>" for c in [*cells, truth or "–"])
    return f'<tr>{told}<td class="{kind}">{escape(top)}</td><td>{percent(p)}</td>{_took(decision)}</tr>'


def _took(decision: Fields) -> str:
    """Where one answer's time went, step by step."""
    took_ms = decision.get("took_ms") or {}
    told = " + ".join(number(took_ms.get(step), 1) for step in STEPS) if took_ms else "–"
    return f"<td>{told}</td>"


def _streams(report: Fields, _: ReportFigures | None) -> str:
    keys = ("id", "name", "type", "n_channels", "sfreq_nominal_hz", "sfreq_effective_hz", "n_samples", "unit")
    rows = [[anything(stream.get(key)) for key in keys] for stream in report.get("streams") or []]
    head = ["id", "name", "type", "channels", "nominal Hz", "effective Hz", "samples", "unit"]
    return section("Streams", table(head, rows, n_text=3)) if rows else ""


def _markers(report: Fields, _: ReportFigures | None) -> str:
    markers = sorted((report.get("markers") or {}).items(), key=lambda item: -item[1])
    rows = [[label, str(n)] for label, n in markers[:MAX_MARKERS]]
    more = len(markers) - MAX_MARKERS
    note = f'<p class="muted">{more} more labels are in report.json.</p>' if more > 0 else ""
    return section("Markers", folded(f"{len(markers)} labels", table(["label", "count"], rows) + note)) if rows else ""


RUN: tuple[Callable[[Fields, ReportFigures | None], str], ...] = (
    _timeline,
    _streams,
    _evoked,
    _quality,
    _latency,
    _decisions,
    _markers,
)
