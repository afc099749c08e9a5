import numpy as np
import pytest

from calibration.datasets.eeg3d import Eeg3d, Origin
from calibration.datasets.eeg3d_features import Features, write_features
from calibration.datasets.eeg3d_write import labels_of, write_stimuli
from calibration.decoding.targets import PUBLISHED_NAME, targets_of
from calibration.sets.errors import SetUnusable
from engines.errors import InputError
from engines.vision.pocket import PocketVision
from tests.calibration.sets.small_set import SmallSet


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "set"
    write_stimuli(place, SmallSet(), Origin(made_by="a test", simulated=True, causal=True), videos=False)
    return place


def publish(folder, n=30):
    rng = np.random.default_rng(1)
    lengths = {"text": 1024, "video": 1024, "point": 768}
    features = {
        label.key: Features(**{k: rng.standard_normal(m).astype(np.float32) for k, m in lengths.items()})
        for label in list(labels_of(SmallSet()).values())[:n]
    }
    write_features(folder / "clip_feature.pth", features)
    return features


def test_pictures_are_embedded_raw_by_the_pocket_encoder_where_nothing_is_published(folder):
    stimuli = Eeg3d(folder)
    items = stimuli.items[3:6]
    encoder = PocketVision.load()
    for asked in ("auto", "pocket"):
        name, raw = targets_of(stimuli, items, asked)
        assert name == encoder.name
        expected = [encoder.embed(np.array(stimuli.picture(item))[None])[0] for item in items]
        assert np.array_equal(raw, np.stack(expected))


def test_published_embeddings_are_taken_where_they_are_and_the_name_says_so(folder):
    features = publish(folder)
    stimuli = Eeg3d(folder)
    items = stimuli.items[::-1]
    for asked in ("auto", "published"):
        name, raw = targets_of(stimuli, items, asked)
        assert name == PUBLISHED_NAME
        assert np.array_equal(raw, np.stack([features[stimuli.label(item).key].video for item in items]))
    assert targets_of(stimuli, items[:1], "pocket")[0] != PUBLISHED_NAME


def test_nothing_stands_in_for_published_embeddings(folder):
    with pytest.raises(SetUnusable, match=r"no clip_feature\.pth"):
        targets_of(Eeg3d(folder), Eeg3d(folder).items, "published")
    publish(folder, n=29)
    stimuli = Eeg3d(folder)
    with pytest.raises(SetUnusable, match="lacks 1 of 30"):
        targets_of(stimuli, stimuli.items, "auto")


def test_unknown_encoders_and_missing_weights_are_told():
    with pytest.raises(InputError, match="auto, published, pocket, openclip"):
        targets_of(SmallSet(), SmallSet.items, "dino")
    with pytest.raises(InputError, match="weights"):
        targets_of(SmallSet(), SmallSet.items, "openclip")
