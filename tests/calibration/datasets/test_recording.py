from collections.abc import Sequence

import numpy as np
import pytest

from calibration.datasets.recording import ODD, epochs_from, matched, spacing_s, survey
from engines.errors import InputError
from pipeline.epochs import EpochConfig
from pipeline.errors import UnitUnknown
from pipeline.preprocess import ChainConfig
from pipeline.session import Session, Setup
from pipeline.types import Array, EegChunk, Item, MarkerChunk
from tests.calibration.recorded import PATTERNS, recording, renamed
from tests.scripted import EEG, FS, MARKERS, NAMES, ScriptedSource

CHAIN = ChainConfig(high_hz=30.0, mains_hz=None, reference="none")
EPOCH = EpochConfig(-0.1, 0.5, (-0.1, 0.0))


class Listener:
    """A decoder that keeps what it is given."""

    classes = ("face", "house")
    channels = NAMES
    sfreq_hz = FS
    chain = CHAIN
    epoch = EPOCH
    stage = "single"

    def __init__(self) -> None:
        self.heard: list[Array] = []

    def probabilities(self, epoch_uv: Array) -> Array:
        self.heard.append(epoch_uv)
        return np.array([0.5, 0.5])


def test_training_epochs_are_bit_for_bit_what_a_session_gives_its_decoder():
    found = epochs_from([recording(0)], PATTERNS, CHAIN, EPOCH)
    listener = Listener()
    session = Session(recording(0)(), lambda _: Setup(CHAIN, EPOCH, PATTERNS), decoder=listener)
    session.open()
    while session.crank():
        pass
    session.finish()
    session.close()
    assert len(found) == len(listener.heard) > 50
    assert np.array_equal(found.data, np.stack(listener.heard))
    assert [found.classes[i] for i in found.labels] == [session.scorer.truth[d.trial] for d in session.decisions]


def test_files_are_kept_apart_and_in_order():
    found = epochs_from([recording(0), recording(1)], PATTERNS, CHAIN, EPOCH)
    assert found.file.tolist() == sorted(found.file.tolist()) and set(found.file) == {0, 1}
    assert all((np.diff(found.onset_s[found.file == f]) > 0).all() for f in (0, 1))
    assert len(np.unique(found.key)) == len(found)


def test_rejections_are_counted_with_their_reasons():
    def early() -> ScriptedSource:
        source = recording(0)()
        source._items.appendleft(MarkerChunk("m", ("stim/1",), (0.3,)))
        return source

    found = epochs_from([early], PATTERNS, CHAIN, EPOCH)
    assert found.rejected == {"settling": 1} and len(found) == 60


def scripted(labels: Sequence[str], spacing: float = 2.0) -> ScriptedSource:
    rng = np.random.default_rng(0)
    items: list[Item] = [MarkerChunk("m", tuple(labels), tuple(15.0 + spacing * np.arange(len(labels))))]
    for first in range(0, round((20 + spacing * len(labels)) * FS), 500):
        numbers = np.arange(first, first + 500)
        items.append(EegChunk(rng.standard_normal((4, 500)).astype(np.float32), numbers / FS))
    return ScriptedSource(EEG, items, {"m": MARKERS})


def test_windows_belong_to_the_trial_that_a_marker_began_and_odd_ones_are_left_out():
    labels = ["start", "stim/1", "stim/1", "start", "stim/2", "stim/1", "stim/2"]
    found = epochs_from([lambda: scripted(labels)], PATTERNS, CHAIN, EPOCH, trial_start="start")
    assert found.begun is not None
    assert found.begun.tolist() == [1, 1, 2, 2]
    assert found.labels.tolist() == [1, 1, 0, 0]
    assert found.rejected == {ODD: 1}


def test_files_of_another_set_up_are_refused_with_both_described():
    other = renamed("Fz", "Cz", "Pz", "O1")
    with pytest.raises(InputError, match=r"file 1 has 4 channels.*Oz.*file 2 has 4.*O1"):
        epochs_from([recording(0), recording(1, info=other)], PATTERNS, CHAIN, EPOCH)


def test_no_accepted_epoch_is_an_error_that_counts_the_reasons():
    with pytest.raises(InputError, match=r"got none \(end of data: 1\)"):
        epochs_from([lambda: scripted(["stim/1"])], {"face": ("stim/1",)}, CHAIN, EpochConfig(-0.1, 90.0, None))


def test_a_stream_without_a_unit_is_refused():
    from dataclasses import replace

    bare = replace(EEG, channels=tuple(replace(c, unit=None) for c in EEG.channels))
    with pytest.raises(UnitUnknown, match="--unit"):
        epochs_from([recording(0, info=bare)], PATTERNS, CHAIN, EPOCH)
    with pytest.raises(UnitUnknown, match="--unit"):
        survey(recording(0, info=bare)())
    assert len(epochs_from([recording(0, info=bare)], PATTERNS, CHAIN, EPOCH, unit="uV")) == 60


def test_a_survey_hears_every_marker_and_tells_the_spacing():
    found = survey(recording(0)())
    assert len(found.markers) == 60 and found.info.name == "scripted"
    assert 1.3 < spacing_s([found], PATTERNS) < 1.5
    assert spacing_s([found], {"none": ("x",)}) == float("inf")


def test_matched_sets_hold_the_same_onsets():
    short = epochs_from([recording(0)], PATTERNS, CHAIN, EPOCH)
    long = epochs_from([recording(0)], PATTERNS, CHAIN, EpochConfig(0.0, 6.0, None))
    assert len(long) < len(short)
    both = matched({"short": short, "long": long})
    assert np.array_equal(both["short"].onset_s, both["long"].onset_s)
