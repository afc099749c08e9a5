import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from calibration.losses import (
    KERNEL_WIDTHS,
    NEURO3D_FORM,
    Answers,
    LossConfig,
    LossWeights,
    MomentumCovariance,
    PrototypeAlignment,
    Truth,
    WeightedLoss,
    contrastive,
    covariance,
    mmd,
    spectral_calibration,
)
from engines.errors import InputError

DIM, CATEGORIES, COLOURS = 6, 4, 3
CONFIG = LossConfig(dim=DIM, categories=CATEGORIES)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def log_softmax(rows):
    return rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))


def plain_contrastive(embedding, target, scale, item):
    """Row by row, one right picture after the other."""
    logits = scale * embedding @ target.T
    total = 0.0
    for scores in (logits, logits.T):
        logp = log_softmax(scores)
        for i in range(len(item)):
            right = [j for j in range(len(item)) if item[j] == item[i]]
            total -= np.mean([logp[i, j] for j in right]) / (2 * len(item))
    return total


def plain_mmd(first, second):
    pooled = np.concatenate([first, second])
    apart = np.linalg.norm(pooled[:, None] - pooled[None], axis=-1)
    others = np.sort(apart[~np.eye(len(pooled), dtype=bool)])
    median = others[(len(others) - 1) // 2]

    def kernel(a, b):
        d = np.linalg.norm(a[:, None] - b[None], axis=-1)
        return np.mean([np.exp(-(d**2) / (2 * (w * median) ** 2)) for w in KERNEL_WIDTHS], axis=0).mean()

    return kernel(first, first) + kernel(second, second) - 2 * kernel(first, second)


def batch(seed=0, n=8):
    answers = Answers(*(torch.from_numpy(noise(n, k, seed=seed + i)) for i, k in enumerate((DIM, CATEGORIES, COLOURS))))
    item = torch.tensor([0, 0, 1, 2, 3, 3, 3, 4])[:n]
    pictures = torch.from_numpy(noise(5, DIM, seed=seed + 9))
    return answers, Truth(pictures[item], item, item % CATEGORIES, item % COLOURS)


def test_covariance_is_numpys():
    rows = noise(9, DIM)
    np.testing.assert_allclose(covariance(torch.from_numpy(rows)).numpy(), np.cov(rows.T), atol=1e-12)


def test_covariance_is_the_published_expression():
    z = noise(9, DIM)
    ones = np.ones((9, 1))
    published = (z.T @ z - (ones.T @ z).T @ (ones.T @ z) / 9) / 8
    np.testing.assert_allclose(covariance(torch.from_numpy(z)).numpy(), published, atol=1e-12)


def test_spectral_calibration_is_the_published_formula():
    z, target = noise(9, DIM), np.cov(noise(20, DIM, seed=1).T)
    expected = np.linalg.norm(np.cov(z.T) - target, "fro") ** 2 / (4 * DIM**2)
    assert float(spectral_calibration(torch.from_numpy(z), torch.from_numpy(target))) == pytest.approx(expected)


def test_the_momentum_covariance_starts_from_the_first_batch_and_rests_in_evaluation():
    momentum = MomentumCovariance(DIM, 0.9).double()
    first, second = noise(9, DIM), noise(9, DIM, seed=1)
    momentum(torch.from_numpy(first))
    np.testing.assert_allclose(momentum.value.numpy(), np.cov(first.T), atol=1e-12)
    momentum(torch.from_numpy(second))
    expected = 0.9 * np.cov(first.T) + 0.1 * np.cov(second.T)
    np.testing.assert_allclose(momentum.value.numpy(), expected, atol=1e-12)
    momentum.eval()(torch.from_numpy(first))
    np.testing.assert_allclose(momentum.value.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("item", [[0, 1, 2, 3, 4], [0, 0, 1, 2, 2]])
def test_the_contrastive_term_is_its_formula_and_repeats_are_all_right(normalised, item):
    embedding, target = noise(5, DIM), noise(5, DIM, seed=1)
    ours = contrastive(
        torch.from_numpy(embedding), torch.from_numpy(target), torch.tensor(3.0), torch.tensor(item), normalised
    )
    rows = (unit(embedding), unit(target)) if normalised else (embedding, target)
    assert float(ours) == pytest.approx(plain_contrastive(*rows, 3.0, item))


def value_and_gradient(answer, target, item):
    answer = answer.clone().requires_grad_()
    loss = contrastive(answer, target, torch.tensor(5.0), item)
    loss.backward()
    return loss.detach(), answer.grad


def test_repeats_with_the_very_same_embedding_need_no_naming_and_views_of_one_item_do():
    answer, item = torch.from_numpy(noise(8, DIM)), torch.arange(8) // 2
    same = torch.from_numpy(noise(4, DIM, seed=1))[item]
    torch.testing.assert_close(value_and_gradient(answer, same, item), value_and_gradient(answer, same, None))
    views = same + torch.from_numpy(noise(8, DIM, seed=2))
    named, unnamed = value_and_gradient(answer, views, item), value_and_gradient(answer, views, None)
    assert not torch.allclose(named[1], unnamed[1])


def test_the_scale_is_exponentiated_and_bounded_unless_the_published_form_is_asked_for():
    answers, truth = batch()
    only = LossWeights(0, 1, 0, 0, 0, 0)
    rows = (answers.embedding.numpy(), truth.embedding.numpy())
    item = truth.item.tolist()

    def term(config):
        return WeightedLoss(replace(config, dim=DIM, weights=only)).double()(answers, truth).terms["contrastive"]

    units = tuple(map(unit, rows))
    assert term(CONFIG) == pytest.approx(plain_contrastive(*units, 1 / 0.07, item))
    assert term(replace(CONFIG, log_scale=9.0)) == pytest.approx(plain_contrastive(*units, 100.0, item))
    assert term(NEURO3D_FORM) == pytest.approx(plain_contrastive(*rows, math.log(100), item))


def test_mmd_is_its_formula():
    first, second = noise(5, DIM), noise(7, DIM, seed=1) + 1
    assert float(mmd(*map(torch.from_numpy, (first, second)))) == pytest.approx(plain_mmd(first, second))


def test_mmd_of_equal_sets_is_nothing_and_grows_with_distance():
    rows = torch.from_numpy(noise(6, DIM))
    values = [float(mmd(rows, rows + shift)) for shift in (0.0, 0.5, 2.0)]
    assert values[0] == pytest.approx(0, abs=1e-12)
    assert values == sorted(values)


def test_prototypes_are_momentum_means_of_directions_among_the_categories_seen():
    align = PrototypeAlignment(CATEGORIES, DIM, 0.9).double()
    category = np.array([0, 0, 2, 2, 2])
    eeg, pictures = np.zeros((CATEGORIES, DIM)), np.zeros((CATEGORIES, DIM))
    for step in range(2):
        z, v = noise(5, DIM, seed=step), noise(5, DIM, seed=step + 5)
        loss = align(*map(torch.from_numpy, (z, v, category)))
        for rows, prototypes in ((z, eeg), (v, pictures)):
            for c in (0, 2):
                mean = unit(rows)[category == c].mean(axis=0)
                prototypes[c] = mean if step == 0 else 0.9 * prototypes[c] + 0.1 * mean
        assert float(loss) == pytest.approx(plain_mmd(unit(eeg[[0, 2]]), unit(pictures[[0, 2]])))
    np.testing.assert_allclose(align.eeg.numpy(), eeg, atol=1e-12)
    assert align.seen.tolist() == [True, False, True, False]
    before = align.eeg.clone()
    align.eval()(*map(torch.from_numpy, (z, v, category)))
    assert torch.equal(align.eeg, before)


def test_prototypes_pass_gradients_to_the_current_answers_alone():
    align = PrototypeAlignment(CATEGORIES, DIM, 0.9).double()
    category = torch.tensor([0, 0, 1, 2, 3])
    old = torch.from_numpy(noise(5, DIM)).requires_grad_()
    align(old, torch.from_numpy(noise(5, DIM, seed=1)), category)
    new = torch.from_numpy(noise(5, DIM, seed=2)).requires_grad_()
    pictures = torch.from_numpy(noise(5, DIM, seed=3)).requires_grad_()
    align(new, pictures, category).backward()
    assert new.grad.abs().max() > 0
    assert old.grad is None
    assert pictures.grad is None


def test_prototypes_never_trained_cannot_be_evaluated():
    with pytest.raises(InputError, match="train on a batch before evaluating"):
        WeightedLoss(CONFIG).double().eval()(*batch())


def test_the_total_is_the_weighted_sum_of_plain_terms():
    answers, truth = batch()
    weights = LossWeights(2.0, 3.0, 5.0, 7.0, 11.0, 13.0)
    class_weights = (1.0, 1.0, 0.1)
    loss = WeightedLoss(replace(CONFIG, weights=weights, colour_weights=class_weights)).double()
    losses = loss(answers, truth)
    z, v = answers.embedding.numpy(), truth.embedding.numpy()
    category, colour = truth.category.numpy(), truth.colour.numpy()
    rows = np.arange(len(z))
    own = np.array(class_weights)[colour]
    seen = np.unique(category)
    prototypes = [np.stack([unit(rows_)[category == c].mean(axis=0) for c in seen]) for rows_ in (z, v)]
    plain = {
        "squared_error": np.mean((z - v) ** 2),
        "contrastive": plain_contrastive(unit(z), unit(v), 1 / 0.07, truth.item.tolist()),
        "category": -np.mean(log_softmax(answers.category.numpy())[rows, category]),
        "colour": -np.sum(own * log_softmax(answers.colour.numpy())[rows, colour]) / own.sum(),
        "spectral": np.sum((np.cov(z.T) - np.cov(v.T)) ** 2) / (4 * DIM**2),
        "prototypes": plain_mmd(*map(unit, prototypes)),
    }
    assert losses.terms == pytest.approx(plain, rel=1e-6)
    assert float(losses.total.detach()) == pytest.approx(
        sum(vars(weights)[name] * plain[name] for name in plain), rel=1e-6
    )


def test_gradients_reach_all_answers_and_the_scale():
    answers, truth = batch()
    answers = Answers(*(part.requires_grad_() for part in answers))
    loss = WeightedLoss(CONFIG).double()
    loss(answers, truth).total.backward()
    assert all(part.grad.abs().max() > 0 for part in (*answers, loss.log_scale))


def test_a_term_of_factor_nought_is_left_out_and_keeps_no_state():
    loss = WeightedLoss(replace(CONFIG, weights=LossWeights(spectral=0.0, prototypes=0.0))).double()
    terms = loss(*batch()).terms
    assert set(terms) == {"squared_error", "contrastive", "category", "colour"}
    assert int(loss.covariance.batches) == 0


def test_momentum_terms_are_saved_with_the_training_state():
    first, second = WeightedLoss(CONFIG).double(), WeightedLoss(CONFIG).double()
    first(*batch())
    second.load_state_dict(first.state_dict())
    assert first(*batch(seed=3)).terms == second(*batch(seed=3)).terms


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LossWeights(contrastive=-1.0), "factors of 0 or more"),
        (lambda: LossConfig(momentum=1.0), "0 to below 1; got 1"),
        (lambda: WeightedLoss(CONFIG).double()(*(type(x)(*(p[:1] for p in x)) for x in batch())), "two trials or more"),
        (lambda: WeightedLoss(replace(CONFIG, weights=LossWeights(0, 0, 0, 0, 0, 0)))(*batch()), "got none"),
    ],
)
def test_what_cannot_be_summed_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
