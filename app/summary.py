"""From a finished session to the fields of its report.

Times are seconds from the first sample of the chosen EEG stream on the corrected clock.
"""

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from app.accuracy import accuracy_fields, stage_tables
from calibration.decoding.subject import AnytimeSubjectDecoder
from calibration.report_figures import ReportFigures
from pipeline.outlets import of_two_streams
from pipeline.session import Session
from pipeline.timestamps import Aligner
from pipeline.types import BoundaryKind, Decision, StreamInfo

# Events that are no reason for concern.
WELCOME = {"connected"}
PACKAGES = (
    "afterimage",
    "numpy",
    "scipy",
    "scikit-learn",
    "mne",
    "pyriemann",
    "meegkit",
    "pylsl",
    "brainflow",
    "onnxruntime",
)


def versions() -> dict[str, str]:
    """Versions of everything that can change an answer."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def source_fields(info: StreamInfo, sfreq_effective_hz: float) -> dict[str, Any]:
    """The `source` entry."""
    return {
        "name": info.name,
        "n_channels": info.n_channels,
        "sfreq_nominal_hz": info.sfreq_hz,
        "sfreq_effective_hz": sfreq_effective_hz,
        "unit": info.unit,
    }


def stream_fields(session: Session) -> dict[str, Any]:
    """What `info`, `replay` and `live` have in common."""
    acquisition, aligner = session.acquisition, session.acquisition.aligner
    origin_s = first_sample_s(session)
    gaps = [
        {"start_s": b.start_s - origin_s, "stop_s": b.stop_s - origin_s, "n_lost": b.n_lost}
        for b in aligner.boundaries
        if b.kind is BoundaryKind.GAP or (b.kind is BoundaryKind.RESET and b.n_lost > 0)
    ]
    resets = [
        {"at_s": b.stop_s - origin_s, "jump_s": b.jump_s} for b in aligner.boundaries if b.kind is BoundaryKind.RESET
    ]
    return {
        "source": source_fields(acquisition.info, aligner.sfreq_effective_hz),
        "samples_received": acquisition.n_received,
        "samples_lost": aligner.n_lost,
        "gaps": gaps,
        "clock_resets": resets,
        "markers": dict(session.scorer.marker_counts),
        "warnings": warnings(session),
        "simulated": acquisition.info.simulated,
        "versions": versions(),
    }


def first_sample_s(session: Session) -> float:
    """The time of the first sample, the origin of all times in a report; 0 when there was none."""
    boundaries = session.acquisition.aligner.boundaries
    return boundaries[0].stop_s if boundaries else 0.0


def run_fields(session: Session) -> dict[str, Any]:
    """What `replay` and `live` add: epochs, latency, decisions, and how they compare with the labels."""
    fields: dict[str, Any] = {
        "epochs": {"accepted": session.n_accepted, "rejected": dict(session.rejected)},
        "latency_ms": session.ledger.summary_ms(),
        "decisions": decision_fields(session),
    }
    if session.loop is not None:
        fields["group_delay_ms"] = {name: 1e3 * delay for name, delay in session.loop.group_delays_s.items()}
    if session.decoder is not None:
        fields["accuracy"] = accuracy_fields(session)
    if isinstance(session.decoder, AnytimeSubjectDecoder):
        fields["runtime"] = runtime_fields(session.decoder)
    if session.windows is not None:
        fields["turns"] = turn_fields(session)
        fields["tables"] = stage_tables(fields["accuracy"] or {})
    return fields


def runtime_fields(decoder: AnytimeSubjectDecoder) -> dict[str, Any]:
    """What runs the network, and why none of the runtimes that stood before it."""
    return {"chosen": str(decoder.runtime.describe()), "passed_over": dict(decoder.choice.passed_over)}


def turn_fields(session: Session) -> dict[str, Any]:
    """What became of the turns of accepted pictures: decoded whole, lost for a reason, or never begun.

    `skipped` counts refined answers that a slow decoder left out.
    """
    lost = sum(session.turns_lost.values())
    none = session.n_accepted - session.n_turns - lost
    skipped = session.loop.n_skipped if session.loop else 0
    return {"whole": session.n_turns, "lost": dict(session.turns_lost), "none": none, "skipped": skipped}


def decision_fields(session: Session) -> list[dict[str, Any]]:
    """The `decisions` entry, one dictionary a decision."""
    origin_s, truth = first_sample_s(session), session.scorer.truth
    return [{**_decision(d, origin_s, truth), **of_two_streams(d)} for d in session.decisions]


def _decision(decision: Decision, origin_s: float, truth: Mapping[int, str]) -> dict[str, Any]:
    return {
        "trial": decision.trial,
        "stage": decision.stage,
        "onset_s": decision.onset_s - origin_s,
        "window_stop_s": decision.window_stop_s - origin_s,
        "decided_s": decision.decided_s - origin_s,
        "true": truth.get(decision.trial),
        "top": decision.top,
        "probabilities": dict(zip(decision.classes, decision.probabilities, strict=True)),
        "took_ms": dict(decision.took_ms),
    }


def warnings(session: Session) -> list[str]:
    """Everything a reader of the report must know, worst first, each once."""
    acquisition, aligner = session.acquisition, session.acquisition.aligner
    said: list[str] = list(dict.fromkeys(e.text for e in session.events if e.kind not in WELCOME))
    dropped = sum(session.event_counts.values()) - len(session.events)
    if dropped > 0:
        said.append(f"{dropped} older events are not listed")
    said += [text for text in (aligner.rate_warning, *_stamp_warnings(aligner)) if text]
    if session.setup.off:
        said.append(session.setup.off)
    if session.loop is not None and session.loop.n_overrun:
        said.append(f"decoding fell behind and skipped {session.loop.n_overrun} samples")
    if session.loop is not None and session.loop.n_skipped:
        said.append(
            f"decoding fell behind: {session.loop.n_skipped} refined answers were left out for newer ones of their "
            "trials; a replay gives them all"
        )
    if acquisition.info.simulated:
        said.append("simulated: nothing here was measured on a person")
    said += [f"worker {w.name} died: {w.traceback.strip().splitlines()[-1]}" for w in _failed(session)]
    return said


def _stamp_warnings(aligner: Aligner) -> list[str]:
    said = []
    if aligner.n_backward:
        said.append(f"time stamps ran backward {aligner.n_backward} times; sample times do not follow them")
    if aligner.n_unstamped:
        said.append(f"{aligner.n_unstamped} samples came without a usable time stamp and were placed by their count")
    return said


def _failed(session: Session) -> Sequence[Any]:
    return [w.health for w in session.workers if w.health.traceback]


def marker_table(counts: Mapping[str, int], limit: int = 12) -> str:
    """The most frequent labels in one line."""
    common = Counter(counts).most_common(limit)
    text = ", ".join(f"{label} x{n}" for label, n in common)
    return text + (f" and {len(counts) - limit} more" if len(counts) > limit else "")


def figures(session: Session) -> ReportFigures | None:
    """Arrays for the report's pictures; None when nothing was filtered."""
    if session.loop is None:
        return None
    chain, epoch = session.loop.chain, session.setup.epoch
    return ReportFigures(
        channels=chain.channels,
        evoked=session.evoked if epoch else (),
        sfreq_hz=chain.sfreq_hz,
        tmin_s=-epoch.onset_index(chain.sfreq_hz) / chain.sfreq_hz if epoch else 0.0,
        group_delay_s=chain.group_delay_s,
        positions_m={n: p for n, p in zip(chain.eeg_names, chain.positions, strict=True) if p is not None},
        quality=chain.monitor.channels,
    )
