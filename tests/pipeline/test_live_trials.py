import numpy as np
import pytest

from pipeline.coupling.values import CouplingConfig
from pipeline.live_trials import EVERY_S, LONGEST_PAUSE_S, MOST_OTHERS, TrialLoop
from pipeline.types import Array, Marker
from tests.pipeline.coupling.signals import coupled

FS = 250.0
CONFIG = CouplingConfig(dynamic_s=(0.0, 2.0))
RECORDING = coupled(1.0, 400.0, FS, n_channels=2)


def cut(start_s: float, stop_s: float) -> Array | None:
    first, n = round(start_s * FS), round((stop_s - start_s) * FS)
    return RECORDING[:, first : first + n] if first >= 0 else None


def loop(*markers: tuple[str, float]) -> TrialLoop:
    made = TrialLoop(CONFIG, FS, ("Cz", "Oz"))
    for label, time_s in markers:
        made.take(Marker(label, time_s))
    return made


def test_a_trial_with_a_second_part_waits_for_the_end_of_it() -> None:
    trials = loop(("stim/a/0", 5.0), ("turn/a/0", 6.0))
    assert trials.settled(8.2, cut) is None
    found = trials.settled(8.3, cut)
    assert found.trial == 0 and found.onset_s == 5.0
    assert found.static is None and found.n_shuffles == 0  # nothing to shuffle with yet


def test_a_trial_without_one_waits_for_the_next_trial_or_a_pause() -> None:
    trials = loop(("stim/a/0", 5.0))
    assert trials.settled(6.2, cut) is None
    trials.take(Marker("stim/b/0", 6.2))
    assert trials.settled(6.3, cut).trial == 0
    assert trials.settled(6.2 + 1.05 + LONGEST_PAUSE_S - 0.1, cut) is None
    last = trials.settled(6.2 + 1.05 + LONGEST_PAUSE_S, cut)
    assert last.trial == 1 and last.static.shape == (2,) and last.dynamic is None and last.n_shuffles == 2


def test_second_parts_without_a_first_and_markers_without_a_time_are_no_trials() -> None:
    trials = loop(("turn/a/0", 5.0), ("stim/a/0", float("nan")), ("blank", 6.0))
    assert trials.settled(100.0, cut) is None


def test_a_trial_whose_samples_are_broken_or_gone_is_left_out() -> None:
    trials = loop(("stim/a/0", 0.1), ("stim/b/0", 5.0))
    assert trials.settled(3.0, cut) is None
    assert trials.settled(30.0, cut).trial == 1


def test_trials_are_shuffled_with_some_before_them_and_no_more() -> None:
    trials, found = loop(), []
    for k in range(MOST_OTHERS + 4):
        at_s = 5.0 + 10 * k
        trials.take(Marker("stim/a/0", at_s))
        trials.take(Marker("turn/a/0", at_s + 1))
        found.append(trials.settled(at_s + 3.5, cut))
    assert [t.n_shuffles for t in found][-1] == 2 * MOST_OTHERS
    within = np.mean([t.dynamic for t in found[2:]])
    across = np.mean([t.static_to_dynamic for t in found[2:]])
    assert within > 0.01 and abs(across) < within / 3


@pytest.mark.parametrize("spacing_s", [0.1, 0.4])
def test_trials_that_come_faster_than_they_can_be_measured_are_counted(spacing_s: float) -> None:
    trials, found = loop(), []
    for k in range(50):
        at_s = 5.0 + spacing_s * k
        trials.take(Marker("stim/a/0", at_s))
        found.append(trials.settled(at_s, cut))
    measured = [t for t in found if t is not None]
    assert np.diff([t.onset_s for t in measured]).min() >= EVERY_S - 1e-9
    assert trials.n_left_out > len(measured)
