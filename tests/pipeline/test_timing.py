import numpy as np
import pytest

from pipeline.timing import CAPACITY, Ledger


def test_the_summary_is_in_milliseconds_and_counts_everything() -> None:
    ledger = Ledger()
    values = np.linspace(0.001, 0.1, 1000)
    for value in values:
        ledger.add("decode", value)
    summary = ledger.summary_ms()["decode"]
    assert summary["median"] == pytest.approx(np.median(values) * 1e3)
    assert summary["p99"] == pytest.approx(np.percentile(values, 99) * 1e3)
    assert (summary["max"], summary["n"]) == (pytest.approx(100.0), 1000)


def test_a_long_session_does_not_grow_the_ledger() -> None:
    ledger = Ledger()
    for i in range(CAPACITY + 10):
        ledger.add("filter", float(i >= CAPACITY))
    summary = ledger.summary_ms()["filter"]
    assert summary["n"] == CAPACITY + 10
    assert summary["max"] == 1000.0
