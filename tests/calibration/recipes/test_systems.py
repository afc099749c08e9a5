from dataclasses import fields, replace

import numpy as np
import pytest

from calibration.decoding.fitted import FittedNetwork
from calibration.losses import NEURO3D_FORM, LossWeights
from calibration.recipes.systems import band_pairs, systems, with_budget
from engines.errors import InputError
from engines.models.bands import pairs
from engines.models.brainssd import VARIANTS
from tests.calibration.decoding.planted import planted
from tests.calibration.decoding.trained import quick

TRAINING, SELECTION = planted(range(7), 3, 1, seed=1).take(np.arange(8)), planted([7], 3, 1, seed=2)


def one_step(size, name):
    return quick(systems(size)[name]).fit(TRAINING, SELECTION, 0)


def check(fitted):
    for n_dynamic in (None, 0, 130):
        said = fitted.predict(SELECTION, n_dynamic)
        assert (said.embedding.shape, said.category.shape, said.colour.shape) == ((3, 16), (3, 3), (3, 6))
        assert all(np.isfinite(part).all() for part in vars(said).values())


@pytest.mark.parametrize("name", systems("pocket"))
def test_every_system_of_pocket_size_takes_a_step_and_answers(name):
    check(one_step("pocket", name))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["brainssd", "neuro3d", "enigma"])
def test_the_networks_of_full_size_take_a_step_and_answer(name):
    check(one_step("full", name))


def test_both_sizes_have_the_same_systems_brainssd_first():
    assert list(systems("pocket")) == list(systems("full"))
    assert next(iter(systems("full"))) == "brainssd"
    assert all(recipe.name == name for name, recipe in systems("pocket").items())
    assert {f"brainssd/{variant}" for variant in VARIANTS if variant != "brainssd"} <= set(systems("full"))


def test_every_term_of_the_loss_is_left_out_of_one_system():
    known = systems("pocket")
    whole = known["brainssd"].weights
    left_out = [recipe.weights for name, recipe in known.items() if name.startswith("brainssd/without ")]
    alone = [
        [term.name for term in fields(LossWeights) if getattr(weights, term.name) != getattr(whole, term.name)]
        for weights in left_out
    ]
    assert sorted(term for terms in alone for term in terms) == sorted(term.name for term in fields(LossWeights))
    assert all(getattr(weights, terms[0]) == 0 for weights, terms in zip(left_out, alone, strict=True) if terms)


@pytest.mark.parametrize("name", ["brainssd", "neuro3d"])
def test_the_contrastive_term_of_public_code_is_a_system_of_its_own(name):
    known = systems("pocket")
    ours, published = known[name].loss(TRAINING), known[f"{name}/published contrastive"].loss(TRAINING)
    for switch in ("exponentiated", "normalised", "log_scale"):
        assert getattr(published, switch) == getattr(NEURO3D_FORM, switch) != getattr(ours, switch)
    assert replace(published, exponentiated=True, normalised=True, log_scale=ours.log_scale) == ours


def test_epochs_and_rate_can_be_changed_where_there_are_any():
    recipe = systems("pocket")["neuro3d"]
    changed = with_budget(recipe, 3, 2e-3).budget
    assert (changed.epochs, changed.learning_rate) == (3, 2e-3)
    assert with_budget(recipe, learning_rate=3e-3).budget == replace(recipe.budget, learning_rate=3e-3)
    assert with_budget(recipe) is recipe
    for rate in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="learning rate above 0"):
            with_budget(recipe, learning_rate=rate)
    with pytest.raises(InputError, match="leave out --learning-rate"):
        with_budget(systems("pocket")["ridge"], learning_rate=1e-3)


def test_every_pair_of_bands_that_the_rates_carry_is_a_system_once():
    made = {
        (config.phase, config.amplitude)
        for config in [*VARIANTS.values(), *band_pairs().values()]
        if config.pac and config.coupling == "across"
    }
    allowed = {pair for pair, reason in pairs(250.0, 100.0).items() if reason is None}
    assert made == allowed
    assert len(allowed) == 6
    assert set(band_pairs()) <= set(systems("pocket"))


def test_another_size_is_refused():
    with pytest.raises(InputError, match="full, pocket"):
        systems("huge")


@pytest.mark.parametrize("name", [name for name, recipe in systems("pocket").items() if hasattr(recipe, "budget")])
def test_all_networks_have_one_budget_but_for_the_learning_rate(name):
    common, own = vars(systems("pocket")["brainssd"].budget), vars(systems("pocket")[name].budget)
    assert {key for key in common if common[key] != own[key]} <= {"learning_rate"}


def test_the_weights_of_colours_go_down_with_how_often_they_were_shown():
    recipe = systems("pocket")["brainssd"]
    often = TRAINING.take(
        np.concatenate([np.arange(8), np.flatnonzero(TRAINING.colour == TRAINING.colour[0]).repeat(9)])
    )
    weights = recipe.loss(often).colour_weights
    assert weights is not None and max(weights) == 1.0
    assert weights[TRAINING.colour[0]] == min(w for w in weights if w > 0)


def test_the_seed_makes_the_network_too():
    one, other = (quick(systems("pocket")["enigma"]).fit(TRAINING, SELECTION, seed) for seed in (0, 1))
    assert isinstance(one, FittedNetwork)
    assert not np.array_equal(one.predict(SELECTION).embedding, other.predict(SELECTION).embedding)
