import pytest
import torch

from calibration.recipes.disturbed import Pool, disturbed


def spread_unevenly(n=6000):
    """Embeddings whose axes vary by up to a hundred to one."""
    random = torch.Generator().manual_seed(0)
    return 3 + torch.randn(n, 40, generator=random) * torch.logspace(0, -1, 40), random


@pytest.mark.parametrize("certainty", [0.1, 0.5, 0.9])
def test_disturbed_embeddings_are_as_long_as_true_ones_and_agree_as_far_as_they_are_certain(certainty):
    raw, random = spread_unevenly()
    pool = Pool.of(raw)
    seen = disturbed(raw, pool, torch.full((len(raw), 1), certainty), random)
    true, seen = (some - some.mean(dim=0) for some in (raw, seen))
    assert float(seen.square().sum() / true.square().sum()) == pytest.approx(1, abs=0.03)
    expected = float((certainty * seen * true).sum() / (certainty * seen).square().sum())
    assert expected == pytest.approx(1, abs=0.05), "the certain part is what a regression expects"


def test_some_disturbances_leave_the_axes_that_vary_most_clearer_than_others():
    raw, random = spread_unevenly()
    pool = Pool.of(raw)
    seen = disturbed(raw, pool, torch.full((len(raw), 1), 0.5), random)
    clear = [float(torch.corrcoef(torch.stack([raw[:, k], seen[:, k]]))[0, 1]) for k in (0, -1)]
    assert clear[0] > clear[1] + 0.1
