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
from calibration.report_figures import ReportFigures
from calibration.report_html import STYLE, folded, percent, scrolled, section, short, table, wide
from calibration.report_images import picture
from calibration.report_run import RUN, numbers, reconstruction
from calibration.report_training import curves_image

Fields = Mapping[str, Any]

SIMULATED = "Simulated participant: nothing on this page was measured on a person."
POCKET = "Small stand-ins for published models were at work: {}."
# Confusions of more classes are for those who open them.
MANY_CLASSES = 20


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
    said = [
        *([SIMULATED] if report.get("simulated") else []),
        *([POCKET.format(small)] if (small := pocket(report)) else []),
    ]
    banners = "".join(f'<div class="card banner">{escape(text)}</div>' for text in said)
    return f'{banners}<div class="card verdict {colour}">{escape(sentence)}</div>{_warnings(report)}'


def pocket(report: Fields) -> str:
    """Which pocket models have a part in what the page shows; "" for none."""
    told = [part for part in (report, report.get("data"), report.get("reconstruction")) if isinstance(part, Mapping)]
    size = ["a network of pocket size"] if any(one.get("size") == "pocket" for one in told) else []
    encoders = {f"embeddings of {name}" for one in told if (name := str(one.get("encoder") or "")).startswith("pocket")}
    made = (report.get("reconstruction") or report.get("reconstructions") or {}).get("generators", {})
    generators = [f"{kind} by {name}" for kind, name in made.items() if str(name).startswith("pocket")]
    return ", ".join([*size, *sorted(encoders), *generators])


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
    return "".join(section(t["title"], table(t["head"], t["rows"], t["n_text"])) for t in report.get("tables", []))


def _verdict_on(row: Fields, classes: Sequence[str]) -> tuple[str, str]:
    low, high = row["ci95"]
    p = row.get("p_permutation")
    said = f"{percent(row['mean'])} {row['metric']} over {row['n']} trials"
    said += f" (95 % interval {percent(low)} to {percent(high)}; chance {percent(row['chance'])}"
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
    return section("Systems as the turn unfolds", f'{systems_image(report["unfolding"])}<p class="muted">{said}</p>')


def _validation(report: Fields, _: ReportFigures | None) -> str:
    rows = [
        [
            row["system"],
            row["scheme"],
            row["metric"],
            percent(row["mean"]),
            f"{percent(row['ci95'][0])} to {percent(row['ci95'][1])}",
            percent(row["chance"]),
            "" if row["p_permutation"] is None else f"{row['p_permutation']:.3g}",
            str(row["n"]),
        ]
        for row in report.get("validation") or []
    ]
    head = ["system", "scheme", "metric", "mean", "95 % interval", "chance", "p", "trials"]
    return section("Validation", table(head, rows, n_text=3)) if rows else ""


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
    listed = scrolled(f'<table><tr><th class="text">shown ↓ decoded →</th>{head}</tr>{rows}</table>')
    return section("Confusion", folded(f"{len(classes)} classes", listed) if len(classes) > MANY_CLASSES else listed)


def _unfolding(report: Fields, _: ReportFigures | None) -> str:
    """Of an anytime decoder: accuracy as the turn unfolds, and reliability where it was judged."""
    stages, found = (report.get("accuracy") or report).get("by_stage"), report.get("reliability")
    if not stages:
        return ""
    said = "The band is the 95 % interval. Bins of equal counts; error: expected calibration error." if found else ""
    pictures = unfolding_image(stages) + (reliability_image(found) if found else "")
    return section("As the object turns", f'{pictures}<p class="muted">{said}</p>')


def _training(report: Fields, _: ReportFigures | None) -> str:
    history = report.get("history") or []
    return section("Training", curves_image(history, report.get("score_chance"))) if len(history) > 1 else ""


def _shaded(n: float, of: float) -> str:
    if not n:
        return '<td class="nought">0</td>'
    return f'<td style="background: rgba(var(--shade), {0.55 * n / of:.2f})">{n:g}</td>'


def _sheets(_: Fields, figures: ReportFigures | None) -> str:
    """Contact sheets, each with its name."""
    sheets = figures.sheets if figures else ()
    return "".join(section(name.capitalize(), wide(picture(sheet, f"contact sheet: {name}"))) for name, sheet in sheets)


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
    return section("Coupling", f"<p>{escape(told['caveat'])}</p>{pictures}{notes}{_coupling_table(told)}")


def _coupling_table(report: Fields) -> str:
    columns = ("mi", "excess", "z", "p", "p_family")
    order = sorted(range(len(report["channels"])), key=lambda i: -(report["z"][i] or report["mi"][i] or 0.0))
    rows = [[report["channels"][i], *(short(report[key][i]) for key in columns)] for i in order]
    head = ["channel", "modulation index", "above surrogates", "z", "p", "p of all channels together"]
    return folded(f"{len(rows)} channels", table(head, rows))


def _versions(report: Fields, _: ReportFigures | None) -> str:
    rows = [[name, version] for name, version in (report.get("versions") or {}).items()]
    return section("Versions", folded(f"{len(rows)} packages", table(["package", "version"], rows))) if rows else ""


PARTS: tuple[Callable[[Fields, ReportFigures | None], str], ...] = (
    _verdict,
    numbers,
    _sheets,
    _training,
    _systems,
    _tables,
    _validation,
    _unfolding,
    _confusion,
    reconstruction,
    _coupling,
    *RUN,
    _versions,
)
