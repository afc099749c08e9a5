import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.trigger import BIOSEMI_BITS, Edge, TriggerConfig, TriggerReader


def read(values, config=None, sizes=None, sfreq_hz=100.0):
    """(label, sample) of every marker; the stamp must be that of the sample."""
    values = np.asarray(values)
    stamps_s = 7.0 + np.arange(len(values)) / sfreq_hz
    reader = TriggerReader(config or TriggerConfig(), sfreq_hz)
    found, at = [], 0
    for n in sizes or [len(values)]:
        found += reader.push(values[at : at + n], stamps_s[at : at + n])
        at += n
    assert all(t.stamp_s == stamps_s[t.sample] for t in found)
    return [(t.label, t.sample) for t in found]


PULSES = [0, 0, 5, 5, 0, 0, 9, 3, 0]


@pytest.mark.parametrize(
    ("edge", "expected"),
    [
        (Edge.RISING, [("5", 2), ("9", 6), ("3", 7)]),
        (Edge.FALLING, [("5", 4), ("3", 8)]),
        (Edge.BOTH, [("5", 2), ("5", 4), ("9", 6), ("3", 7), ("3", 8)]),
        (Edge.CHANGE, [("5", 2), ("0", 4), ("9", 6), ("3", 7), ("0", 8)]),
    ],
)
def test_each_edge_marks_its_transitions(edge, expected):
    assert read(PULSES, TriggerConfig(edge=edge)) == expected


def test_only_the_chosen_bits_count():
    assert read([0x100, 0x105, 0x205, 0x204, 0x200], TriggerConfig(bits=0x0F)) == [("5", 1), ("4", 3)]


def test_biosemi_status_bits_above_the_trigger_lines_are_no_markers():
    status = np.array([0x580000, 0x580000, 0x480000, 0x48000A, 0x58000A, 0x580000, -0x800000 + 0x14], dtype=np.int32)
    assert read(status, TriggerConfig(bits=BIOSEMI_BITS)) == [("10", 3), ("20", 6)]


def test_floats_are_rounded_and_missing_values_repeat_the_one_before():
    assert read([0.1, 4.9, np.nan, 5.2, np.inf, 0.0, np.nan, 7.0]) == [("5", 1), ("7", 7)]


def test_lines_that_rest_high_need_their_baseline():
    values = [255, 255, 17, 17, 255, 18]
    assert read(values, TriggerConfig(baseline=255)) == [("17", 2), ("18", 5)]
    assert read(values, TriggerConfig(baseline=None)) == [("17", 2), ("18", 5)]


def test_what_the_channel_shows_first_is_no_event():
    assert read([5, 5, 0, 5]) == [("5", 3)]


def test_lines_that_switch_a_sample_apart_give_one_marker_with_the_final_value():
    config = TriggerConfig(debounce_s=0.03)
    assert read([0] * 5 + [1] + [3] * 6 + [2] + [0] * 5, config) == [("3", 6)]


def test_glitches_shorter_than_the_debounce_are_nothing():
    config = TriggerConfig(debounce_s=0.03, edge=Edge.BOTH)
    assert read([0] * 4 + [8, 8] + [0] * 4 + [6] * 4 + [0] + [6] * 4 + [0] * 4, config) == [("6", 10), ("6", 19)]


@settings(max_examples=150, deadline=None)
@given(
    values=st.lists(st.sampled_from([0, 0, 0, 1, 2, 255, float("nan")]), min_size=1, max_size=80),
    edge=st.sampled_from(list(Edge)),
    debounce_s=st.sampled_from([0.0, 0.02, 0.05]),
    baseline=st.sampled_from([0, 255, None]),
    data=st.data(),
)
def test_the_markers_do_not_depend_on_the_chunks(values, edge, debounce_s, baseline, data):
    config = TriggerConfig(edge=edge, debounce_s=debounce_s, baseline=baseline)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(values)), max_size=20)) | {0, len(values)})
    sizes = np.diff(cuts).tolist()
    whole = read(values, config)
    assert read(values, config, sizes) == whole
    assert read(values, config, [1] * len(values)) == whole


def test_a_value_that_began_within_a_gap_is_no_marker_but_is_counted():
    reader = TriggerReader(TriggerConfig(), 100.0)
    stamps_s = np.arange(4) / 100
    assert reader.push(np.array([0, 0, 0, 0]), stamps_s) == []
    reader.gap()
    assert reader.push(np.array([5, 5, 0, 5]), stamps_s + 1)[0].sample == 7
    assert reader.n_unknown == 1


def test_the_same_value_on_both_sides_of_a_gap_is_nothing():
    reader = TriggerReader(TriggerConfig(), 100.0)
    stamps_s = np.arange(3) / 100
    assert [t.label for t in reader.push(np.array([0, 5, 5]), stamps_s)] == ["5"]
    reader.gap()
    assert reader.push(np.array([5, 5, 0]), stamps_s + 1) == []
    assert reader.n_unknown == 0


def test_the_debounce_does_not_count_samples_across_a_gap():
    reader = TriggerReader(TriggerConfig(debounce_s=0.04, edge=Edge.CHANGE), 100.0)
    stamps_s = np.arange(8) / 100
    assert reader.push(np.array([0, 0, 0, 0, 0, 5, 5, 5]), stamps_s) == []
    reader.gap()
    assert reader.push(np.array([5, 0, 0, 0, 0, 0, 0, 0]), stamps_s) == []


def test_calls_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="debounce"):
        TriggerReader(TriggerConfig(debounce_s=-1.0), 100.0)
    with pytest.raises(ValueError, match="n stamps"):
        TriggerReader(TriggerConfig(), 100.0).push(np.zeros(3), np.zeros(2))
