"""Real recordings. What is asserted was found by looking at the stamps, not by running the code."""

import numpy as np
import pytest
import pyxdf

from pipeline.timestamps import Aligner
from pipeline.types import BoundaryKind, ClockOffset


def recorded(path, name):
    """Raw stamps, nominal rate, and offsets with the number of the sample before which each one was made."""
    streams, _ = pyxdf.load_xdf(
        path, synchronize_clocks=False, dejitter_timestamps=False, handle_clock_resets=False, verbose=False
    )
    (stream,) = [
        s for s in streams if s["info"]["name"][0] == name and s["info"]["type"][0] == "EEG" and len(s["time_stamps"])
    ]
    stamps_s = np.asarray(stream["time_stamps"])
    at_s, values_s = np.asarray(stream["clock_times"]), np.asarray(stream["clock_values"])
    offsets = []
    for stamps, measured in zip(halves(stamps_s), halves(at_s), strict=True):
        before = stamps.start + np.searchsorted(np.maximum.accumulate(stamps_s[stamps]), at_s[measured])
        pairs = zip(at_s[measured], values_s[measured], strict=True)
        offsets += [(int(i), ClockOffset("", *pair)) for i, pair in zip(before, pairs, strict=True)]
    return stamps_s, float(stream["info"]["nominal_srate"][0]), offsets


def halves(times_s):
    """Before and after the clock ran backward by more than 10 s."""
    back = np.flatnonzero(np.diff(times_s) < -10)
    cut = int(back[0]) + 1 if len(back) else len(times_s)
    return slice(0, cut), slice(cut, len(times_s))


def align(path, name, size=32):
    stamps_s, sfreq_hz, offsets = recorded(path, name)
    aligner, runs, held = Aligner(sfreq_hz), [], 0
    aligner.offset(offsets[0][1])
    waiting = offsets[1:]
    for start in range(0, len(stamps_s), size):
        while waiting and waiting[0][0] <= start:
            aligner.offset(waiting.pop(0)[1])
        part_s = stamps_s[start : start + size]
        runs += aligner.push(np.arange(start, start + len(part_s))[None, :], part_s)
        held = max(held, aligner.n_received - sum(len(r.times_s) for r in runs))
    runs += aligner.finish()
    times_s = np.concatenate([r.times_s for r in runs])
    assert np.array_equal(np.concatenate([r.data[0] for r in runs]), np.arange(len(stamps_s)))
    assert (np.diff(times_s) > 0).all()
    return aligner, times_s, stamps_s, held / sfreq_hz


CLEAN = [
    ("usbamp16_MISwitch_run-001.xdf", "g.USBamp-1", 255.9965),
    ("usbamp16_MISwitch_run-002.xdf", "g.USBamp-1", 255.9965),
    ("usbamp16_T1_run-001.xdf", "g.USBamp-1", 255.9966),
    ("usbamp16_T1_run-002.xdf", "g.USBamp-1", 255.9966),
    ("usbamp16_T1_run-001_old1.xdf", "g.USBamp-1", 255.9966),
    ("muse5_P001.xdf", "Muse", 255.9576),
    ("muse5_P002.xdf", "Muse", 255.9948),
    ("muse5_P003.xdf", "Muse", 256.0029),
    ("muse5_P023.xdf", "Muse", 256.0710),
    ("muse5_P031.xdf", "Muse", 256.0114),
]


@pytest.mark.parametrize(("file", "name", "fitted_hz"), CLEAN)
def test_clean_amplifiers_lose_nothing_and_stay_within_a_sample_of_their_stamps(data, file, name, fitted_hz):
    """The rate is that of a straight line through all stamps (numpy.polyfit)."""
    aligner, times_s, stamps_s, held_s = align(data / "xdf" / file, name)
    assert len(aligner.boundaries) == 1
    assert held_s == 0
    assert aligner.sfreq_effective_hz == pytest.approx(fitted_hz, rel=3e-4)
    assert np.abs(times_s - stamps_s).max() < 0.75 / 256


def test_a_dsi7_whose_chunks_share_one_stamp_and_come_up_to_180_ms_late_has_lost_nothing(data):
    aligner, times_s, stamps_s, held_s = align(data / "xdf" / "dsi7_ssvep.xdf", "DSI7")
    assert len(aligner.boundaries) == 1
    assert aligner.sfreq_effective_hz == pytest.approx(299.99, rel=3e-4)
    assert held_s < 0.2
    steps = np.diff(times_s) * 300
    assert steps.min() > 0.95
    assert steps.max() < 1.05
    assert np.percentile(stamps_s - times_s, 99) < 0.04


def test_a_clock_reset_with_273_s_between_is_one_reset_and_no_other_boundary(data):
    """Raw stamps jump from 653288.510 to 100.616, offsets from -652340.285 to 1121.166 s."""
    aligner, times_s, stamps_s, _ = align(data / "xdf" / "ref_clock_resets.xdf", "BioSemi")
    assert [b.kind for b in aligner.boundaries] == [BoundaryKind.START, BoundaryKind.RESET]
    reset = aligner.boundaries[1]
    assert reset.at == 12876
    assert reset.jump_s == pytest.approx(-652340.285 - 1121.166, abs=0.01)
    assert reset.stop_s - reset.start_s == pytest.approx(273.551, abs=0.06), "the last two samples came 40 ms late"
    assert reset.n_lost == pytest.approx(273.55 * 92.9, rel=0.01), "the device was off for that long"
    off_s = np.abs(times_s - stamps_s - 1121.1656)[13400:]
    assert np.percentile(off_s, 95) < 0.03, "the sender sleeps between samples and oversleeps for good, 20 ms at a time"
    assert off_s.max() < 0.1
    assert aligner.rate_warning is not None, "100 Hz nominal, 93 Hz in truth"


@pytest.mark.parametrize(
    ("file", "n_backward", "most_lost"),
    [
        ("openbci16_mi_2011001.xdf", 1115, 200),
        ("openbci16_mi_2111001.xdf", 665, 200),
        ("openbci16_truncated.xdf", 82, 0),
    ],
)
def test_openbci_stamps_that_run_backward_make_no_gaps(data, file, n_backward, most_lost):
    """Sawtooth jitter of 100 ms; displaced for good (1 to 1.2 s) once in each long file, late for seconds elsewhere."""
    aligner, times_s, stamps_s, held_s = align(data / "xdf" / file, "obci_eeg1")
    assert aligner.n_backward == n_backward
    assert aligner.n_lost <= most_lost
    assert len(aligner.boundaries) <= 3
    assert all(b.kind is BoundaryKind.GAP for b in aligner.boundaries[1:])
    assert held_s < 3.5
    assert aligner.sfreq_effective_hz == pytest.approx(125.1, rel=4e-3)
    off_s = [np.median((stamps_s - times_s)[i : i + 1250]) for i in range(0, len(stamps_s) - 1250, 1250)]
    assert np.median(np.abs(off_s)) < 0.02, "the line runs through the sawtooth"


def test_about_150_samples_are_missing_where_an_openbci_stalled_for_good(data):
    """Before 6 s and after 16 s the stamps lie on parallel lines 1.2 s apart, at 125.1 Hz."""
    aligner, *_ = align(data / "xdf" / "openbci16_mi_2111001.xdf", "obci_eeg1")
    early = [b.n_lost for b in aligner.boundaries if b.kind is BoundaryKind.GAP and b.at < 2500]
    assert sum(early) == pytest.approx(150, abs=35)
