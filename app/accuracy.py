"""How a session's answers compare with the labels: balanced accuracy with interval and chance, by stage, of colours."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from calibration.folds import runs_are_trials
from calibration.stats import Labels, balanced_accuracy, confusion, pooled_interval
from pipeline.anytime import Windows
from pipeline.scoring import by_progress
from pipeline.session import Session

Pairs = Sequence[tuple[str, str]]


def accuracy_fields(session: Session) -> dict[str, Any] | None:
    """The `accuracy` entry; None without labels. Every trial counts once, by its last answer.

    With a decoder of two streams, `by_stage` tells how good the answers were that had seen so much of the turn, and
    `colour` how good the colours were where they are known.
    """
    scored = session.scorer.scored(session.decisions, _trials(session))
    if not scored:
        return None
    fields = _compared(scored, session.decisions[0].classes)
    if session.windows is not None:
        fields["by_stage"] = _by_stage(session, session.windows)
        if colours := session.scorer.scored_colours(session.decisions):
            fields["colour"] = _compared(colours, session.decisions[0].colours)
    return fields


def stage_tables(accuracy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`by_stage` and `colour` for the page."""
    rows = [[row["stage"], f"{row['seen_s']:g}", *_cells(row)] for row in accuracy.get("by_stage", ())]
    head = ["balanced accuracy", "95 % interval", "chance", "trials"]
    tables = []
    if rows:
        tables.append(
            {
                "title": "Accuracy as the object turns",
                "head": ["stage", "turn seen, s", *head],
                "rows": rows,
                "n_text": 1,
            }
        )
    if colour := accuracy.get("colour"):
        tables.append({"title": "Colour", "head": ["", *head], "rows": [["last answer", *_cells(colour)]], "n_text": 1})
    return tables


def _cells(row: Mapping[str, Any]) -> list[str]:
    low, high = row["ci95"]
    mean, low, high, chance = (f"{100 * share:.1f} %" for share in (row["mean"], low, high, row["chance"]))
    return [mean, f"{low} to {high}", chance, str(row["n"])]


def _by_stage(session: Session, windows: Windows) -> list[dict[str, Any]]:
    rows = []
    for (stage, n_dynamic), decisions in by_progress(session.decisions).items():
        if pairs := session.scorer.scored(decisions, {}):
            scores = _scores(*_numbers(pairs, decisions[0].classes))
            rows.append({"stage": stage, "n_dynamic": n_dynamic, "seen_s": windows.seen_s(n_dynamic), **scores})
    return rows


def _compared(pairs: Pairs, classes: Sequence[str]) -> dict[str, Any]:
    numbers = _numbers(pairs, classes)
    return {
        "metric": "balanced accuracy",
        **_scores(*numbers),
        "classes": list(classes),
        "confusion": confusion(*numbers).tolist(),
    }


def _numbers(pairs: Pairs, classes: Sequence[str]) -> tuple[Labels, Labels, int]:
    true, answered = (np.array([classes.index(pair[i]) for pair in pairs]) for i in (0, 1))
    return true, answered, len(classes)


def _scores(true: Labels, answered: Labels, n_classes: int) -> dict[str, Any]:
    return {
        "mean": balanced_accuracy(true, answered, n_classes),
        "ci95": list(pooled_interval(true, answered, n_classes)),
        "chance": 1 / n_classes,
        "n": len(true),
    }


def _trials(session: Session) -> dict[int, int]:
    """Which onsets are one trial, judged as in calibration: by the markers, else by runs that no shuffled order has.

    Every picture with its turn is one already.
    """
    scorer = session.scorer
    decided = [d for d in session.decisions if scorer.truth.get(d.trial) in d.classes]
    if session.windows is not None:
        return {}
    if scorer.trial_of or not decided:
        return scorer.trial_of
    labels = np.unique([scorer.truth[d.trial] for d in decided], return_inverse=True)[1]
    onsets_s = np.array([d.onset_s for d in decided])
    if not runs_are_trials(labels, onsets_s, np.zeros(len(decided), dtype=np.int64)):
        return {}
    runs = np.cumsum(np.r_[True, np.diff(labels) != 0])
    return {d.trial: int(run) for d, run in zip(decided, runs, strict=True)}
