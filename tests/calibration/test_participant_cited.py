"""The finished EEG, measured as a person's would be, against what the literature says (calibration/brain/cited.py)."""

from dataclasses import replace

import numpy as np
import pytest

from calibration.brain.cited import PICTURE_DEG, RANGES
from calibration.participant import ELECTRODES
from pipeline.simulated.artefacts import BLINK_S
from pipeline.simulation import Player, Shown
from tests.calibration import measured

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def measures():
    found = [measured.everything(seed) for seed in SEEDS]
    return {name: np.array([one[name] for one in found]) for name in found[0]}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", RANGES)
def test_every_measure_lies_where_the_literature_has_it(measures, name):
    (low, high), (mean_low, mean_high) = RANGES[name].each, RANGES[name].mean
    assert (low <= measures[name]).all() and (measures[name] <= high).all(), measures[name]
    assert mean_low <= measures[name].mean() <= mean_high, measures[name]


@pytest.mark.slow
def test_without_coupling_the_index_is_what_chance_gives():
    person = measured.person(1)
    flat = replace(person, rhythms=replace(person.rhythms, depth=np.zeros_like(person.rhythms.depth)))
    index, chance = measured.coupling(measured.of(flat, [], 240))
    assert 0.4 < index / chance < RANGES["coupling over chance"].each[0]


def test_turning_the_eyes_moves_the_frontal_electrodes_by_what_a_degree_is_worth():
    gaze = measured.person(1).eyes.gaze_uv
    across = gaze[ELECTRODES.index("F8")] - gaze[ELECTRODES.index("F7")]
    assert 10 < across[0] < 20 and abs(across[1]) < 0.3 * across[0]
    up = gaze[[ELECTRODES.index(e) for e in ("Fp1", "Fp2")], 1] - gaze[ELECTRODES.index("Oz"), 1]
    assert (up > 3).all() and (up < 12).all()


def test_pursuit_stays_within_what_an_object_of_this_size_asks_for():
    turns = [r for label, r in measured.person(1).evoked.responses.items() if label.startswith("turn/")]
    sizes_deg = [np.ptp(turn.gaze_deg[0]) for turn in turns]
    assert 0.02 < np.median(sizes_deg) < 0.2 * PICTURE_DEG and max(sizes_deg) < PICTURE_DEG / 2


def test_over_an_hour_alpha_rises_blinks_come_more_often_and_answers_weaken():
    fatigue = measured.person(1).fatigue
    tired = fatigue.at(3600)
    assert 0.1 < fatigue.alpha_rise * tired < 0.3  # Trejo et al. 2015: 44 % of power, 20 % of amplitude
    assert 0.2 < fatigue.blink_rise * tired < 0.6 and 0.05 < fatigue.evoked_fall * tired < 0.25


@pytest.mark.slow
def test_electrodes_go_bad_and_recover_a_few_times_an_hour():
    person = measured.person(2)
    data = Player(person, run=5).next(250 * 900).astype(float)
    seconds = data[:, : 250 * 900].reshape(64, 900, 250)
    loud = np.diff(seconds, axis=2).std(axis=2)
    bad = loud > 6 * np.median(loud)
    if (name := person.facts["bad channels"]) != "none":
        bad[ELECTRODES.index(name)] = False
    episodes = [c for c in range(64) if 2 <= bad[c].sum() <= 120]
    assert 0 < len(episodes) < 20 and not bad[:, :].all(axis=1).any()


def test_at_snr_one_a_blink_and_an_answer_are_told_apart_by_size():
    person = measured.person(1)
    answer = np.abs(person.evoked.sources_uv @ person.evoked.responses["stim/face/00"].evoked).max()
    assert np.abs(person.eyes.blink_uv).max() > 5 * answer and BLINK_S < 0.5


def test_the_right_hand_moves_the_left_of_the_head():
    onsets_s = 3.0 + 1.1 * np.arange(60)
    data = measured.recorded(1, [Shown("response/space", t) for t in onsets_s], onsets_s[-1] + 2)
    mean = measured.evoked(data, onsets_s, 0.4)
    latency_ms, size_uv = measured.peak(mean[measured.rows("C3", "CP3", "C1")].mean(axis=0), 60, 150, -1)
    assert 60 < latency_ms < 150 and -9 < size_uv < -1.0
