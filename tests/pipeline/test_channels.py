import threading

import pytest

from pipeline.channels import Latest, Lossless
from pipeline.errors import ChannelFull


def test_latest_keeps_the_newest_and_counts_the_rest() -> None:
    latest: Latest[int] = Latest()
    assert latest.get() is None
    for i in range(5):
        latest.put(i)
    assert latest.get_versioned() == (5, 4)


def test_lossless_hands_over_everything_in_order_across_threads() -> None:
    queue: Lossless[int] = Lossless(200_000)
    writer = threading.Thread(target=lambda: [queue.put(i) for i in range(100_000)])
    writer.start()
    got: list[int] = []
    while len(got) < 100_000:
        assert queue.wait(10.0)
        got += queue.take_all()
    writer.join()
    assert got == list(range(100_000))


def test_lossless_raises_in_the_writer_when_nobody_reads() -> None:
    queue: Lossless[int] = Lossless(2)
    queue.put(1)
    queue.put(2)
    with pytest.raises(ChannelFull, match="dead or too slow"):
        queue.put(3)
    assert queue.take_all() == [1, 2]
