import pickle
import warnings

import mne
import numpy as np
import pytest
from scipy.io import savemat

from pipeline.errors import FileUnreadable, StreamMissing
from pipeline.sources.base import SourceEnded
from pipeline.sources.mne_file import MneSource
from pipeline.types import EegChunk, Kind, MarkerChunk, SourceEvent


def play(source):
    source.open()
    items = []
    try:
        while True:
            items += source.read(0.0)
    except SourceEnded:
        source.close()
    return items


def only(items, kind):
    return [item for item in items if isinstance(item, kind)]


@pytest.fixture
def raw():
    rng = np.random.default_rng(5)
    info = mne.create_info(["Fz", "Cz", "HEOG", "STI 014"], 250.0, ["eeg", "eeg", "eog", "stim"])
    made = mne.io.RawArray(rng.normal(0, 2e-5, (4, 1111)), info, verbose="error")
    made.set_annotations(mne.Annotations([1.002, 0.4, 3.0], [0, 0, 0.5], ["late", "early", "last"]))
    return made


@pytest.mark.parametrize(
    "name", ["eegmmidb64/S001R03.edf", "mne_small/test.edf", "mne_small/test.bdf", "mne_small/test.vhdr"]
)
def test_samples_equal_what_mne_loads_at_once(data, name):
    path = data / "eeg" / name
    expected = mne.io.read_raw(path, preload=True, verbose="error")
    source = MneSource(path)
    chunks = only(play(source), EegChunk)
    np.testing.assert_array_equal(np.hstack([c.data for c in chunks]), expected.get_data())
    stamps = np.hstack([c.stamps_s for c in chunks])
    np.testing.assert_array_equal(stamps, np.arange(1, expected.n_times + 1) / expected.info["sfreq"])
    assert source.info.sfreq_hz == expected.info["sfreq"]
    assert max(c.data.shape[1] for c in chunks) <= expected.info["sfreq"]


def test_annotations_are_markers_at_their_samples_before_those(data):
    path = data / "eeg" / "eegmmidb64" / "S001R04.edf"
    items = play(MneSource(path))
    raw = mne.io.read_raw(path, preload=False, verbose="error")
    events, ids = mne.events_from_annotations(raw, verbose="error")
    names = {number: name for name, number in ids.items()}
    markers = [(s, label) for m in only(items, MarkerChunk) for s, label in zip(m.stamps_s, m.labels, strict=True)]
    assert markers == [((at + 1) / 160.0, names[number]) for at, _, number in events]
    newest_s = -1.0
    for item in items:
        if isinstance(item, MarkerChunk):
            assert item.stamps_s[0] > newest_s
        elif isinstance(item, EegChunk):
            newest_s = item.stamps_s[-1]


def test_a_fif_file_that_starts_late_keeps_its_annotations_in_place(raw, tmp_path):
    cropped = raw.copy().crop(tmin=0.2)
    cropped.save(tmp_path / "late_raw.fif", verbose="error")
    items = play(MneSource(tmp_path / "late_raw.fif"))
    marks = [(s, label) for m in only(items, MarkerChunk) for s, label in zip(m.stamps_s, m.labels, strict=True)]
    one = 1 / raw.info["sfreq"]  # the first sample is stamped with one period
    assert marks == [
        (pytest.approx(0.2 + one), "early"),
        (pytest.approx(0.802 + one, abs=0.003), "late"),
        (pytest.approx(2.8 + one), "last"),
    ]


def test_kinds_and_units_are_declared_per_channel(raw, tmp_path):
    raw.save(tmp_path / "kinds_raw.fif", verbose="error")
    source = MneSource(tmp_path / "kinds_raw.fif")
    play(source)
    assert [c.kind for c in source.info.channels] == [Kind.EEG, Kind.EEG, Kind.EOG, Kind.STIM]
    assert source.info.unit == "V"


def test_channels_of_sensors_other_than_electrodes_are_misc(data):
    source = MneSource(data / "eeg" / "mne_small" / "test.vhdr")
    play(source)
    kinds = {c.name: c.kind for c in source.info.channels}
    assert kinds["F3"] is Kind.EEG
    assert kinds["HL"] is Kind.MISC


def test_positions_in_the_file_come_along(raw, tmp_path):
    raw.set_montage(mne.channels.make_standard_montage("colin27_1005"), verbose="error")
    raw.save(tmp_path / "place_raw.fif", verbose="error")
    source = MneSource(tmp_path / "place_raw.fif")
    play(source)
    place = source.info.channels[1].position_m
    assert place == pytest.approx(tuple(raw.info["chs"][1]["loc"][:3]), abs=1e-6)
    assert 0.05 < np.linalg.norm(place) < 0.15


def test_a_continuous_eeglab_set_is_read_with_its_events(tmp_path):
    values = np.random.default_rng(1).normal(0, 20, (2, 300)).astype(np.float32)
    labels = np.array([("Oz",), ("Cz",)], dtype=[("labels", object)])
    events = np.array([("go", 11.0), ("stop", 101.0)], dtype=[("type", object), ("latency", float)])
    eeg = {"setname": "s", "nbchan": 2, "pnts": 300, "trials": 1, "srate": 100.0, "xmin": 0.0, "xmax": 2.99}
    eeg |= {"data": values, "chanlocs": labels, "event": events, "epoch": [], "icawinv": [], "icaweights": []}
    savemat(tmp_path / "s.set", {"EEG": eeg}, appendmat=False)
    source = MneSource(tmp_path / "s.set")
    items = play(source)
    np.testing.assert_allclose(np.hstack([c.data for c in only(items, EegChunk)]), values * 1e-6, rtol=1e-6)
    marks = [(s, label) for m in only(items, MarkerChunk) for s, label in zip(m.stamps_s, m.labels, strict=True)]
    assert marks == [(0.11, "go"), (1.01, "stop")]
    assert source.info.unit == "V"


def test_a_source_travels_to_another_process_before_it_is_opened(data):
    source = MneSource(data / "eeg" / "mne_small" / "test.edf")
    assert len(play(pickle.loads(pickle.dumps(source)))) == len(play(source))


@pytest.mark.parametrize("name", ["eeglab_hdf5.set", "small_test_hdf5.set"])
def test_cut_epochs_are_refused_as_such(data, name):
    with pytest.raises(FileUnreadable, match="cut epochs where a continuous recording is needed"):
        MneSource(data / "eeg" / "eegutils" / name).open()


@pytest.mark.parametrize(
    "name", ["eegmmidb64/S001R01_damaged.edf", "mne_small/test-ave.fif.gz", "eegutils/demo_spatial.rda"]
)
def test_what_mne_cannot_read_is_refused_with_its_reason(data, name):
    with pytest.raises(FileUnreadable, match="cannot be read as a continuous recording"):
        MneSource(data / "eeg" / name).open()


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileUnreadable, match="does not exist"):
        MneSource(tmp_path / "none.edf").open()


def test_a_cut_edf_plays_what_is_left_and_hands_on_mnes_warning(data, tmp_path):
    whole = (data / "eeg" / "eegmmidb64" / "S001R03.edf").read_bytes()
    path = tmp_path / "cut.edf"
    path.write_bytes(whole[: len(whole) // 2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        items = play(MneSource(path))
    assert 0 < sum(len(c.stamps_s) for c in only(items, EegChunk)) <= 10_000
    assert any("Number of records" in e.text for e in only(items, SourceEvent))


def test_annotations_can_be_asked_for_or_left_out(data):
    path = data / "eeg" / "eegmmidb64" / "S001R03.edf"
    assert len(only(play(MneSource(path, markers=[{"name": "annotations"}])), MarkerChunk)) > 0
    left_out = MneSource(path, markers=[])
    assert only(play(left_out), MarkerChunk) == []
    assert left_out.marker_streams == {}
    with pytest.raises(StreamMissing, match="name=annotations"):
        MneSource(path, markers=[{"name": "unity"}]).open()
    with pytest.raises(StreamMissing, match="no annotations"):
        MneSource(data / "eeg" / "mne_small" / "test.bdf", markers=[{"name": "annotations"}]).open()
