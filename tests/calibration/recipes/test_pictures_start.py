import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from calibration.recipes import pictures_start
from calibration.recipes.pictures_start import ridge, tokens_of


@pytest.fixture(scope="module")
def known():
    random = torch.Generator().manual_seed(0)
    embeddings = 3 + torch.randn(200, 12, generator=random) @ torch.randn(12, 12, generator=random)
    latents = embeddings @ torch.randn(12, 5, generator=random) + torch.randn(200, 5, generator=random)
    return embeddings, latents.reshape(200, 5, 1, 1)


def test_the_ridge_is_the_one_that_others_find(known):
    embeddings, latents = known
    features = embeddings.numpy().astype(np.float64)
    penalty = pictures_start._RIDGE * len(features) * features.var(axis=0).mean()
    other = Ridge(alpha=penalty).fit(features, latents.flatten(1).numpy())
    assert ridge(*known)(embeddings).numpy() == pytest.approx(other.predict(features), rel=1e-6)


def test_tokens_hold_all_that_the_ridge_finds(known):
    found = ridge(*known)
    tokens = tokens_of(found, width=4, seed=0)
    held = known[0] @ tokens.weight.T + tokens.bias
    answer = found(known[0])
    beside = torch.cat([held.double(), torch.ones(len(held), 1, dtype=torch.float64)], dim=1)
    assert beside @ torch.linalg.lstsq(beside, answer, driver="gelsd").solution == pytest.approx(answer, abs=1e-4)


def test_each_token_has_a_constant_of_its_own(known):
    held = (known[0] @ tokens_of(ridge(*known), width=4, seed=0).weight.T).mean(dim=0)
    constants = (held + tokens_of(ridge(*known), width=4, seed=0).bias).reshape(4, 4)
    assert torch.pdist(constants).min() > 0.5
    other = (held + tokens_of(ridge(*known), width=4, seed=1).bias).reshape(4, 4)
    assert not torch.allclose(constants, other, atol=0.1)
