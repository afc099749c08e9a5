import json
from dataclasses import replace

import pytest

from calibration.calibrate import calibrate, flicker_of, patterns_of, windows_for
from calibration.datasets.recording import survey
from calibration.defaults import default_chain
from calibration.store import digest_of
from engines.errors import InputError
from pipeline.epochs import EpochConfig
from pipeline.sources.select import open_source
from tests.calibration.recorded import PATTERNS, recording, renamed
from tests.scripted import EEG


def test_recordings_become_a_subject_that_decodes_another_recording():
    from pipeline.session import Session, Setup

    found = calibrate([recording(0), recording(1)], PATTERNS, n_permutations=39)
    assert found.evaluation.rows[0].mean > 0.9 and found.evaluation.rows[0].p_permutation == 1 / 40
    subject = found.subject
    session = Session(
        recording(2)(), lambda _: Setup(subject.decoder.chain, subject.decoder.epoch, PATTERNS), decoder=subject.decoder
    )
    session.open()
    while session.crank():
        pass
    session.finish()
    session.close()
    right = [session.scorer.truth[d.trial] == d.top for d in session.decisions]
    assert len(right) == 60 and sum(right) > 54


def test_the_report_has_the_promised_fields():
    heard: list[float] = []
    found = calibrate(
        [recording(0)], PATTERNS, system="lda", n_permutations=9, progress=lambda share, text: heard.append(share)
    )
    assert heard == sorted(heard) and heard[-1] == 1.0 and len(heard) > 5
    fields = json.loads(json.dumps(found.fields(), allow_nan=False))
    assert fields["classes"] == ["face", "house"] and fields["n_epochs"] == 60
    assert set(fields["validation"][0]) == {
        "system",
        "scheme",
        "metric",
        "mean",
        "ci95",
        "chance",
        "p_permutation",
        "n",
    }
    assert fields["warnings"] == [] and fields["simulated"] is False


def test_a_simulated_recording_says_so():
    info = replace(EEG, simulated=True)
    found = calibrate([recording(0, info=info)], PATTERNS, system="lda", n_permutations=0)
    assert found.subject.simulated and "simulated" in found.warnings[-1]


def test_what_the_chain_learns_comes_from_a_block_that_no_epoch_shares():
    chain = replace(default_chain(EEG), asr=True)
    plain = calibrate([recording(0)], PATTERNS, system="lda", n_permutations=0)
    found = calibrate([recording(0)], PATTERNS, system="lda", n_permutations=0, chain=chain)
    assert found.subject.frozen and not plain.subject.frozen
    spent = sum(plain.subject.manifest.n_epochs.values()) - sum(found.subject.manifest.n_epochs.values())
    assert spent >= 10


def test_a_subject_knows_the_files_it_was_calibrated_on(tmp_path):
    ours, other = tmp_path / "ours.xdf", tmp_path / "other.xdf"
    ours.write_bytes(b"one")
    other.write_bytes(b"two")
    found = calibrate([recording(0)], PATTERNS, system="lda", n_permutations=0, recordings={"a": digest_of(ours)})
    assert found.subject.was_calibrated_on(ours)
    assert not found.subject.was_calibrated_on(other)


def test_without_patterns_every_label_is_a_class():
    assert patterns_of([survey(recording(0)())], {}) == {"stim/1": ("stim/1",), "stim/2": ("stim/2",)}


def test_patterns_that_match_nothing_are_refused_with_the_markers_there_are():
    with pytest.raises(InputError, match=r"class 'cat' \(3\); the markers are: 'stim/1' x30"):
        calibrate([recording(0)], {**PATTERNS, "cat": ("3",)})
    with pytest.raises(InputError, match="at least two classes"):
        calibrate([recording(0)], {"face": ("stim/2",)})
    with pytest.raises(InputError, match="at least one recording"):
        calibrate([], PATTERNS)


@pytest.mark.parametrize(
    ("spacing", "names", "evoked_end", "oscillatory"),
    [
        (0.52, ("face", "house"), 0.52, None),
        (0.2, ("face", "house"), 0.5, None),
        (2.01, ("left", "right"), 0.8, (0.0, 2.0)),
        (8.3, ("left", "right"), 0.8, (0.5, 3.5)),
        (float("inf"), ("left", "right"), 0.8, (0.5, 3.5)),
    ],
)
def test_windows_leave_room_for_the_next_onset(spacing, names, evoked_end, oscillatory):
    windows = windows_for(spacing, {n: (n,) for n in names}, 160.0, None)
    assert windows["evoked"].tmax_s == pytest.approx(evoked_end)
    got = windows.get("oscillatory")
    assert (got and (got.tmin_s, got.tmax_s)) == oscillatory
    assert "flicker" not in windows


def test_a_window_asked_for_is_used_for_everything():
    asked = EpochConfig(0.0, 2.0, None)
    assert set(windows_for(0.5, {"10Hz": (), "12 hz": ()}, 160.0, asked).values()) == {asked}


def test_a_slow_stream_has_no_bands():
    assert set(windows_for(8.0, {"a": (), "b": ()}, 50.0, None)) == {"evoked"}


def test_classes_named_after_a_flicker_are_flicker():
    assert flicker_of({"10Hz": (), "12.5 Hz": ()}) == (10.0, 12.5)
    assert flicker_of({"10Hz": (), "left": ()}) is None


def test_the_average_is_the_reference_of_whole_heads_only():
    assert default_chain(EEG).reference == "none"
    assert default_chain(renamed(*(f"E{i}" for i in range(64)))).reference == "average"
    assert default_chain(EEG).high_hz == 45.0


def test_real_flicker_in_three_stretches_is_answered_and_warned_of(data):
    """Three targets, one stretch each: the file cannot tell the flicker from the time, and the report says so."""
    path = str(data / "xdf" / "dsi7_ssvep.xdf")
    patterns = {"10Hz": ("1.4,0,*",), "12Hz": ("1.4,1,*",), "15Hz": ("1.4,2,*",)}
    found = calibrate([lambda: open_source(path)], patterns, n_permutations=99)
    said = " ".join(found.warnings)
    assert "class and time are confounded" in said and "too few trials (10Hz: 1, 12Hz: 1, 15Hz: 1" in said
    assert found.evaluation.rows[0].system == "cca" and found.evaluation.rows[0].n == 3
    assert found.evaluation.rows[0].p_permutation > 0.05


@pytest.mark.slow
def test_real_fists_and_feet_are_told_apart(data):
    """64 channels, one person, 30 trials (eegmmidb S001, runs 5 and 6)."""
    files = [str(data / "eeg" / "eegmmidb64" / f"S001{run}.edf") for run in ("R05", "R06")]
    patterns = {"fists": ("T1",), "feet": ("T2",)}
    found = calibrate([lambda f=f: open_source(f) for f in files], patterns, system="riemann", n_permutations=99)
    row = found.evaluation.rows[0]
    assert row.mean > 0.75 and row.ci95[0] > 0.55 and row.p_permutation == 0.01 and row.n == 30
