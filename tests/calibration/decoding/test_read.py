from dataclasses import replace

import numpy as np
import pytest

from calibration.datasets.eeg3d import OFFLINE_REASON, Origin
from calibration.datasets.eeg3d_trials import NAMES_FILE
from calibration.datasets.eeg3d_write import labels_of, organise, write_stimuli, write_subject
from calibration.decoding.read import from_eeg3d, from_recordings
from calibration.defaults import default_chain
from calibration.objects.builtin import BuiltIn
from calibration.objects.catalogue import CATEGORIES
from calibration.participant import ELECTRODES
from calibration.sets.errors import SetUnusable
from calibration.simulate import SimulateConfig, plan, to_file
from calibration.stimuli import Item, Only
from engines.errors import InputError
from pipeline.anytime import Answer, Windows
from pipeline.encode import standardised
from pipeline.montage import NEUROSCAN_64
from pipeline.session import Session, Setup
from pipeline.sources.played import PlayedSource
from pipeline.sources.xdf import XdfSource
from tests.calibration.decoding.conftest import SMALL
from tests.calibration.sets.small_set import SmallSet


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """The two sessions of the data set's participant, as XDF files."""
    folder = tmp_path_factory.mktemp("xdf")
    paths = [folder / f"{run}.xdf" for run in (0, 1)]
    for run, path in enumerate(paths):
        to_file(SMALL.of(9, run), path, lambda share: None)
    return paths


@pytest.fixture(scope="module")
def chain():
    return default_chain(plan(SMALL.of(9, 0)).infos[0])


@pytest.fixture(scope="module")
def recorded(recordings, chain):
    files = [lambda path=path: XdfSource(path) for path in recordings]
    return from_recordings(files, BuiltIn(), chain, participant="sub09")


@pytest.fixture(scope="module")
def read(dataset):
    return from_eeg3d(dataset, "sub09")


def test_a_set_holds_the_epochs_of_the_files_in_their_order(dataset, read):
    place = dataset / "EEGdata" / "sub09"
    assert np.array_equal(read.static, np.load(place / "process_data_1s_250Hz.npy"))
    assert np.array_equal(read.dynamic, np.load(place / "process_data_6s_100Hz.npy"))
    assert read.static.dtype == read.dynamic.dtype == np.float32
    names = [f"{read.items[k].category}_{read.items[k].object}" for k in read.item]
    assert names == [str(name)[3:] for name in np.load(place / NAMES_FILE)]


def test_columns_say_of_each_trial_what_was_shown_and_when(read):
    built_in = BuiltIn()
    for k in range(0, len(read), 5):
        item = read.items[read.item[k]]
        assert read.categories[read.category[k]] == item.category
        assert read.number[k] == int(item.object)
        assert read.colour[k] == built_in.colour_label(item)
    assert list(read.block) == [0] * 24 + [1] * 24
    assert read.categories == CATEGORIES[:2]
    assert read.channels == ELECTRODES
    assert read.simulated and not read.offline_only


def test_objects_are_split_without_one_in_two_parts(read):
    parts = [read.of_objects(numbers) for numbers in (range(7), [7], [8, 9])]
    assert [len(part) for part in parts] == [28, 4, 16]
    shown = [{part.items[k] for k in part.item} for part in parts]
    assert not (shown[0] & shown[1] or shown[0] & shown[2] or shown[1] & shown[2])


def test_recordings_give_the_data_set_bit_for_bit(read, recorded):
    assert np.array_equal(recorded.static, read.static)
    assert np.array_equal(recorded.dynamic, read.dynamic)
    keys = [[one.items[k].key for k in one.item] for one in (recorded, read)]
    assert keys[0] == keys[1]
    for column in ("block", "colour", "number"):
        assert np.array_equal(getattr(recorded, column), getattr(read, column))
    order = [recorded.items.index(item) for item in read.items]
    assert np.array_equal(recorded.targets[order], read.targets)
    assert (recorded.encoder, recorded.channels, recorded.simulated) == (read.encoder, read.channels, True)
    assert recorded.rejected == {} and not recorded.offline_only


class Keeps:
    """An anytime decoder that keeps what it is given, standardised as its network would take it."""

    classes, colours, channels, sfreq_hz = ("a", "b"), ("red",), ELECTRODES, 250.0
    windows = Windows()

    def __init__(self, chain):
        self.chain = chain
        self.seen = []

    def answer(self, static_uv, dynamic_uv):
        if dynamic_uv is not None and dynamic_uv.shape[1] == self.windows.n_dynamic:
            self.seen.append((standardised(static_uv), standardised(dynamic_uv)))
        return Answer(np.array([0.5, 0.5]), np.array([1.0]), (), np.zeros(2))


@pytest.mark.parametrize("block_s", [0.0, 0.33, 1.0])
def test_a_session_decodes_the_very_epochs_that_were_trained_on(recordings, recorded, chain, block_s):
    decoder = Keeps(chain)
    session = Session(
        XdfSource(recordings[0], block_s=block_s),
        lambda _: Setup(chain, patterns={"a": ["stim/*"]}),
        decoder=decoder,
    )
    session.open()
    while session.crank():
        pass
    session.finish()
    session.close()
    first = recorded.take(recorded.block == 0)
    assert len(decoder.seen) == len(first) == 24
    assert np.array_equal(np.stack([static for static, _ in decoder.seen]), first.static)
    assert np.array_equal(np.stack([dynamic for _, dynamic in decoder.seen]), first.dynamic)


def publish(folder, origin):
    """A folder in the layout, of noise: as somebody else's with `origin` None."""
    write_stimuli(folder, SmallSet(), origin or Origin(made_by="", simulated=False, causal=False), videos=False)
    if origin is None:
        (folder / "origin.json").unlink()
    rng = np.random.default_rng(3)
    labels = [label for label in labels_of(SmallSet()).values() for _ in range(4 if label.held_out else 2)]
    epochs = [(rng.standard_normal((64, 250)), rng.standard_normal((64, 600))) for _ in labels]
    return write_subject(folder, "sub01", labels, epochs)


def test_data_that_others_published_are_for_offline_use_and_have_their_channels(tmp_path):
    publish(tmp_path / "set", None)
    trials = from_eeg3d(tmp_path / "set", "sub01")
    assert trials.offline_reason == OFFLINE_REASON
    assert trials.channels == NEUROSCAN_64
    assert not trials.simulated
    assert set(trials.block) == {0}


def test_sorted_files_no_longer_tell_the_session(tmp_path):
    place = publish(tmp_path / "set", None)
    recorded = from_eeg3d(tmp_path / "set", "sub01")
    organise(place)
    for name in (NAMES_FILE, "process_data_1s_250Hz.npy", "process_data_6s_100Hz.npy"):
        (place / name).unlink()
    trials = from_eeg3d(tmp_path / "set", "sub01")
    assert set(trials.block) == {-1}
    item = Item("car", "08")
    first, second = (one.static[one.item == one.items.index(item)] for one in (trials, recorded))
    assert np.array_equal(first, second)


def test_without_a_table_of_colours_none_is_made_up(tmp_path):
    publish(tmp_path / "set", None)
    (tmp_path / "set" / "color_label.xlsx").unlink()
    assert set(from_eeg3d(tmp_path / "set", "sub01").colour) == {-1}


def test_an_unknown_participant_is_refused_with_those_there_are(dataset):
    with pytest.raises(SetUnusable, match="sub09"):
        from_eeg3d(dataset, "sub10")


def test_pictures_alone_are_refused_and_what_is_missing_is_named(chain):
    performance = plan(SimulateConfig(seed=9, n_categories=2, minutes=0.5))
    source = PlayedSource(performance)
    with pytest.raises(InputError, match=r"turn/<category>/<object>.*no turn after the picture: \d+.*eeg3d"):
        from_recordings([lambda: source], BuiltIn(), chain)
    with pytest.raises(InputError, match="at least one recording"):
        from_recordings([], BuiltIn(), chain)


def test_what_the_stimulus_set_has_not_got_is_refused(recordings, chain):
    some = Only(BuiltIn(), [item for item in BuiltIn().items if item.object != "05"])
    with pytest.raises(InputError, match=r"has not got, the first \w+/05"):
        from_recordings([lambda: XdfSource(recordings[0])], some, chain)


def test_trials_of_a_recording_that_no_live_stream_is_like_say_why(recordings, chain):
    class Offline(XdfSource):
        @property
        def info(self):
            return replace(super().info, extra={"offline_reason": "filtered backwards"})

    trials = from_recordings([lambda: Offline(recordings[0])], BuiltIn(), chain)
    assert trials.offline_only and trials.offline_reason == "filtered backwards"


def test_recordings_of_different_channels_do_not_go_together(recordings, chain):
    """The second has an electrode of another name."""
    file = recordings[1]

    class Renamed(XdfSource):
        @property
        def info(self):
            info = super().info
            return replace(info, channels=(replace(info.channels[0], name="Nz"), *info.channels[1:]))

    with pytest.raises(InputError, match=r"one set-up; file 1 has Fp1, .* file 2 has Nz, "):
        from_recordings([lambda: XdfSource(file), lambda: Renamed(file)], BuiltIn(), chain)
