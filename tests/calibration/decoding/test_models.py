import json
import math
from dataclasses import replace

import numpy as np
import pytest

from calibration.decoding.models import ABOUT, WEIGHTS, load_model, making_of, read_about, save_model
from calibration.recipes.systems import systems
from engines.errors import InputError
from engines.models.base import n_parameters
from tests.calibration.decoding.trained import fit, quick, sets

KINDS = ("brainssd", "brainssd/static only", "neuro3d", "enigma", "ridge", "ridge/static only")


def made(folder, training, selection, fitted, **more):
    told = {"system": "brainssd", "size": "pocket", "seed": 3, "data": "planted"} | more
    return save_model(folder, fitted, making_of(training, selection, **told))


@pytest.fixture(scope="module")
def trials():
    return sets(n_repeats=1)


@pytest.fixture(scope="module")
def kept(trials, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    fitted = fit(*trials)
    made(folder, *trials, fitted, budget={"epochs": 4}, versions={"python": "3"})
    return folder, fitted


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))


@pytest.mark.parametrize("system", KINDS)
def test_a_model_answers_as_it_did_before_it_was_stored(system, trials, tmp_path):
    training, selection = trials
    fitted = quick(systems("pocket")[system]).fit(training.take(np.arange(8)), selection, 0)
    about = made(tmp_path, training, selection, fitted, system=system)
    loaded = load_model(tmp_path)
    for n_dynamic in (None, 0, 250):
        assert same(loaded.predict(selection, n_dynamic), fitted.predict(selection, n_dynamic))
    assert (loaded.score, loaded.history) == (fitted.score, fitted.history)
    assert about == read_about(tmp_path)


def test_it_says_what_it_is_and_what_it_was_made_of(trials, kept):
    training, (folder, fitted) = trials[0], kept
    about = read_about(folder)
    assert (about.system, about.size, about.seed, about.data, about.participant) == (
        "brainssd", "pocket", 3, "planted", "1"
    )  # fmt: skip
    assert about.training.digest == training.digest() != about.selection.digest
    assert (about.training.objects, about.selection.objects) == ((0, 1, 2, 3, 4, 5, 6), (7,))
    assert (about.categories, about.channels, about.encoder) == (training.categories, training.channels, "made up")
    assert about.simulated and not about.offline_only
    assert sum(about.work.parameters.values()) == n_parameters(fitted.network)
    assert about.work.flops == 2 * about.work.multiply_adds > 0
    assert [step.score for step in about.history] == [step.score for step in fitted.history]
    assert about.score == max(step.score for step in about.history)


def test_weights_that_are_not_those_described_are_refused(kept, tmp_path):
    folder = kept[0]
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (tmp_path / WEIGHTS).write_bytes(content)
    (tmp_path / ABOUT).write_bytes((folder / ABOUT).read_bytes())
    with pytest.raises(InputError, match=r"damaged or changed; train again"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema_version": 2}, "version 1, got 2"),
        ({"seed": "three"}, "seed"),
        ({"colour of the sky": "blue"}, "colour of the sky"),
        ({"kind": "oracle"}, "kind"),
        ({"config": {"n_channels": 4, "wings": 2}}, "wings"),
    ],
)
def test_a_description_that_does_not_fit_is_refused_by_name(change, said, kept, tmp_path):
    folder = kept[0]
    (tmp_path / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes())
    values = json.loads((folder / ABOUT).read_text()) | change
    (tmp_path / ABOUT).write_text(json.dumps(values))
    with pytest.raises(InputError, match=said):
        load_model(tmp_path)


def test_a_folder_without_a_model_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError, match="afterimage train"):
        load_model(tmp_path)


def test_a_damaged_description_is_refused(tmp_path):
    (tmp_path / ABOUT).write_text("{")
    with pytest.raises(InputError, match="damaged"):
        read_about(tmp_path)


def test_offline_only_is_kept_with_its_reason(trials, tmp_path):
    training, selection = (replace(part, offline_reason="filtered without cause") for part in trials)
    about = made(tmp_path, training, selection, fit(*trials))
    assert about.offline_only and read_about(tmp_path).offline_reason == "filtered without cause"
    assert math.isfinite(about.score)
