"""What Afterimage publishes; how its neighbours read it is in tests/neighbours."""

import json
import threading
import uuid
from collections.abc import Iterator

import numpy as np
import pylsl
import pytest

from engines.errors import InputError
from pipeline.outlets import HOLD_S, CompatibilityOutlet, DecisionOutlet, Publisher, decision_json
from pipeline.types import Channel, Decision, Kind, Nearest, StreamInfo

RATE_HZ = 250.0
INFO = StreamInfo("amp", "EEG", 2, RATE_HZ, channels=(Channel("Cz", Kind.EEG, "uV"), Channel("aux", Kind.MISC)))


def listen(source_id: str, outlet: pylsl.StreamOutlet) -> pylsl.StreamInlet:
    (found,) = pylsl.resolve_byprop("source_id", source_id, timeout=5.0)
    inlet = pylsl.StreamInlet(found)
    inlet.open_stream(5.0)
    assert outlet.wait_for_consumers(5.0)  # the inlet is open a moment before the outlet knows of it
    return inlet


@pytest.fixture
def compatible() -> Iterator[tuple[CompatibilityOutlet, pylsl.StreamInlet]]:
    source_id = f"test-{uuid.uuid4().hex[:8]}"
    outlet = CompatibilityOutlet(INFO, ["face", "house"], source_id)
    yield outlet, listen(source_id, outlet._eeg)


def times(start: int, stop: int) -> np.ndarray:
    return 1000.0 + np.arange(start, stop) / RATE_HZ


def take(inlet: pylsl.StreamInlet, n: int) -> np.ndarray:
    rows, _ = inlet.pull_chunk(timeout=5.0, max_samples=n)
    assert len(rows) == n
    return np.array(rows)


def test_a_decision_arrives_as_json_stamped_with_its_moment() -> None:
    source_id = f"test-{uuid.uuid4().hex[:8]}"
    decision = Decision(
        3, "static", 10.0, 10.8, 10.81, ("Hund", "Käse"), (0.25, 0.75), took_ms={"wait": 2.0, "decode": 8.0}
    )
    with DecisionOutlet(("Hund", "Käse"), source_id) as outlet:
        inlet = listen(source_id, outlet._outlet)
        outlet.publish(decision)
        (text,), stamp_s = inlet.pull_sample(5.0)
        assert inlet.info(5.0).desc().child("classes").child("class").child_value() == "Hund"
    assert stamp_s == 10.81
    assert json.loads(text) == {
        "trial": 3,
        "stage": "static",
        "onset_s": 10.0,
        "window_stop_s": 10.8,
        "decided_s": 10.81,
        "top": "Käse",
        "probabilities": {"Hund": 0.25, "Käse": 0.75},
        "took_ms": {"wait": 2.0, "decode": 8.0},
    }


def test_a_decision_of_two_streams_carries_its_colour_and_the_nearest_pictures() -> None:
    decision = Decision(
        *(3, "refined", 10.0, 12.5, 12.51, ("chair", "lamp"), (0.25, 0.75)),
        colours=("red", "blue"),
        colour_probabilities=(0.6, 0.4),
        nearest=(Nearest("lamp/03", 0.5), Nearest("chair/08", 0.25)),
        n_dynamic=170,
        embedding=np.ones(4),
    )
    said = json.loads(decision_json(decision))
    assert {k: said[k] for k in ("trial", "stage", "top", "n_dynamic", "colour", "colour_probabilities")} == {
        "trial": 3,
        "stage": "refined",
        "top": "lamp",
        "n_dynamic": 170,
        "colour": "red",
        "colour_probabilities": {"red": 0.6, "blue": 0.4},
    }
    assert said["nearest"] == [{"key": "lamp/03", "similarity": 0.5}, {"key": "chair/08", "similarity": 0.25}]
    assert "embedding" not in said


def test_publishing_happens_in_a_thread_of_its_own_and_in_order() -> None:
    done: list[tuple[int, str]] = []
    publisher = Publisher()
    publisher.start()
    for k in range(100):
        publisher.submit(lambda k=k: done.append((k, threading.current_thread().name)))
    publisher.stop()
    assert [k for k, _ in done] == list(range(100))
    assert "afterimage-publish" in {name for _, name in done}


def test_a_marker_that_comes_after_its_sample_still_finds_it(
    compatible: tuple[CompatibilityOutlet, pylsl.StreamInlet],
) -> None:
    outlet, inlet = compatible
    data_uv = np.arange(100.0).reshape(2, 50)
    outlet.push(data_uv[:, :20], times(0, 20))
    outlet.mark("house", 1000.0 + 7 / RATE_HZ + 0.001)
    outlet.push(data_uv[:, 20:], times(20, 50))
    outlet.flush()
    rows = take(inlet, 50)
    np.testing.assert_array_equal(rows[:, 0], data_uv[0] * 1e-6)
    np.testing.assert_array_equal(rows[:, 1], data_uv[1])
    np.testing.assert_array_equal(np.flatnonzero(rows[:, 2]), [7, 8])
    assert rows[7, 2] == 2
    assert outlet.n_late == 0


def test_a_marker_that_comes_too_late_goes_on_the_next_sample_and_counts(
    compatible: tuple[CompatibilityOutlet, pylsl.StreamInlet],
) -> None:
    outlet, inlet = compatible
    n_held = round(HOLD_S * RATE_HZ)
    for start in range(0, 100, 10):
        outlet.push(np.zeros((2, 10)), times(start, start + 10))
    outlet.mark("face", float(times(3, 4)[0]))
    outlet.flush()
    rows = take(inlet, 100)
    assert outlet.n_late == 1
    assert np.flatnonzero(rows[:, 2])[0] >= 100 - n_held - 10


def test_a_pulse_goes_on_over_the_border_of_two_chunks(
    compatible: tuple[CompatibilityOutlet, pylsl.StreamInlet],
) -> None:
    outlet, inlet = compatible
    outlet.push(np.zeros((2, 10)), times(0, 10))
    outlet.push(np.zeros((2, 10)), times(10, 20))
    outlet.mark("face", float(times(9, 10)[0]))
    outlet.flush()
    np.testing.assert_array_equal(np.flatnonzero(take(inlet, 20)[:, 2]), [9, 10])


def test_a_label_without_a_code_is_counted_and_sends_nothing(
    compatible: tuple[CompatibilityOutlet, pylsl.StreamInlet],
) -> None:
    outlet, inlet = compatible
    outlet.mark("tree", 1000.0)
    outlet.push(np.zeros((2, 10)), times(0, 10))
    outlet.flush()
    assert outlet.n_unknown == 1
    assert not take(inlet, 10)[:, 2].any()


def test_repeated_or_missing_labels_are_refused() -> None:
    for labels in ([], ["face", "face"]):
        with pytest.raises(InputError, match="different"):
            CompatibilityOutlet(INFO, labels)
