from dataclasses import replace

import numpy as np
import pytest

from calibration.decoding.cut import ANOTHER_TURNED, NO_TURN, cut
from calibration.defaults import default_chain
from calibration.objects.catalogue import CATEGORIES
from calibration.simulate import plan
from calibration.stimuli import Item
from pipeline.anytime import Windows
from pipeline.sources.played import PlayedSource
from pipeline.types import EegChunk
from tests.calibration.decoding.conftest import SMALL


@pytest.fixture(scope="module")
def performance():
    """Five trials of two categories."""
    return plan(replace(SMALL.of(9, 0), minutes=0.9))


def cut_of(performance, source=PlayedSource):
    made = source(performance)
    return cut(lambda: made, default_chain(made.info), Windows())


def relabelled(performance, change):
    shown = tuple(replace(s, label=change(s.label)) for s in performance.shown)
    return replace(performance, shown=tuple(s for s in shown if s.label))


def swapped(label):
    """Every picture and turn with the other category's name."""
    one, other = CATEGORIES[:2]
    kind, *names = label.split("/")
    return "/".join([kind, *({one: other, other: one}.get(name, name) for name in names)])


def arrays(recording):
    return np.concatenate([np.hstack([trial.static, trial.dynamic]).ravel() for trial in recording.trials])


def test_a_trial_is_a_picture_and_the_turn_after_it(performance):
    recording = cut_of(performance)
    labels = [s.label for s in performance.shown]
    shown = [label.removeprefix("stim/") for label in labels if label.startswith("stim/")]
    # The last turn goes beyond the end.
    assert [trial.item.key for trial in recording.trials] == shown[: len(recording.trials)]
    assert len(recording.trials) == len(shown) - sum(recording.rejected.values()) >= 4
    assert recording.trials[0].static.shape == (64, 250) and recording.trials[0].dynamic.shape == (64, 600)
    assert recording.trials[0].static.dtype == np.float32


def test_without_a_signal_the_epochs_are_the_same_whatever_is_shown(performance):
    silent = replace(performance, snr=0.0)
    first, second = cut_of(silent), cut_of(relabelled(silent, swapped))
    assert [t.item for t in first.trials] != [t.item for t in second.trials]
    assert np.array_equal(arrays(first), arrays(second))
    assert not np.array_equal(arrays(cut_of(performance)), arrays(cut_of(relabelled(performance, swapped))))


def test_a_picture_without_a_turn_is_counted(performance):
    (first, *_) = cut_of(performance).trials
    lonely = relabelled(performance, lambda label: "" if label == f"turn/{first.item.key}" else label)
    recording = cut_of(lonely)
    assert recording.rejected[NO_TURN] == 1
    assert recording.trials[0].item != first.item or recording.trials[0].onset_s > first.onset_s


def test_the_turn_of_another_object_is_no_trial(performance):
    (first, *_) = cut_of(performance).trials
    other = relabelled(performance, lambda label: "turn/face/99" if label == f"turn/{first.item.key}" else label)
    recording = cut_of(other)
    assert recording.rejected[ANOTHER_TURNED] == 1
    assert Item("face", "99") not in [trial.item for trial in recording.trials]


class Gap(PlayedSource):
    """Loses a second of samples from `at_s` on."""

    at_s_lost = 0.0

    def read(self, timeout_s):
        at_s = self.at_s
        items = super().read(timeout_s)
        return [i for i in items if not isinstance(i, EegChunk)] if at_s == self.at_s_lost else items


@pytest.mark.parametrize(("after_s", "part"), [(-1.0, "picture"), (4.0, "turn")])
def test_windows_with_a_gap_are_counted_by_part(performance, after_s, part):
    second = cut_of(performance).trials[1]

    class Here(Gap):
        at_s_lost = np.floor(second.onset_s - 1000.0 + after_s)

    recording = cut_of(performance, Here)
    assert any(reason.startswith(f"{part}: ") for reason in recording.rejected), recording.rejected
    assert second.onset_s not in [trial.onset_s for trial in recording.trials]
