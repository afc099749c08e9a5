import csv
import gzip
import io
import re
import tarfile
from functools import partial

import numpy as np
import pytest
import pyxdf

from calibration.calibrate import calibrate
from calibration.datasets.eeg3d import OFFLINE_REASON
from calibration.datasets.imports import import_file
from calibration.subjects import load, save
from engines.errors import InputError
from pipeline.epochs import EpochConfig
from pipeline.errors import FileUnreadable, RecordingFailed
from pipeline.montage import NEUROSCAN_64
from pipeline.preprocess import ChainConfig
from pipeline.sources.select import open_source
from pipeline.types import Kind
from pipeline.xdf.file import XdfFile


def read(path):
    """(info, data (ch, n), stamps, markers) through our own reader."""
    with XdfFile(path) as file:
        assert file.warnings == []
        eeg, marks = file.streams
        data, stamps = file.load(eeg)
        strings = file.load_strings(marks)
    return eeg.info, data, stamps, [(s, v[0]) for s, v in zip(strings.stamps_s, strings.values, strict=True)]


def table_of(path):
    with gzip.open(path, "rt") as file:
        rows = list(csv.reader(file))
    return rows[0], np.asarray(rows[1:], dtype=np.float64)


def test_muse_runs_keep_every_value_stamp_and_marker(data, tmp_path):
    runs = sorted((data / "eeg" / "muse_visual").glob("N170_subject1_*.csv.gz"))[:3]
    report = import_file("muse-csv", [runs[2], runs[0], runs[1]], tmp_path / "muse.xdf")
    info, values, stamps, markers = read(tmp_path / "muse.xdf")
    header, table = table_of(runs[0])[0], np.vstack([table_of(run)[1] for run in runs])
    assert [c.name for c in info.channels] == header[1:-1]
    assert (info.sfreq_hz, info.unit) == (256.0, "uV")
    np.testing.assert_array_equal(stamps, table[:, 0])
    np.testing.assert_array_equal(values, table[:, 1:-1].T.astype(np.float32))
    marked = table[table[:, -1] != 0]
    assert markers == [(row[0], f"{row[-1]:g}") for row in marked]
    assert report["markers"] == {label: int(np.sum(marked[:, -1] == int(label))) for label in ("1", "2")}
    assert report["streams"] == [
        {"name": "Muse", "n_samples": len(table)},
        {"name": "Markers", "n_samples": len(marked)},
    ]
    assert report["warnings"] == []


def test_an_import_is_read_alike_by_pyxdf(data, tmp_path):
    run = min((data / "eeg" / "muse_visual").glob("P300_*.csv.gz"))
    import_file("muse-csv", [run], tmp_path / "muse.xdf")
    streams, _ = pyxdf.load_xdf(tmp_path / "muse.xdf", synchronize_clocks=False, dejitter_timestamps=False)
    _info, values, stamps, markers = read(tmp_path / "muse.xdf")
    np.testing.assert_array_equal(streams[0]["time_series"].T, values)
    np.testing.assert_array_equal(streams[0]["time_stamps"], stamps)
    assert [row[0] for row in streams[1]["time_series"]] == [label for _, label in markers]


def test_muse_runs_of_other_days_are_moved_together_and_told(data, tmp_path):
    folder = data / "eeg" / "muse_visual"
    runs = [next(folder.glob("N170_subject10_*")), min(folder.glob("N170_subject1_*"))]
    report = import_file("muse-csv", runs, tmp_path / "muse.xdf")
    stamps = read(tmp_path / "muse.xdf")[2]
    assert np.diff(stamps).max() == pytest.approx(60.0)
    assert "was moved" in report["warnings"][0]


def test_the_same_muse_run_twice_is_refused(data, tmp_path):
    run = min((data / "eeg" / "muse_visual").glob("N170_*.csv.gz"))
    with pytest.raises(InputError, match="overlap"):
        import_file("muse-csv", [run, run], tmp_path / "muse.xdf")
    assert not (tmp_path / "muse.xdf").exists()


def test_muse_rows_that_are_no_numbers_leave_a_gap_and_a_word(tmp_path):
    path = tmp_path / "run.csv"
    lines = ["timestamps,TP9,AF7,Marker0", *(f"{100 + k / 256:.3f},{k},{-k},{int(k == 5)}" for k in range(20))]
    lines[8] = "garbage,,,"
    path.write_text("\n".join(lines))
    report = import_file("muse-csv", [path], tmp_path / "muse.xdf")
    _info, values, _stamps, markers = read(tmp_path / "muse.xdf")
    assert values[0].tolist() == [k for k in range(20) if k != 7]
    assert markers == [(100.02, "1")]
    assert "1 rows" in report["warnings"][0]


@pytest.mark.parametrize(
    "content", ["", "a,b,c\n1,2,3\n", "timestamps,TP9,Marker0\n", "timestamps,TP9,Marker0\n1,2,0\n1,2,0\n"]
)
def test_what_is_no_muse_table_is_refused(tmp_path, content):
    path = tmp_path / "run.csv"
    path.write_text(content)
    with pytest.raises(FileUnreadable):
        import_file("muse-csv", [path], tmp_path / "muse.xdf")
    assert not (tmp_path / "muse.xdf").exists()


def test_smni_trials_become_stretches_with_their_condition_at_the_onset(data, tmp_path):
    archive = data / "eeg" / "uci_smni64" / "co2c0000337.tar"
    report = import_file("uci-smni", [archive], tmp_path / "smni.xdf")
    info, values, stamps, markers = read(tmp_path / "smni.xdf")
    assert (info.n_channels, info.sfreq_hz, info.unit) == (64, 256.0, "uV")
    kinds = {c.name: c.kind for c in info.channels}
    assert (kinds["FP1"], kinds["X"], kinds["Y"], kinds["nd"]) == (Kind.EEG, Kind.EOG, Kind.EOG, Kind.MISC)
    assert values.shape == (64, 30 * 256)
    assert report["markers"] == {"S1 obj": 10, "S2 match": 10, "S2 nomatch": 10}
    starts = stamps[::256]
    assert [at for at, _ in markers] == starts.tolist()
    np.testing.assert_allclose(np.diff(starts), 2.0)
    assert any("time between trials is not in these files" in text for text in report["warnings"])


def test_smni_values_are_those_of_the_text(data, tmp_path):
    archive = data / "eeg" / "uci_smni64" / "co2c0000338.tar"
    import_file("uci-smni", [archive], tmp_path / "smni.xdf")
    info, values, _stamps, markers = read(tmp_path / "smni.xdf")
    with tarfile.open(archive) as tar:
        texts = [gzip.decompress(tar.extractfile(m).read()).decode() for m in tar if m.name.endswith(".gz")]
    texts.sort(key=lambda text: int(text.splitlines()[3].rsplit(" ", 1)[1]))
    names = [c.name for c in info.channels]
    for k, text in enumerate(texts):
        assert text.splitlines()[3].startswith(f"# {markers[k][1]}")
        rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
        for _trial, channel, sample, value in rows[:: 97 + k]:
            assert values[names.index(channel), k * 256 + int(sample)] == np.float32(value)


def test_smni_trials_of_several_people_are_joined_and_told(data, tmp_path):
    archives = sorted((data / "eeg" / "uci_smni64").glob("*.tar"))[:2]
    report = import_file("uci-smni", archives, tmp_path / "smni.xdf")
    assert report["streams"][0]["n_samples"] == 60 * 256
    assert any("joins 2 people" in text for text in report["warnings"])


def test_a_damaged_smni_trial_is_left_out_and_told(data, tmp_path):
    source = data / "eeg" / "uci_smni64" / "co2c0000337.tar"
    broken = tmp_path / "broken.tar"
    with tarfile.open(source) as old, tarfile.open(broken, "w") as new:
        for k, member in enumerate(old.getmembers()[:4]):
            content = old.extractfile(member).read()
            member.size = len(content) // (2 if k == 1 else 1)
            new.addfile(member, io.BytesIO(content[: member.size]))
    report = import_file("uci-smni", [broken], tmp_path / "smni.xdf")
    assert report["streams"][0]["n_samples"] == 3 * 256
    assert any("no readable trial" in text for text in report["warnings"])


@pytest.fixture
def eeg3d(tmp_path):
    folder = tmp_path / "sub01"
    folder.mkdir()
    trials = np.random.default_rng(2).normal(size=(6, 64, 250))
    np.save(folder / "process_data_1s_250Hz.npy", trials)
    np.save(folder / "name_label.npy", np.array([f"apple_{k:02d}" for k in range(6)]))
    return folder, trials


def test_eeg3d_trials_become_stretches_with_their_object_at_the_onset(eeg3d, tmp_path):
    folder, trials = eeg3d
    report = import_file("eeg3d", [folder], tmp_path / "eeg3d.xdf")
    info, values, stamps, markers = read(tmp_path / "eeg3d.xdf")
    assert [c.name for c in info.channels] == list(NEUROSCAN_64)
    np.testing.assert_array_equal(values, np.hstack(list(trials)).astype(np.float32))
    np.testing.assert_allclose([at for at, _ in markers], stamps[::250] + 0.2)
    assert [label for _, label in markers] == [f"apple_{k:02d}" for k in range(6)]
    np.testing.assert_allclose(np.diff(stamps[::250]), 2.0)
    assert info.unit is None
    assert any("z-scores" in text for text in report["warnings"])
    assert info.offline_reason == OFFLINE_REASON and f"offline only: {OFFLINE_REASON}" in report["warnings"]


def test_a_subject_calibrated_on_imported_eeg3d_is_refused_live(tmp_path):
    """Its default chain takes longer to settle than a trial lasts; one without filters gets as far as a subject."""
    rng = np.random.default_rng(0)
    trials = rng.standard_normal((24, 64, 250)) + (np.arange(24) % 2)[:, None, None]
    np.save(tmp_path / "process_data_1s_250Hz.npy", trials)
    np.save(tmp_path / "name_label.npy", np.array([f"01_{('apple', 'chair')[k % 2]}_{k // 2:02d}" for k in range(24)]))
    path = tmp_path / "eeg3d.xdf"
    import_file("eeg3d", [tmp_path / "process_data_1s_250Hz.npy"], path)
    chain = ChainConfig(low_hz=None, high_hz=None, mains_hz=None, interpolate_bads=False)
    classes = {name: (f"*_{name}_*",) for name in ("apple", "chair")}
    window = EpochConfig(-0.1, 0.5, None)
    opened = partial(open_source, str(path), None)
    found = calibrate([opened], classes, system="lda", chain=chain, epoch=window, unit="uV", n_permutations=0)
    assert f"offline only: {OFFLINE_REASON}" in found.warnings
    save(found.subject, tmp_path / "P01")
    with pytest.raises(InputError, match=f"may not decode live: {re.escape(OFFLINE_REASON)}"):
        load(tmp_path / "P01")


def test_eeg3d_video_trials_are_read_at_their_own_rate(tmp_path):
    np.save(tmp_path / "process_data_6s_100Hz.npy", np.zeros((2, 64, 600), np.float32))
    np.save(tmp_path / "name_label.npy", np.array(["a_00", "b_01"]))
    import_file("eeg3d", [tmp_path / "process_data_6s_100Hz.npy"], tmp_path / "out.xdf")
    info, _values, _stamps, markers = read(tmp_path / "out.xdf")
    assert info.sfreq_hz == 100.0
    assert [at for at, _ in markers] == pytest.approx([0.2, 7.2])


def test_eeg3d_never_unpickles(eeg3d, tmp_path):
    folder, _ = eeg3d
    np.save(folder / "name_label.npy", np.array(["a", 1, None, 2, 3, 4], dtype=object), allow_pickle=True)
    with pytest.raises(FileUnreadable, match="plain array"):
        import_file("eeg3d", [folder], tmp_path / "out.xdf")


def test_eeg3d_arrays_of_another_shape_are_refused(eeg3d, tmp_path):
    folder, trials = eeg3d
    np.save(folder / "process_data_1s_250Hz.npy", trials[:, :63])
    with pytest.raises(FileUnreadable, match="expected \\(trials, 64"):
        import_file("eeg3d", [folder], tmp_path / "out.xdf")


def test_wrong_calls_are_answered_in_words(data, tmp_path):
    run = min((data / "eeg" / "muse_visual").glob("N170_*.csv.gz"))
    with pytest.raises(InputError, match="known are eeg3d, muse-csv, uci-smni"):
        import_file("gdf", [run], tmp_path / "out.xdf")
    with pytest.raises(InputError, match="no file"):
        import_file("muse-csv", [], tmp_path / "out.xdf")
    with pytest.raises(FileUnreadable, match="does not exist"):
        import_file("muse-csv", [tmp_path / "none.csv"], tmp_path / "out.xdf")
    (tmp_path / "out.xdf").write_bytes(b"precious")
    with pytest.raises(RecordingFailed, match="exists"):
        import_file("muse-csv", [run], tmp_path / "out.xdf")
