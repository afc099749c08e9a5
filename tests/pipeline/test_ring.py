import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import Overrun
from pipeline.ring import Ring


def numbered(start, n, n_channels=2):
    """Samples that know their own number: channel c of sample i holds i + c / 10."""
    i = np.arange(start, start + n, dtype=float)
    return i + np.arange(n_channels)[:, None] / 10, i / 100


def test_a_window_comes_back_as_it_was_written_across_the_wrap():
    ring = Ring(2, 10)
    for start in range(0, 28, 7):
        ring.write(*numbered(start, 7))
    data, times = ring.view(18, 28)
    np.testing.assert_array_equal(data, numbered(18, 10)[0])
    np.testing.assert_array_equal(times, numbered(18, 10)[1])


@settings(max_examples=60, deadline=None)
@given(capacity=st.integers(1, 20), sizes=st.lists(st.integers(0, 50), max_size=12))
def test_whatever_the_chunks_the_last_capacity_samples_are_readable_and_no_older_one(capacity, sizes):
    ring = Ring(2, capacity)
    for n in sizes:
        ring.write(*numbered(ring.written, n))
    total = sum(sizes)
    assert ring.written == total
    first = max(0, total - capacity)
    data, times = ring.view(first, total)
    np.testing.assert_array_equal(data, numbered(first, total - first)[0])
    np.testing.assert_array_equal(times, numbered(first, total - first)[1])
    if first > 0:
        with pytest.raises(Overrun) as lost:
            ring.view(first - 1, total)
        assert lost.value.n_lost == 1


def test_a_view_is_read_only_and_copies_nothing():
    ring = Ring(2, 10)
    ring.write(*numbered(0, 10))
    data, times = ring.view(2, 8)
    assert data.base is not None
    assert times.base is not None
    with pytest.raises(ValueError, match="read-only"):
        data[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        times[0] = 1.0
    ring.write(*numbered(10, 3))
    assert data[0, 0] == 12.0, "the view shows the ring itself"


def test_check_tells_when_a_view_was_overwritten_and_how_many_samples_are_gone():
    ring = Ring(2, 10)
    ring.write(*numbered(0, 10))
    ring.view(2, 8)
    ring.write(*numbered(10, 2))
    ring.check(2)
    ring.write(*numbered(12, 3))
    with pytest.raises(Overrun) as lost:
        ring.check(2)
    assert lost.value.n_lost == 3


def test_samples_not_yet_written_are_refused():
    ring = Ring(2, 10)
    ring.write(*numbered(0, 4))
    with pytest.raises(ValueError, match="0 to 4 are written"):
        ring.view(0, 5)
    with pytest.raises(ValueError, match="asked for"):
        ring.view(3, 2)


def test_data_that_does_not_fit_is_refused_and_changes_nothing():
    ring = Ring(2, 10)
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        ring.write(np.zeros((3, 3)), np.zeros(3))
    assert ring.written == 0
    with pytest.raises(ValueError, match="at least 1"):
        Ring(0, 10)


def test_the_counter_goes_on_past_32_bits():
    ring = Ring(1, 8)
    ring._announced = ring._written = 2**32 - 3
    ring.write(*numbered(2**32 - 3, 6, 1))
    data, _ = ring.view(2**32 - 3, 2**32 + 3)
    assert data[0, -1] == 2**32 + 2


def test_readers_beside_a_fast_writer_never_accept_a_torn_window():
    ring = Ring(8, 4096)
    done = threading.Event()
    accepted, refused, torn = [0] * 2, [0] * 2, []

    def read(who, length):
        while not done.is_set() or accepted[who] == 0:
            start = ring.oldest if who == 0 else max(ring.oldest, ring.written - length)
            try:
                stop = min(start + length, ring.written)
                data, times = (part.copy() for part in ring.view(start, stop))
                ring.check(start)
            except Overrun:
                refused[who] += 1
                continue
            accepted[who] += 1
            expected = np.arange(start, stop, dtype=float)
            if not (np.array_equal(times, expected) and np.array_equal(data, np.tile(expected, (8, 1)))):
                torn.append((who, start))

    readers = [threading.Thread(target=read, args=(0, 4096)), threading.Thread(target=read, args=(1, 512))]
    for reader in readers:
        reader.start()
    rng = np.random.default_rng(1)
    while ring.written < 3_000_000 or 0 in accepted:
        i = np.arange(ring.written, ring.written + int(rng.integers(1, 3000)), dtype=float)
        ring.write(np.tile(i, (8, 1)), i)
    done.set()
    for reader in readers:
        reader.join(20)
    assert torn == []
    assert min(accepted) > 0
    assert refused[0] > 0, "the reader at the oldest edge must have met the writer"
