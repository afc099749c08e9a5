"""The linear systems: how each fits its features, without labels, and the discriminant they share.

The discriminant is the nearest class mean under a shrunk Mahalanobis metric, which is linear discriminant analysis
with equal priors. The metric comes from the total covariance of the features, not from the covariance within classes:
for two classes that is the same rule (the two differ by a rank-one term along the class difference, which rescales the
discriminant and leaves its direction), and it makes everything but the class means free of labels
(docs/decisions/0060-label-free-features.md).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyriemann.geometry.base import invsqrtm
from pyriemann.geometry.mean import mean_logeuclid

from calibration.folds import FEW_TRIALS
from engines.errors import InputError
from engines.models.linear import (
    Array,
    EvokedFeatures,
    Features,
    FlickerScores,
    Head,
    PowerFeatures,
    TangentFeatures,
    band_covariances,
    flicker_bases,
    shrunk,
)
from pipeline.epochs import EpochConfig

Labels = NDArray[np.int64]

# Directions of the data weaker than this share of the strongest one's variance are rank deficiency, not signal.
RANK_TOLERANCE = 1e-6
# A channel is bad when its log power lies this many robust standard deviations from the others'.
BAD_Z = 5.0
# Mu and beta (Pfurtscheller & Lopes da Silva 1999, Clin. Neurophysiol. 110).
BANDS_HZ = ((8.0, 13.0), (13.0, 30.0))
# A band of 5 Hz over 3 s has about 20 degrees of freedom: more components than this cannot be told apart.
N_COMPONENTS = 32
TANGENT_SHRINKAGE = 0.1
N_HARMONICS = 2
# Where the background around a flicker is measured (as the signal-to-noise ratio of Norcia et al. 2015, J. Vision 15).
NEIGHBOURS_HZ = (-2.0, -1.5, -1.0, 1.0, 1.5, 2.0)
# Ridge penalties, in units of the features' mean variance.
PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)


@dataclass(frozen=True)
class System:
    """One way to decode: its window, its features, and the penalties its inner folds choose from.

    `fit(epochs_uv, sfreq_hz, epoch)` sees training epochs (n, n_channels, n_samples) and no label. The penalty None
    means the shrinkage of Ledoit and Wolf; no penalties at all mean that the features are the class scores already.
    "auto" considers a system from `min_trials` trials of the rarest class on: a choice among many, learnt from few
    trials, is luck.
    """

    name: str
    window: str
    fit: Callable[[Array, float, EpochConfig], Features]
    penalties: tuple[float | None, ...] = (None,)
    min_trials: int = 0


def bad_channels(epochs_uv: Array) -> NDArray[np.bool_]:
    """Channels (n_channels,) that are flat or far off the others in power; never more than a quarter of them."""
    power = np.mean(epochs_uv**2, axis=(0, 2)) - np.mean(np.mean(epochs_uv, axis=2) ** 2, axis=0)
    flat = power <= 0.0
    level = np.log(np.where(flat, np.nan, power))
    centre = np.nanmedian(level) if not flat.all() else 0.0
    spread = 1.4826 * np.nanmedian(np.abs(level - centre)) if not flat.all() else 0.0
    deviation = np.abs(np.nan_to_num(level - centre))
    odd = deviation > BAD_Z * max(float(spread), 0.1)
    if odd.sum() > len(power) // 4:
        odd &= deviation >= np.sort(deviation)[-(len(power) // 4)] if len(power) >= 4 else False
    bad: NDArray[np.bool_] = flat | odd
    return bad


def whitening(covariance: Array, n_components: int | None = None) -> Array:
    """(k, n) matrix W with W C W' = I on the rank of C (n, n), strongest directions last, at most `n_components`."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > RANK_TOLERANCE * values[-1]
    if n_components is not None:
        kept[: max(0, len(values) - n_components)] = False
    matrix: Array = (vectors[:, kept] / np.sqrt(values[kept])).T
    return matrix


def _usable(epochs_uv: Array) -> Array:
    """(n_good, n_channels) selection of the channels that are not bad.

    Raises:
        InputError: none is good.
    """
    usable: Array = np.eye(epochs_uv.shape[1])[~bad_channels(epochs_uv)]
    if not len(usable):
        raise InputError("expected a signal in the training epochs; got flat channels only; check the electrodes")
    return usable


def noise_whitening(epochs_uv: Array) -> Array:
    """(k, n_channels) multivariate noise normalisation (Guggenmos et al. 2018), bad channels left out.

    The noise is what is left of each epoch after the mean of all epochs (of all classes, so that no label is used); its
    covariance is shrunk (Ledoit & Wolf 2004) and inverted on its rank.
    """
    usable = _usable(epochs_uv)
    residual = usable @ (epochs_uv - epochs_uv.mean(axis=0))
    samples = residual.swapaxes(1, 2).reshape(-1, len(usable))
    covariance = samples.T @ samples / len(samples)
    intensity = ledoit_wolf_intensity(samples)
    values, vectors = np.linalg.eigh(covariance)
    # Only the directions the data have: shrinking would raise the others to signals.
    kept = values > RANK_TOLERANCE * values[-1]
    shrunk_values = (1.0 - intensity) * values[kept] + intensity * values[kept].mean()
    matrix: Array = (vectors[:, kept] / np.sqrt(shrunk_values)).T @ usable
    return matrix


def fit_evoked(bin_s: float) -> Callable[[Array, float, EpochConfig], EvokedFeatures]:
    """A fit of `EvokedFeatures` with bins of `bin_s` after the onset."""

    def fit(epochs_uv: Array, sfreq_hz: float, epoch: EpochConfig) -> EvokedFeatures:
        first = max(0, epoch.onset_index(sfreq_hz))
        n_bins = max(1, round((epochs_uv.shape[-1] - first) / (bin_s * sfreq_hz)))
        edges = np.linspace(first, epochs_uv.shape[-1], n_bins + 1).round().astype(np.int64)
        return EvokedFeatures(noise_whitening(epochs_uv), np.unique(edges))

    return fit


def band_bins(n_samples: int, sfreq_hz: float) -> Labels:
    """Fourier bins [low, high) of each band in `BANDS_HZ`, (n_bands, 2).

    Raises:
        InputError: an epoch too short, or a rate too low, for a band.
    """
    frequencies_hz = np.fft.rfftfreq(n_samples, 1.0 / sfreq_hz)
    bins = np.array([np.searchsorted(frequencies_hz, band) for band in BANDS_HZ], dtype=np.int64)
    if np.any(np.diff(bins, axis=1) < 2) or BANDS_HZ[-1][1] > 0.45 * sfreq_hz:
        raise InputError(
            f"bands {BANDS_HZ} Hz need a rate of {BANDS_HZ[-1][1] / 0.45:.0f} Hz and epochs of 0.5 s; "
            f"got {sfreq_hz:g} Hz and {n_samples / sfreq_hz:.2f} s; choose an evoked system"
        )
    return bins


def fit_power(epochs_uv: Array, sfreq_hz: float, epoch: EpochConfig) -> PowerFeatures:
    """Log band power of the good channels against their average."""
    usable = _usable(epochs_uv)
    return PowerFeatures(usable - usable.mean(axis=0), band_bins(epochs_uv.shape[-1], sfreq_hz))


def fit_tangent(epochs_uv: Array, sfreq_hz: float, epoch: EpochConfig) -> TangentFeatures:
    """Whitening by the mean covariance of each band; the inverse root of the log-Euclidean mean as reference
    (Arsigny et al. 2007, SIAM J. Matrix Anal. 29; Barachant et al. 2012, IEEE Trans. Biomed. Eng. 59).
    """
    bands = band_bins(epochs_uv.shape[-1], sfreq_hz)
    usable = _usable(epochs_uv)
    usable = usable - usable.mean(axis=0)
    covariances = [usable @ c @ usable.T for c in band_covariances(epochs_uv, bands)]
    whiteners = [whitening(c.mean(axis=0), N_COMPONENTS) for c in covariances]
    n_components = min(len(w) for w in whiteners)
    spatial = np.stack([w[-n_components:] @ usable for w in whiteners])
    white = [
        shrunk(w[-n_components:] @ c @ w[-n_components:].T, TANGENT_SHRINKAGE)
        for w, c in zip(whiteners, covariances, strict=True)
    ]
    reference = np.stack([invsqrtm(mean_logeuclid(c)) for c in white])
    return TangentFeatures(spatial, reference, bands, TANGENT_SHRINKAGE)


def fit_flicker(flicker_hz: tuple[float, ...]) -> Callable[[Array, float, EpochConfig], FlickerScores]:
    """References at the classes' flicker; nothing is learnt from the epochs but their length."""

    def fit(epochs_uv: Array, sfreq_hz: float, epoch: EpochConfig) -> FlickerScores:
        n_samples = epochs_uv.shape[-1]
        around = [tuple(f + offset for offset in NEIGHBOURS_HZ) for f in flicker_hz]
        return FlickerScores(
            flicker_bases(flicker_hz, n_samples, sfreq_hz, N_HARMONICS),
            np.stack([flicker_bases(hz, n_samples, sfreq_hz, N_HARMONICS) for hz in around]),
        )

    return fit


BASELINE = "lda"


def linear_systems(flicker_hz: tuple[float, ...] | None = None) -> tuple[System, ...]:
    """All linear systems, the first of equals preferred; canonical correlation only where each flicker is known."""
    systems = (
        System(BASELINE, "evoked", fit_evoked(0.05)),
        System("ridge", "evoked", fit_evoked(0.02), PENALTIES, min_trials=FEW_TRIALS),
        System("riemann", "oscillatory", fit_tangent),
        System("bandpower", "oscillatory", fit_power, min_trials=FEW_TRIALS),
    )
    return systems if flicker_hz is None else (System("cca", "flicker", fit_flicker(flicker_hz), ()), *systems)


@dataclass(frozen=True)
class Metric:
    """Whitening of features: z = `matrix` (x - `mean`), shapes (r, d) and (d,); distances of z are Mahalanobis's."""

    mean: Array
    matrix: Array

    def __call__(self, features: Array) -> Array:
        """(n, d) to (n, r)."""
        return (features - self.mean) @ self.matrix.T

    def head(self, class_means: Array, temperature: float) -> Head:
        """The discriminant of class means (n_classes, r) in whitened space, as weights on the features."""
        weights = class_means @ self.matrix
        bias = -weights @ self.mean - 0.5 * np.sum(class_means**2, axis=1)
        return Head(weights, bias, temperature)


def metrics_of(features: Array, penalties: tuple[float | None, ...]) -> list[Metric]:
    """One metric for each penalty, from one decomposition of the features (n, d), in the span of the data.

    None shrinks by Ledoit and Wolf's intensity; a number p adds p times the mean variance to every direction.
    """
    mean = features.mean(axis=0)
    centred = features - mean
    _, scale, rows = np.linalg.svd(centred, full_matrices=False)
    variance = scale**2 / len(features)
    average = float(variance.sum()) / features.shape[1]
    kept = variance > RANK_TOLERANCE**2 * variance[0]
    metrics = []
    for penalty in penalties:
        if penalty is None:
            intensity = ledoit_wolf_intensity(centred)
            regular = (1.0 - intensity) * variance + intensity * average
        else:
            regular = variance + penalty * average
        metrics.append(Metric(mean, rows[kept] / np.sqrt(regular[kept])[:, None]))
    return metrics


def ledoit_wolf_intensity(centred: Array) -> float:
    """Shrinkage intensity for the covariance of (n, d) centred rows (Ledoit & Wolf 2004, J. Multivar. Anal. 88).

    Uses the smaller of the two Gram matrices; equal to `sklearn.covariance.ledoit_wolf_shrinkage`.
    """
    n, d = centred.shape
    gram = centred @ centred.T if n < d else centred.T @ centred
    average = float(np.trace(gram)) / (n * d)
    squared = float(np.sum(gram**2)) / n**2  # ||S||^2
    distance = squared - d * average**2
    noise = (float(np.sum(np.sum(centred**2, axis=1) ** 2)) / n - squared) / n
    return min(1.0, max(0.0, noise / distance)) if distance > 0.0 else 1.0
