"""Linear decoders of single epochs: arrays in, probabilities out.

A decoder is a feature extractor and a head. The extractors are fitted without labels (`calibration/baselines.py`),
which is what makes a permutation test that refits everything affordable; only the head has seen classes.

    EvokedFeatures     noise-whitened channels, averaged in time bins        (Guggenmos et al. 2018, NeuroImage 173)
    PowerFeatures      log power in bands, per channel                       (Pfurtscheller & Lopes da Silva 1999)
    TangentFeatures    band covariances in the tangent space of their mean   (Barachant et al. 2012, IEEE TBME 59)
    FlickerScores      canonical correlation with flicker references         (Lin et al. 2006, IEEE TBME 53)

Band limits are drawn in the Fourier domain of the tapered epoch: zero phase, nothing carried from one epoch to the
next, so that live and offline cannot differ. Everything is float64 and frozen. Thread: any.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engines.errors import InputError

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


class Features(Protocol):
    """A label-free map from epochs to feature vectors."""

    def __call__(self, epochs_uv: Array) -> Array:
        """(n_epochs, n_channels, n_samples) in microvolts to (n_epochs, n_features)."""
        ...


@dataclass(frozen=True)
class EvokedFeatures:
    """Whitened channels averaged in time bins.

    `spatial` (k, n_channels) holds interpolation and whitening in one product; bin b holds samples
    `edges[b] <= i < edges[b + 1]` of the epoch, `edges` (n_bins + 1,).
    """

    spatial: Array
    edges: Indices

    def __call__(self, epochs_uv: Array) -> Array:
        """(n_epochs, n_channels, n_samples) to (n_epochs, k * n_bins)."""
        sums = np.add.reduceat(epochs_uv[..., : self.edges[-1]], self.edges[:-1], axis=-1)
        binned = self.spatial @ (sums / np.diff(self.edges))
        return np.reshape(binned, (len(epochs_uv), -1))


@dataclass(frozen=True)
class PowerFeatures:
    """Log power of linear combinations of channels in bands.

    `spatial` (k, n_channels); band b holds Fourier bins `bands[b, 0] <= f < bands[b, 1]`, `bands` (n_bands, 2).
    """

    spatial: Array
    bands: Indices

    def __call__(self, epochs_uv: Array) -> Array:
        """(n_epochs, n_channels, n_samples) to (n_epochs, n_bands * k)."""
        spectra = tapered_spectrum(self.spatial @ epochs_uv)
        power = [np.mean(np.abs(spectra[..., low:high]) ** 2, axis=-1) for low, high in self.bands]
        return np.log(np.concatenate(power, axis=1) + np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class TangentFeatures:
    """Band covariances, whitened by their training mean, shrunk to the identity, mapped to the tangent space.

    `spatial` (n_bands, k, n_channels) whitens the mean covariance of each band; `reference` (n_bands, k, k) is the
    inverse square root of the Riemannian reference; `shrinkage` in [0, 1) pulls each covariance to the identity.
    """

    spatial: Array
    reference: Array
    bands: Indices
    shrinkage: float

    def __call__(self, epochs_uv: Array) -> Array:
        """(n_epochs, n_channels, n_samples) to (n_epochs, n_bands * k * (k + 1) / 2)."""
        covariances = band_covariances(epochs_uv, self.bands)
        parts = [
            tangent(shrunk(spatial @ covariance @ spatial.T, self.shrinkage), reference)
            for spatial, reference, covariance in zip(self.spatial, self.reference, covariances, strict=True)
        ]
        return np.concatenate(parts, axis=1)


@dataclass(frozen=True)
class FlickerScores:
    """Canonical correlation of an epoch with sines and cosines at each class's flicker, above that of its neighbours.

    The neighbours' mean correlation stands for the background, which is stronger at 10 Hz than at 15 Hz whatever is
    looked at. `bases` (n_classes, n_samples, 2 * n_harmonics) and `neighbours` (n_classes, n_neighbours, n_samples,
    2 * n_harmonics) are orthonormal in their last two axes. No training: the scores never saw a label.
    """

    bases: Array
    neighbours: Array

    def __call__(self, epochs_uv: Array) -> Array:
        """(n_epochs, n_channels, n_samples) to differences of correlations (n_epochs, n_classes) in [-1, 1]."""
        centred = epochs_uv - epochs_uv.mean(axis=-1, keepdims=True)
        return np.stack([self._scores(epoch) for epoch in centred])

    def _scores(self, epoch_uv: Array) -> Array:
        _, scale, rows = np.linalg.svd(epoch_uv, full_matrices=False)
        span = rows[scale > scale[0] * 1e-9]  # (rank, n_samples), orthonormal
        background: Array = np.linalg.norm(span @ self.neighbours, ord=2, axis=(-2, -1)).mean(axis=1)
        above: Array = np.linalg.norm(span @ self.bases, ord=2, axis=(-2, -1)) - background
        return above


@dataclass(frozen=True)
class Head:
    """Discriminants and their calibrated softmax: probabilities = softmax((weights x + bias) / temperature).

    `weights` (n_classes, n_features), `bias` (n_classes,).
    """

    weights: Array
    bias: Array
    temperature: float

    def __call__(self, features: Array) -> Array:
        """(n_epochs, n_features) to probabilities (n_epochs, n_classes)."""
        return softmax((features @ self.weights.T + self.bias) / self.temperature)


FEATURES: dict[str, type] = {
    kind.__name__: kind for kind in (EvokedFeatures, PowerFeatures, TangentFeatures, FlickerScores)
}


@dataclass(frozen=True)
class LinearModel:
    """A fitted decoder for epochs of `n_channels` x `n_samples`."""

    features: Any  # one of FEATURES
    head: Head
    n_channels: int
    n_samples: int

    def probabilities(self, epoch_uv: Array) -> Array:
        """(n_channels, n_samples) in microvolts to (n_classes,), summing to 1.

        Raises:
            InputError: the epoch has another shape than the model was fitted for.
        """
        if epoch_uv.shape != (self.n_channels, self.n_samples):
            raise InputError(
                f"this decoder takes epochs of {self.n_channels} channels x {self.n_samples} samples; "
                f"got {epoch_uv.shape}; decode with the chain and the window it was calibrated with"
            )
        probabilities: Array = self.head(self.features(epoch_uv[None]))[0]
        return probabilities


def to_parts(model: LinearModel) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """A model as JSON values and named arrays, for safetensors."""
    parts = {"features": model.features, "head": model.head}
    config: dict[str, Any] = {
        "features": {"kind": type(model.features).__name__},
        "head": {},
        "n_channels": model.n_channels,
        "n_samples": model.n_samples,
    }
    arrays: dict[str, NDArray[Any]] = {}
    for part, value in parts.items():
        for field in fields(value):
            item = getattr(value, field.name)
            if isinstance(item, np.ndarray):
                arrays[f"{part}.{field.name}"] = np.ascontiguousarray(item)
            else:
                config[part][field.name] = item
    return config, arrays


def from_parts(config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> LinearModel:
    """The inverse of `to_parts`.

    Raises:
        InputError: an unknown kind of model, or a missing value.
    """
    kind = config["features"].get("kind")
    if kind not in FEATURES:
        raise InputError(f"expected a model with features {', '.join(FEATURES)}; got {kind!r}; calibrate again")
    features = _build("features", FEATURES[kind], config, arrays)
    return LinearModel(features, _build("head", Head, config, arrays), config["n_channels"], config["n_samples"])


def _build(part: str, kind: type, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Any:
    held = {key.removeprefix(f"{part}."): value for key, value in arrays.items() if key.startswith(f"{part}.")}
    values = {**config[part], **held}
    names = [field.name for field in fields(kind)]
    if missing := [name for name in names if name not in values]:
        raise InputError(
            f"the stored {kind.__name__} lacks {', '.join(missing)}; the subject is damaged: calibrate again"
        )
    return kind(**{name: values[name] for name in names})


def tapered_spectrum(epochs_uv: Array) -> NDArray[np.complex128]:
    """Fourier coefficients of mean-free, Hann-tapered epochs, scaled so that |X|^2 is power per bin (uV^2)."""
    n = epochs_uv.shape[-1]
    taper = np.hanning(n)
    centred = epochs_uv - epochs_uv.mean(axis=-1, keepdims=True)
    spectra: NDArray[np.complex128] = np.fft.rfft(centred * taper, axis=-1) * np.sqrt(2.0 / (n * np.sum(taper**2)))
    return spectra


def band_covariances(epochs_uv: Array, bands: Indices) -> list[Array]:
    """Spatial covariances of each band, each (n_epochs, n_channels, n_channels), from the real cross-spectra."""
    spectra = tapered_spectrum(epochs_uv)
    covariances = []
    for low, high in bands:
        band = spectra[..., low:high]
        covariances.append((band @ band.conj().swapaxes(-1, -2)).real)
    return covariances


def shrunk(covariances: Array, shrinkage: float) -> Array:
    """(1 - shrinkage) C + shrinkage I, shapes (..., k, k); meant for covariances whitened to about the identity."""
    pulled: Array = (1.0 - shrinkage) * covariances + shrinkage * np.eye(covariances.shape[-1])
    return pulled


def tangent(covariances: Array, reference: Array) -> Array:
    """log(R C R) as vectors, with R = `reference` (k, k): (n, k, k) to (n, k (k + 1) / 2).

    Off-diagonal entries are scaled by sqrt 2, which keeps the norm (Barachant et al. 2012, equation 14).
    """
    logs = matrix_log(reference @ covariances @ reference)
    rows, columns = np.triu_indices(logs.shape[-1])
    vectors: Array = logs[:, rows, columns] * np.where(rows == columns, 1.0, np.sqrt(2.0))
    return vectors


def matrix_log(matrices: Array) -> Array:
    """Logarithm of symmetric positive definite matrices, shape (..., k, k)."""
    values, vectors = np.linalg.eigh(matrices)
    logs: Array = (vectors * np.log(values)[..., None, :]) @ vectors.swapaxes(-1, -2)
    return logs


def flicker_bases(flicker_hz: tuple[float, ...], n_samples: int, sfreq_hz: float, n_harmonics: int) -> Array:
    """Orthonormal sines and cosines at each flicker and its harmonics: (n_classes, n_samples, 2 * n_harmonics)."""
    times_s = np.arange(n_samples) / sfreq_hz
    harmonics = np.arange(1, n_harmonics + 1)
    bases = []
    for frequency_hz in flicker_hz:
        phase_rad = 2 * np.pi * frequency_hz * times_s[:, None] * harmonics
        waves = np.concatenate([np.sin(phase_rad), np.cos(phase_rad)], axis=1)
        bases.append(np.linalg.qr(waves - waves.mean(axis=0))[0])
    return np.stack(bases)


def softmax(scores: Array) -> Array:
    """Probabilities along the last axis."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    normed: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return normed
