import numpy as np
import pytest
from pyriemann.tangentspace import TangentSpace

from engines.errors import InputError
from engines.models.linear import (
    EvokedFeatures,
    FlickerScores,
    Head,
    LinearModel,
    PowerFeatures,
    TangentFeatures,
    band_covariances,
    flicker_bases,
    from_parts,
    softmax,
    tangent,
    tapered_spectrum,
    to_parts,
)

RNG = np.random.default_rng(0)
EPOCHS = RNG.standard_normal((5, 4, 60)) * 10
BANDS = np.array([[2, 5], [6, 12]])


def models():
    spatial = RNG.standard_normal((3, 4))
    edges = np.array([10, 25, 40, 60])
    bases = flicker_bases((5.0, 8.0), 60, 100.0, 2)
    around = np.stack([flicker_bases((4.0, 6.0), 60, 100.0, 2), flicker_bases((7.0, 9.0), 60, 100.0, 2)])
    for features in (
        EvokedFeatures(spatial, edges),
        PowerFeatures(spatial, BANDS),
        TangentFeatures(np.stack([spatial, spatial]), np.stack([np.eye(3), np.eye(3)]), BANDS, 0.1),
        FlickerScores(bases, around),
    ):
        n = features(EPOCHS).shape[1]
        yield LinearModel(features, Head(RNG.standard_normal((2, n)), RNG.standard_normal(2), 1.7), 4, 60)


@pytest.mark.parametrize("model", list(models()), ids=lambda m: type(m.features).__name__)
def test_a_model_answers_alike_after_being_taken_apart_and_put_together(model):
    again = from_parts(*to_parts(model))
    first = model.probabilities(EPOCHS[0])
    assert np.array_equal(first, again.probabilities(EPOCHS[0]))
    assert first.shape == (2,) and abs(first.sum() - 1) < 1e-12


@pytest.mark.parametrize("model", list(models()), ids=lambda m: type(m.features).__name__)
def test_an_epoch_alone_gives_what_it_gives_among_others(model):
    together = model.head(model.features(EPOCHS))
    alone = np.stack([model.probabilities(e) for e in EPOCHS])
    np.testing.assert_allclose(together, alone, rtol=1e-10)


def test_an_epoch_of_another_shape_is_refused_with_both_shapes():
    model = next(models())
    with pytest.raises(InputError, match=r"4 channels x 60 samples; got \(4, 59\)"):
        model.probabilities(EPOCHS[0, :, :59])


def test_a_damaged_model_says_what_is_missing():
    config, arrays = to_parts(next(models()))
    with pytest.raises(InputError, match="lacks edges"):
        from_parts(config, {k: v for k, v in arrays.items() if k != "features.edges"})
    with pytest.raises(InputError, match="got 'Pickle'"):
        from_parts({**config, "features": {"kind": "Pickle"}}, arrays)


def test_evoked_features_are_means_of_whitened_samples_in_bins():
    spatial, edges = RNG.standard_normal((3, 4)), np.array([10, 25, 60])
    features = EvokedFeatures(spatial, edges)(EPOCHS).reshape(5, 3, 2)
    whitened = np.einsum("kc,nct->nkt", spatial, EPOCHS)
    np.testing.assert_allclose(features[..., 0], whitened[..., 10:25].mean(axis=-1))
    np.testing.assert_allclose(features[..., 1], whitened[..., 25:60].mean(axis=-1))


def test_tangent_vectors_are_those_of_pyriemann():
    factors = RNG.standard_normal((20, 4, 50))
    covariances = factors @ factors.swapaxes(1, 2) / 50
    space = TangentSpace(metric="riemann").fit(covariances)
    values, vectors = np.linalg.eigh(space.reference_)
    inverse_root = (vectors / np.sqrt(values)) @ vectors.T
    np.testing.assert_allclose(tangent(covariances, inverse_root), space.transform(covariances), atol=1e-8)


def test_the_spectrum_of_a_sine_holds_its_power():
    sine = 3.0 * np.sin(2 * np.pi * 10.0 * np.arange(200) / 100.0)
    power = np.sum(np.abs(tapered_spectrum(sine[None, None])) ** 2)
    assert abs(power - 3.0**2 / 2 * 1) < 0.05


def test_band_covariances_hold_only_their_band():
    times = np.arange(200) / 100.0
    sine = np.sin(2 * np.pi * 10.0 * times)
    inside, outside = band_covariances(np.stack([[sine, -2 * sine]]), np.array([[16, 26], [40, 60]]))
    np.testing.assert_allclose(inside[0] / inside[0, 0, 0], [[1, -2], [-2, 4]], atol=1e-9)
    assert np.abs(outside).max() < 1e-5 * inside[0, 0, 0]


def test_canonical_correlations_match_their_definition_as_an_eigenvalue_problem():
    bases = flicker_bases((5.0,), 60, 100.0, 2)
    silent = FlickerScores(bases, np.zeros((1, 1, 60, 4)))(EPOCHS)
    for epoch, got in zip(EPOCHS, silent[:, 0], strict=True):
        x = epoch - epoch.mean(axis=1, keepdims=True)
        y = bases[0].T
        product = np.linalg.solve(x @ x.T, x @ y.T) @ np.linalg.solve(y @ y.T, y @ x.T)
        assert got == pytest.approx(np.sqrt(np.linalg.eigvals(product).real.max()), abs=1e-9)


def test_flicker_wins_over_alpha_that_is_always_there():
    rng = np.random.default_rng(1)
    n, fs = 300, 100.0
    times = np.arange(n) / fs
    bases = flicker_bases((10.0, 15.0), n, fs, 2)
    around = np.stack([flicker_bases(tuple(f + d for d in (-2, -1.5, -1, 1, 1.5, 2)), n, fs, 2) for f in (10.0, 15.0)])
    spectrum = np.exp(-0.5 * ((np.fft.rfftfreq(n, 1 / fs) - 10.0) / 1.5) ** 2)
    answers = []
    for _ in range(20):
        white = rng.standard_normal((3, n))
        alpha = np.fft.irfft(np.fft.rfft(white) * spectrum, n) * 15
        epoch = alpha + rng.standard_normal((3, n)) + 1.5 * np.sin(2 * np.pi * 15.0 * times)
        answers.append(FlickerScores(bases, around)(epoch[None])[0].argmax())
    assert np.mean(answers) > 0.9


def test_softmax_bears_large_scores():
    np.testing.assert_allclose(softmax(np.array([[1000.0, 1000.0], [-1e6, 0.0]])), [[0.5, 0.5], [0.0, 1.0]])
