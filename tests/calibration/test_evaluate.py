from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from calibration.baselines import BASELINE, System, fit_evoked, fit_flicker, fit_power, fit_tangent, linear_systems
from calibration.evaluate import evaluate
from engines.errors import InputError
from pipeline.epochs import EpochConfig
from tests.calibration.synthetic import EVOKED, FS, LONG, epoch_set, evoked_set, mixed_noise

LDA = System(BASELINE, "evoked", fit_evoked(0.05))
OSCILLATORY = (
    System(BASELINE, "long", fit_evoked(0.1)),
    System("bandpower", "long", fit_power),
    System("riemann", "long", fit_tangent),
)


def test_a_real_effect_is_found_and_the_row_says_all():
    found = evaluate({"evoked": evoked_set(0, effect_uv=12.0)}, linear_systems(), n_permutations=199)
    row = found.rows[0].to_dict()
    assert list(row) == ["system", "scheme", "metric", "mean", "ci95", "chance", "p_permutation", "n"]
    assert row["metric"] == "balanced accuracy" and row["n"] == 80 and row["chance"] == 0.5
    assert row["mean"] > 0.8 and row["ci95"][0] > 0.6 and row["p_permutation"] == 0.005
    assert np.trace(found.confusion) / found.confusion.sum() == pytest.approx(row["mean"], abs=0.02)


def test_the_chosen_system_comes_first_and_the_baseline_is_among_the_rows():
    sets = {"evoked": evoked_set(1, effect_uv=12.0)}
    for asked in ("auto", "ridge", BASELINE):
        found = evaluate(sets, linear_systems(), asked, n_permutations=0)
        assert found.rows[0].system == found.system.name
        assert BASELINE in [r.system for r in found.rows]
        assert found.rows[0].p_permutation is None
    assert evaluate(sets, linear_systems(), "ridge", n_permutations=0).system.name == "ridge"


def test_shuffled_labels_decode_at_chance():
    rng = np.random.default_rng(2)
    means = []
    for seed in range(12):
        one = evoked_set(seed, n=60, effect_uv=12.0)
        shuffled = replace(one, labels=rng.permutation(one.labels))
        means.append(evaluate({"evoked": shuffled}, [LDA], BASELINE, n_permutations=0).rows[0].mean)
    assert abs(np.mean(means) - 0.5) < 0.06


def planted(seed, same_everywhere):
    """Class 1 has extra variance along one direction, class 0 along another; the directions are new in every block."""
    rng = np.random.default_rng(seed)
    n, n_blocks, n_channels = 80, 5, 6
    labels = np.concatenate([rng.permutation(np.arange(n // n_blocks) % 2) for _ in range(n_blocks)])
    data = rng.standard_normal((n, n_channels, LONG.n_samples(FS))) * 5
    directions = None
    for block in range(n_blocks):
        if directions is None or not same_everywhere:
            directions = np.linalg.qr(rng.standard_normal((n_channels, 2)))[0].T
        for trial in range(block * n // n_blocks, (block + 1) * n // n_blocks):
            data[trial] += directions[labels[trial], :, None] * rng.standard_normal(data.shape[2]) * 15
    return epoch_set(data, labels, epoch=LONG, spacing_s=10.0)


def test_a_label_planted_in_the_tested_trials_covariance_is_not_found():
    """Only a decoder that has looked at the tested trials could know the directions of their block."""
    trapped = [
        evaluate({"long": planted(seed, same_everywhere=False)}, OSCILLATORY, "riemann", n_permutations=0).rows[0].mean
        for seed in range(4)
    ]
    assert np.mean(trapped) < 0.62
    real = evaluate({"long": planted(0, same_everywhere=True)}, OSCILLATORY, "riemann", n_permutations=0)
    assert real.rows[0].mean > 0.9


def test_no_fit_ever_sees_a_trial_that_its_fold_tests():
    one = evoked_set(3, n=40)
    one.data[:, 0, 0] = np.arange(40)  # every epoch carries its number
    overlaps = []

    def spying(epochs, sfreq_hz, epoch):
        seen = set(epochs[:, 0, 0])
        features = fit_evoked(0.05)(epochs, sfreq_hz, epoch)

        def apply(tested):
            overlaps.append(len(seen & set(tested[:, 0, 0])) / len(tested))
            return features(tested)

        return apply if len(seen) < 40 else features

    systems = [System(BASELINE, "evoked", spying), System("other", "evoked", spying)]
    evaluate({"evoked": one}, systems, n_permutations=0)
    # Every fit is applied to its tested trials, then to its training trials: nothing in between.
    assert set(overlaps) == {0.0, 1.0} and len(overlaps) > 20


def test_the_permutation_p_is_uniform_without_an_effect():
    ps = [
        evaluate({"evoked": evoked_set(seed, n=40, n_channels=3)}, [LDA], BASELINE, n_permutations=39)
        .rows[0]
        .p_permutation
        for seed in range(100, 180)
    ]
    # Ties make the test conservative: few p are small, and not fewer than ties explain.
    assert stats.binomtest(int(np.sum(np.array(ps) <= 0.1)), len(ps), 0.1).pvalue > 0.01
    assert 0.4 < np.mean(ps) < 0.68


@pytest.mark.slow
def test_the_permutation_p_is_uniform_although_the_system_is_chosen():
    """The choice among systems and penalties is part of what is permuted."""
    ps = [
        evaluate({"evoked": evoked_set(seed, n=40, n_channels=3)}, linear_systems(), n_permutations=39)
        .rows[0]
        .p_permutation
        for seed in range(200, 260)
    ]
    assert stats.binomtest(int(np.sum(np.array(ps) <= 0.1)), len(ps), 0.1).pvalue > 0.01
    assert 0.4 < np.mean(ps) < 0.68


def test_permuted_labels_get_the_answers_of_a_fit_of_their_own():
    """The refit by class means alone equals evaluating the shuffled labels as if they were true."""
    from calibration.candidates import Problem, answers_of
    from calibration.evaluate import design_for
    from calibration.folds import blocks_of, folds
    from calibration.stats import permuted

    sets = {"evoked": evoked_set(4, n=40, effect_uv=8.0)}
    design = design_for(sets, "evoked")
    blocks = blocks_of(design)
    shuffled = permuted(design.trial_labels, blocks, 5, seed=0)
    systems = linear_systems()[:2]
    fold = list(folds(design, blocks))[2]
    together = answers_of(Problem(sets, systems, design, np.vstack([design.trial_labels, shuffled])), fold)
    for number, labels in enumerate(shuffled):
        alone = answers_of(Problem(sets, systems, design, labels[None]), fold)
        assert np.array_equal(alone.answers[:, 0], together.answers[:, number + 1])


def test_windows_of_one_trial_count_once():
    rng = np.random.default_rng(5)
    trials = rng.permutation(np.arange(30) % 2)
    labels = np.repeat(trials, 8)
    one = epoch_set(mixed_noise(rng, 240, 4, EVOKED.n_samples(FS)), labels)
    one = replace(one, begun=np.repeat(np.arange(30), 8))
    found = evaluate({"evoked": one}, [LDA], n_permutations=19)
    assert found.rows[0].n == 30 == found.n_trials == found.confusion.sum()


def test_the_final_model_answers_its_own_epochs_with_probabilities():
    one = evoked_set(6, effect_uv=12.0)
    model = evaluate({"evoked": one}, linear_systems(), n_permutations=0).model
    p = np.stack([model.probabilities(e) for e in one.data])
    assert p.shape == (80, 2) and np.allclose(p.sum(axis=1), 1.0)
    assert np.mean(p.argmax(axis=1) == one.labels) > 0.8


def test_confidence_is_fitted_on_held_out_trials_and_so_modest_without_an_effect():
    one = evoked_set(7, n=100, n_channels=8)
    model = evaluate({"evoked": one}, [LDA], n_permutations=0).model
    fresh = evoked_set(8, n=100, n_channels=8)
    confidence = np.mean([model.probabilities(e).max() for e in fresh.data])
    assert confidence < 0.65


def test_one_trial_a_class_is_answered_without_training_only():
    rng = np.random.default_rng(9)
    labels = np.repeat([0, 1, 2], 20)
    window = EpochConfig(0.0, 3.0, None)
    flicker = (10.0, 12.0, 15.0)
    times = np.arange(300) / FS
    data = rng.standard_normal((60, 4, 300)) + np.sin(2 * np.pi * np.array(flicker)[labels][:, None, None] * times)
    one = epoch_set(data, labels, epoch=window, spacing_s=0.33, n_classes=3)
    systems = [System("cca", "long", fit_flicker(flicker), ()), System(BASELINE, "long", fit_evoked(0.1))]
    found = evaluate({"long": one}, systems, n_permutations=99)
    assert found.rows[0].system == "cca" and found.rows[0].n == 3 and found.rows[0].p_permutation > 0.05
    said = " ".join(found.warnings)
    assert "confounded" in said and "too few trials" in said and "could not be validated" in said
    assert found.model.probabilities(data[-1]).argmax() == 2
    with pytest.raises(InputError, match="at least 2 trials of every class"):
        evaluate({"long": one}, systems, BASELINE)


def test_systems_are_compared_on_the_trials_that_all_windows_have():
    rng = np.random.default_rng(10)
    short = evoked_set(10, n=40)
    long = epoch_set(mixed_noise(rng, 40, 6, LONG.n_samples(FS)), short.labels, epoch=LONG)
    sets = {"evoked": short.take(np.arange(2, 40)), "oscillatory": long.take(np.arange(0, 38))}
    found = evaluate(sets, linear_systems(), n_permutations=0)
    assert {r.n for r in found.rows} == {36}


def test_an_unknown_system_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="auto, lda, ridge; got 'svm'"):
        evaluate({"evoked": evoked_set(0)}, linear_systems(), "svm")


def test_progress_reaches_the_end():
    heard = []
    evaluate(
        {"evoked": evoked_set(0, n=40)},
        [LDA],
        n_permutations=0,
        progress=lambda share, text: heard.append((share, text)),
    )
    assert [share for share, _ in heard] == sorted(share for share, _ in heard) and heard[-1][0] == 1.0
    assert heard[0][1] == "fold 1 of 5"
