"""Labels live here and nowhere below: which class a marker names, and how the decisions compare with it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from engines.errors import InputError
from pipeline.types import Decision, Marker, Onset

MAX_LABELS = 10_000


class Events:
    """Which markers are trial onsets, and of which class.

    `patterns` maps a class to globs on the label; without patterns every marker is an onset and its label its class.
    """

    def __init__(self, patterns: Mapping[str, Sequence[str]] | None = None) -> None:
        self.patterns = {name: tuple(globs) for name, globs in (patterns or {}).items()}

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
    """Numbers the trials, keeps what each one truly was, and counts every marker.

    Thread: one at a time (the one that routes markers); reading any.
    """

    def __init__(self, events: Events) -> None:
        self._events = events
        self.truth: dict[int, str] = {}
        self.marker_counts: Counter[str] = Counter()
        self.last_marker_s: dict[str, float] = {}

    def take(self, marker: Marker) -> Onset | None:
        """Count a marker; return the bare onset when it begins a trial."""
        known = marker.label in self.marker_counts or len(self.marker_counts) < MAX_LABELS
        self.marker_counts[marker.label if known else "(other labels)"] += 1
        self.last_marker_s[marker.stream] = marker.time_s
        name = self._events.class_of(marker.label)
        if name is None:
            return None
        trial = len(self.truth)
        self.truth[trial] = name
        return Onset(trial, marker.time_s)

    def confusion(self, decisions: Sequence[Decision]) -> tuple[tuple[str, ...], list[list[int]]]:
        """Classes and counts[true][answered], over decisions whose truth is one of the decoder's classes."""
        classes = decisions[0].classes if decisions else ()
        index = {name: i for i, name in enumerate(classes)}
        counts = [[0] * len(classes) for _ in classes]
        for decision in decisions:
            true = self.truth.get(decision.trial)
            if true in index:
                counts[index[true]][index[decision.top]] += 1
        return classes, counts
