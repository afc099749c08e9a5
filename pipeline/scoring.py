"""Labels live here and nowhere below: which class a marker names, and how the decisions compare with it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase

import numpy as np

from engines.errors import InputError
from pipeline.types import Decision, Marker, Onset

MAX_LABELS = 10_000
TINY = 1e-12
# A turn belongs to the picture before it when it begins this soon after.
TURN_WITHIN_S = 10.0

# From a marker's label to the number of the colour that was shown; None where nobody knows.
ColourOf = Callable[[str], int | None]


class Events:
    """Which markers are onsets, and of which class.

    `patterns` maps a class to globs on the label; without patterns every marker is an onset and its label its class.
    `trial_start` is a glob on the markers that begin a trial of several windows; without it every onset is a trial.
    `turn` is a glob on the markers with which the object of a picture begins to turn; with it every onset is the static
    part of a trial. `colour_of` says which colour an onset's label names.
    """

    def __init__(
        self,
        patterns: Mapping[str, Sequence[str]] | None = None,
        trial_start: str | None = None,
        turn: str | None = None,
        colour_of: ColourOf | None = None,
    ) -> None:
        self.patterns = {name: tuple(globs) for name, globs in (patterns or {}).items()}
        self._trial_start = trial_start
        self._turn = turn
        self.colour_of: ColourOf = colour_of or (lambda _: None)
        self.part = "single" if turn is None else "static"

    def begins_trial(self, label: str) -> bool:
        """True when a marker begins a trial of several windows."""
        return self._trial_start is not None and fnmatchcase(label, self._trial_start)

    def is_turn(self, label: str) -> bool:
        """True when a marker says that the object begins to turn."""
        return self._turn is not None and fnmatchcase(label, self._turn)

    def class_of(self, label: str) -> str | None:
        """The class a label names, or None when it is no trial onset.

        Raises:
            InputError: patterns of two classes match the same label.
        """
        if not self.patterns:
            return label
        found = [name for name, globs in self.patterns.items() if any(fnmatchcase(label, g) for g in globs)]
        if len(found) > 1:
            raise InputError(f"the label {label!r} matches the patterns of {' and '.join(found)}; make them exclusive")
        return found[0] if found else None


class Scorer:
    """Numbers the onsets, keeps what each one truly was, and counts every marker.

    `truth`, `labels`, `colour_truth` and `trial_of` go by the onset's number; `labels` are the markers' own,
    `colour_truth` holds those of known colour, `trial_of` onsets of trials with several windows only.

    Thread: one at a time (the one that routes markers); reading any.
    """

    def __init__(self, events: Events) -> None:
        self._events = events
        self.truth: dict[int, str] = {}
        self.labels: dict[int, str] = {}
        self.colour_truth: dict[int, int] = {}
        self._picture: Onset | None = None
        self.trial_of: dict[int, int] = {}
        self._n_begun = 0
        self.marker_counts: Counter[str] = Counter()
        self.last_marker_s: dict[str, float] = {}

    def take(self, marker: Marker) -> Onset | None:
        """Count a marker; return the bare onset when it begins a trial or the turn of one."""
        known = marker.label in self.marker_counts or len(self.marker_counts) < MAX_LABELS
        self.marker_counts[marker.label if known else "(other labels)"] += 1
        self.last_marker_s[marker.stream] = marker.time_s
        self._n_begun += self._events.begins_trial(marker.label)
        if self._events.is_turn(marker.label):
            return self._turned(marker.time_s)
        name = self._events.class_of(marker.label)
        return None if name is None else self._began(marker, name)

    def _began(self, marker: Marker, name: str) -> Onset:
        trial = len(self.truth)
        self.truth[trial] = name
        self.labels[trial] = marker.label
        colour = self._events.colour_of(marker.label)
        if colour is not None:
            self.colour_truth[trial] = colour
        if self._n_begun:
            self.trial_of[trial] = self._n_begun
        self._picture = Onset(trial, marker.time_s, self._events.part)
        return self._picture

    def _turned(self, time_s: float) -> Onset | None:
        """The turn of the newest picture, when it has none yet and was there just before."""
        picture, self._picture = self._picture, None
        if picture is None or not 0 <= time_s - picture.time_s <= TURN_WITHIN_S:
            return None
        return Onset(picture.trial, time_s, "dynamic")

    def scored(self, decisions: Sequence[Decision], trial_of: Mapping[int, int] | None = None) -> list[tuple[str, str]]:
        """(true, answered) of every trial whose truth is one of the decoder's classes.

        Of several answers to one onset the last counts. `trial_of` says which onsets are one trial; None: what the
        markers said. A trial of several windows counts once: its answer is the class with the largest mean log
        probability. Windows that name another class than the first of their trial are a fault of the paradigm and left
        out.
        """
        trial_of = self.trial_of if trial_of is None else trial_of
        groups: dict[tuple[str, int], list[Decision]] = {}
        for decision in last_of_each(decisions):
            if self.truth.get(decision.trial) in decision.classes:
                group = trial_of.get(decision.trial)
                key = ("trial", group) if group is not None else ("onset", decision.trial)
                groups.setdefault(key, []).append(decision)
        return [self._answer(windows) for windows in groups.values()]

    def _answer(self, windows: Sequence[Decision]) -> tuple[str, str]:
        true = self.truth[windows[0].trial]
        agreeing = [d.probabilities for d in windows if self.truth[d.trial] == true]
        mean = np.log(np.maximum(agreeing, TINY)).mean(axis=0)
        return true, windows[0].classes[int(np.argmax(mean))]

    def scored_colours(self, decisions: Sequence[Decision]) -> list[tuple[str, str]]:
        """(true, answered) colour of every onset whose colour is known and was decoded, by the last answer to it."""
        return [
            (d.colours[self.colour_truth[d.trial]], d.top_colour)
            for d in last_of_each(decisions)
            if d.trial in self.colour_truth and d.top_colour is not None
        ]


def last_of_each(decisions: Sequence[Decision]) -> list[Decision]:
    """The last answer to every onset, in the order of the first."""
    return list({d.trial: d for d in decisions}.values())


def by_progress(decisions: Sequence[Decision]) -> dict[tuple[str, int], list[Decision]]:
    """Decisions by stage and samples of the turn seen, least first."""
    found: dict[tuple[str, int], list[Decision]] = {}
    for decision in sorted(decisions, key=lambda d: d.n_dynamic):
        found.setdefault((decision.stage, decision.n_dynamic), []).append(decision)
    return found
