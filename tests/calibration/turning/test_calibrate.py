import subprocess
import sys
from dataclasses import replace

import pytest

from calibration.decoding.fit import n_batches
from calibration.objects.builtin import BuiltIn
from calibration.recipes import networks
from calibration.turning.calibrate import LEAST_STEPS, anytime_chain, calibrate, enough, recipe_of
from calibration.turning.order import SIZES, is_of_two_windows
from engines.errors import InputError
from pipeline.preprocess import ChainConfig
from tests.scripted import EEG


def test_a_short_calibration_trains_for_as_many_steps_as_a_long_one():
    recipe = recipe_of("brainssd", "pocket")
    short, long = enough(recipe, 100, None), enough(recipe, 5000, None)
    assert short.budget.epochs * n_batches(100, recipe.budget.batch) >= LEAST_STEPS
    assert long.budget.epochs == recipe.budget.epochs
    assert enough(recipe, 100, 3).budget.epochs == 3


def test_the_chain_runs_at_the_rate_of_the_picture():
    chain = ChainConfig()
    assert anytime_chain(chain, replace(EEG, sfreq_hz=250.0)).rate_hz is None
    assert anytime_chain(chain, replace(EEG, sfreq_hz=1000.0)).rate_hz == 250.0


def test_what_must_be_learnt_from_a_stretch_of_its_own_is_refused():
    with pytest.raises(InputError, match="asr learn from a stretch"):
        anytime_chain(ChainConfig(asr=True), EEG)


@pytest.mark.parametrize("system", ["ridge", "brainssd/without sense"])
def test_a_system_that_is_no_network_is_refused_with_those_that_are(system):
    with pytest.raises(InputError, match="among brainssd, brainssd/without hierarchy"):
        recipe_of(system, "pocket")


def test_a_system_that_needs_the_whole_turn_is_refused():
    with pytest.raises(InputError, match="before the turn ends"):
        calibrate([lambda: None], recipe_of("neuro3d", "pocket"), BuiltIn(), size="pocket", where="builtin")


def test_the_order_knows_the_families_and_sizes_without_loading_torch():
    names = ("brainssd", "brainssd/without coupling", "neuro3d", "enigma")
    assert all(is_of_two_windows(name) for name in names) and not is_of_two_windows("ridge")
    assert set(SIZES) == set(networks.SIZES)
    said = "import sys, calibration.turning.order, calibration.subjects; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", said], check=False).returncode == 0
