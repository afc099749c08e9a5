from dataclasses import replace

import numpy as np
import pytest

from calibration.simulate import SimulateConfig, plan
from pipeline.simulation import Player
from pipeline.sources.base import SourceEnded
from pipeline.sources.played import START_S, PlayedSource
from pipeline.types import EegChunk, MarkerChunk


@pytest.fixture(scope="module")
def performance():
    return plan(SimulateConfig(seed=4, n_categories=2, repeats=1, protocol="quick"))


def played(performance):
    source = PlayedSource(performance)
    source.open()
    items = []
    with pytest.raises(SourceEnded):
        while True:
            items += source.read(0.0)
    return source, items


def test_it_gives_the_samples_that_are_sent_live(performance):
    source, items = played(performance)
    player = Player(performance.participant)
    for shown in performance.shown:
        player.show(shown)
    data = np.concatenate([item.data for item in items if isinstance(item, EegChunk)], axis=1)
    stamps_s = np.concatenate([item.stamps_s for item in items if isinstance(item, EegChunk)])
    assert data.shape[1] == round(performance.stop_s * source.info.sfreq_hz)
    assert np.array_equal(data, player.next(data.shape[1]))
    assert np.array_equal(stamps_s, START_S + np.arange(data.shape[1]) / 250)
    assert source.share == 1.0


def test_markers_come_before_the_samples_they_fall_among(performance):
    source, items = played(performance)
    newest_s = START_S
    found = []
    for item in items:
        if isinstance(item, MarkerChunk):
            assert item.stream in source.marker_streams
            assert item.stamps_s[0] > newest_s or item.stamps_s[0] == START_S
            found += zip(item.labels, item.stamps_s, strict=True)
        else:
            newest_s = item.stamps_s[-1]
    assert found == [(s.label, START_S + s.at_s) for s in performance.shown]


def test_a_performance_without_an_end_is_refused(performance):
    with pytest.raises(ValueError, match="ends"):
        PlayedSource(replace(performance, stop_s=None))
