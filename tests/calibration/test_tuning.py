import json
from dataclasses import replace

import numpy as np
import pytest

from calibration import tuning
from calibration.decoding.models import load_model
from calibration.decoding.read import from_eeg3d
from calibration.sets.errors import SetUnusable
from calibration.stimuli import Item
from calibration.train import Order
from calibration.tuning import AdapterOrder, pairs_of
from engines.errors import InputError
from engines.generators import ip_adapter, pocket
from tests.calibration.decoding.folders import small_folder
from tests.engines.generators.small_sdxl import SIZE_PX, saved, saved_adapter

# torch's tensors still answer numpy's `__array__` in the old way, and diffusers' schedulers ask it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return small_folder(tmp_path_factory.mktemp("data") / "eeg3d", subjects=("sub01",), repeats=1, categories=2)


@pytest.fixture(scope="module")
def model(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("model")
    Order(data, "sub01", "ridge", out)()
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A pocket pipeline that was never trained, for embeddings of the pocket vision encoder."""
    made = saved(tmp_path_factory.mktemp("sdxl"))
    saved_adapter(made / pocket.ADAPTER, dim=1024)
    came = {"trained_on": "", "selected_on": "", "encoder": "pocket-vision-1", "seed": 0, "scores": {}, "told": ""}
    (made / "origin.json").write_text(json.dumps(came))
    return made


@pytest.fixture
def small(folder, monkeypatch):
    monkeypatch.setattr(tuning, "pocket_pictures", lambda device: pocket.pocket_pictures(device, folder))
    return folder


def test_an_adapter_is_tuned_to_a_decoder_and_the_pocket_generator_takes_it(data, model, small, tmp_path):
    steps = []
    told = AdapterOrder(data, model, tmp_path, epochs=2)(steps.append)
    assert [step.epoch for step in steps] == [1, 2]
    assert told["n_pairs"] == {"training": 14, "selection": 2}
    assert told["pocket"] and told["simulated"] and len(told["warnings"]) >= 2
    assert (tmp_path / "adapter.png").stat().st_size > 1000 and not (tmp_path / "checkpoint.pt").exists()
    origin = ip_adapter.origin(tmp_path / "adapter.safetensors")
    assert (origin.base, origin.encoder, origin.simulated) == ("pocket", "pocket-vision-1", True)
    assert origin.scores["selection loss"] == min(told["selection_losses"])
    generator = pocket.pocket_pictures("cpu", small, tmp_path / "adapter.safetensors")
    assert generator.name.endswith("tuned adapter")
    assert generator.pictures(np.zeros((1, 1024), np.float32), [0]).shape == (1, SIZE_PX, SIZE_PX, 3)
    with pytest.raises(InputError, match="holds an adapter already"):
        AdapterOrder(data, model, tmp_path).check()


def test_pairs_are_what_the_decoder_says_with_the_length_of_true_embeddings(data, model):
    trials = from_eeg3d(data, "sub01", objects=range(7))
    pairs = pairs_of(load_model(model), trials, tuning.Eeg3d(data), SIZE_PX)
    true = trials.targets[trials.item]
    assert pairs.embeddings.std(axis=0).mean() == pytest.approx(true.std(axis=0).mean(), rel=0.2)
    assert pairs.pictures.shape == (14, SIZE_PX, SIZE_PX, 3)
    shown = [trials.items[item] for item in np.unique(trials.item)]
    assert [shown[i] for i in pairs.item] == [trials.items[item] for item in trials.item]
    assert all(isinstance(item, Item) and item.object < "07" for item in shown)


def test_a_model_that_has_seen_the_object_it_is_chosen_by_is_refused(data, model, tmp_path, monkeypatch):
    about = tuning.read_about(model)
    seen = about.training.model_copy(update={"objects": (*range(8),)})
    monkeypatch.setattr(tuning, "read_about", lambda folder: about.model_copy(update={"training": seen}))
    with pytest.raises(InputError, match="trained on objects 07"):
        AdapterOrder(data, model, tmp_path).check()


def test_what_is_not_there_is_said_early(data, model, tmp_path):
    order = AdapterOrder(data, model, tmp_path)
    with pytest.raises(InputError, match="expected a picture generator"):
        replace(order, generator="dall-e").check()
    with pytest.raises(InputError, match="no trained model"):
        replace(order, model=tmp_path).check()
    with pytest.raises((InputError, SetUnusable)):
        replace(order, data=tmp_path).check()


def test_data_of_other_embeddings_than_the_models_are_refused(data, model, small, tmp_path, monkeypatch):
    read = tuning.from_eeg3d
    monkeypatch.setattr(tuning, "from_eeg3d", lambda *args: replace(read(*args), encoder="another"))
    with pytest.raises(InputError, match="other encoder"):
        AdapterOrder(data, model, tmp_path)()
