import threading
from dataclasses import replace

import numpy as np
import pytest
import pyxdf

from calibration.simulate import SimulateConfig, plan, simulate, to_file
from engines.errors import InputError
from pipeline.errors import RecordingFailed
from pipeline.simulation import Player

SHORT = SimulateConfig(seed=2, n_categories=3, repeats=2, protocol="quick")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("sim") / "sim.xdf"
    shares: list[float] = []
    to_file(SHORT, path, shares.append)
    return path, shares


def test_the_file_holds_both_streams_as_pyxdf_reads_them(written):
    path, shares = written
    streams, _ = pyxdf.load_xdf(str(path))
    by_type = {s["info"]["type"][0]: s for s in streams}
    performance = plan(SHORT)
    data = by_type["EEG"]["time_series"].T
    assert data.shape == (64, round(performance.stop_s * 250)) and data.dtype == np.float32
    labels = [row[0] for row in by_type["Markers"]["time_series"]]
    assert labels == [s.label for s in performance.shown]
    np.testing.assert_allclose(
        by_type["Markers"]["time_stamps"] - by_type["EEG"]["time_stamps"][0],
        [s.at_s for s in performance.shown],
        atol=1e-6,
    )
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_the_file_holds_the_bits_that_live_would_send(written):
    streams, _ = pyxdf.load_xdf(str(written[0]), dejitter_timestamps=False)
    data = next(s for s in streams if s["info"]["type"][0] == "EEG")["time_series"].T
    performance = plan(SHORT)
    player = Player(performance.participant)
    for shown in performance.shown:
        player.show(shown)
    assert np.array_equal(player.next(data.shape[1]), data)


def test_the_file_says_that_it_is_simulated(written):
    streams, _ = pyxdf.load_xdf(str(written[0]))
    for stream in streams:
        assert stream["info"]["desc"][0]["acquisition"][0]["simulated"] == ["true"]


def test_minutes_bound_the_length(tmp_path):
    to_file(SimulateConfig(minutes=0.25), tmp_path / "a.xdf", lambda share: None)
    streams, _ = pyxdf.load_xdf(str(tmp_path / "a.xdf"))
    eeg = next(s for s in streams if s["info"]["type"][0] == "EEG")
    assert len(eeg["time_stamps"]) == 15 * 250


def test_an_existing_file_is_never_overwritten(tmp_path):
    (tmp_path / "a.xdf").write_text("precious")
    with pytest.raises(RecordingFailed, match="exists"):
        to_file(SHORT, tmp_path / "a.xdf", lambda share: None)
    assert (tmp_path / "a.xdf").read_text() == "precious"


@pytest.mark.parametrize(
    "wrong",
    [
        {"sfreq_hz": 10.0},
        {"snr": -1.0},
        {"snr": float("nan")},
        {"minutes": 0.0},
        {"seed": -1},
        {"run": -1},
        {"protocol": "x"},
    ],
)
def test_what_cannot_be_simulated_is_refused(wrong):
    with pytest.raises(InputError):
        plan(SimulateConfig(**wrong))


def test_live_ends_when_told():
    stop = threading.Event()
    stop.set()
    simulate(SHORT, stop)


def test_a_linear_decoder_reads_the_categories_and_nothing_at_snr_zero():
    """Six class means of half the trials against single trials of the other half: far from chance, far from perfect."""

    def accuracy(snr, run=0):
        performance = plan(SimulateConfig(seed=2, run=run, snr=snr))
        player = Player(performance.participant, snr=snr, run=run)
        for shown in performance.shown:
            player.show(shown)
        return held_out_accuracy(player.next(round(performance.stop_s * 250)).astype(float), performance.shown)

    assert 0.38 < accuracy(1.0) < 0.9  # 120 trials of 4 classes: chance stays below 0.34 (99 %)
    # Four runs are 480 trials: chance stays below 0.31 (99.9 %).
    assert np.mean([accuracy(0.0, run) for run in range(4)]) < 0.31


def test_another_run_is_another_day_of_the_same_participant():
    one, other = plan(SHORT), plan(replace(SHORT, run=1))
    assert one.participant.digest == other.participant.digest
    assert [s.label for s in one.shown] != [s.label for s in other.shown]
    days = [Player(p.participant, run=p.run).next(500) for p in (one, other)]
    assert abs(np.corrcoef(days[0][10], days[1][10])[0, 1]) < 0.5


def held_out_accuracy(data_uv, shown):
    """Five folds in the order of time; shrinkage LDA on 40 ms means of whitened channels (scikit-learn)."""
    from scipy.signal import butter, sosfilt
    from sklearn.covariance import LedoitWolf
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.model_selection import KFold

    referenced = data_uv - np.median(data_uv, axis=0)
    sos = butter(2, [0.5, 30], "bandpass", fs=250, output="sos")
    x = sosfilt(sos, referenced - referenced[:, :1], axis=1)
    pictures = [s for s in shown if s.label.startswith("stim/")]
    starts = [round(s.at_s * 250) for s in pictures]
    windows = np.stack([x[:, k + 15 : k + 115].reshape(64, 10, 10).mean(axis=2) for k in starts])
    labels = np.array([s.label.split("/")[1] for s in pictures])
    hits = []
    for train, test in KFold(5).split(windows):
        scatter = np.concatenate(
            [windows[train][labels[train] == c] - windows[train][labels[train] == c].mean(0) for c in np.unique(labels)]
        )
        covariance = LedoitWolf().fit(scatter.transpose(0, 2, 1).reshape(-1, 64)).covariance_
        values, vectors = np.linalg.eigh(covariance)
        white = np.einsum("ij,njt->nit", (vectors / np.sqrt(values)) @ vectors.T, windows).reshape(len(windows), -1)
        lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(white[train], labels[train])
        hits.append(lda.predict(white[test]) == labels[test])
    return np.mean(np.concatenate(hits))


def test_only_the_objects_that_were_asked_for_are_shown():
    shown = plan(SimulateConfig(n_categories=3, repeats=8, protocol="eeg3d", objects=("08", "09"))).shown
    turned = [s.label.split("/") for s in shown if s.label.startswith("turn/")]
    assert len(turned) == 24 and {parts[2] for parts in turned} == {"08", "09"}
    assert len({parts[1] for parts in turned}) == 3


def test_objects_that_there_are_not_are_refused():
    with pytest.raises(InputError, match="no objects of"):
        plan(SimulateConfig(n_categories=2, protocol="eeg3d", objects=("77",)))
