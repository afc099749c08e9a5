"""Pictures against pictures, value by value: each measure gives one number an item.

    psnr               10 log10(1 / MSE) over red, green and blue from 0 to 1
    ssim               grey, 425 px, Gaussian of sigma 1.5, population covariance, range 1 (Wang et al. 2004)
    pixel_correlation  Pearson's over red, green and blue at 425 px

425 px and the settings are those of Scotti et al. 2023 (arXiv:2305.18274), which EEG papers took over. LPIPS looks
through a network: `engines.vision.features.lpips`. Numpy, float64. Thread: any.
"""

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2gray
from skimage.metrics import structural_similarity

from engines.errors import InputError
from engines.vision.base import Pictures
from engines.vision.features.resize import resized_arrays

Array = NDArray[np.float64]

SIZE_PX = 425
_SIGMA = 1.5


def psnr(truth: Pictures, made: Pictures) -> Array:
    """(n,) dB of (n, height, width, 3) pictures, infinite for equal ones; `made` is brought to the size of `truth`.

    Raises:
        InputError: not as many pictures made as true ones.
    """
    _refuse_unpaired(truth, made)
    size_px = min(truth.shape[1:3])
    errors = [np.mean((one - other) ** 2) for one, other in _pairs(truth, made, size_px)]
    with np.errstate(divide="ignore"):
        return -10 * np.log10(np.array(errors))


def ssim(truth: Pictures, made: Pictures) -> Array:
    """(n,) structural similarity, 1 for equal pictures.

    Raises:
        InputError: not as many pictures made as true ones.
    """
    _refuse_unpaired(truth, made)
    return np.array([_ssim_of(one, other) for one, other in _pairs(truth, made, SIZE_PX)])


def pixel_correlation(truth: Pictures, made: Pictures) -> Array:
    """(n,) Pearson's correlation of all values, 0 for a picture of one value.

    Raises:
        InputError: not as many pictures made as true ones.
    """
    _refuse_unpaired(truth, made)
    return np.array([paired_correlation(a[None], b[None])[0] for a, b in _pairs(truth, made, SIZE_PX)])


def paired_correlation(one: NDArray[np.floating], other: NDArray[np.floating]) -> Array:
    """Pearson's correlation (n,) of each row of (n, ...) with the same row of the other; 0 for a row without spread."""
    a, b = (standardised(rows) for rows in (one, other))
    return np.asarray(np.sum(a * b, axis=1))


def standardised(rows: NDArray[np.floating]) -> Array:
    """(n, ...) to (n, d): each row less its mean, over its length; zeros for a row without spread."""
    flat = np.asarray(rows, dtype=np.float64).reshape(len(rows), -1)
    centred = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    # What rounding leaves of a constant row is no spread.
    spread = length > 1e-12 * np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(np.divide(centred, length, out=np.zeros_like(centred), where=spread))


def _ssim_of(one: Array, other: Array) -> float:
    return float(
        structural_similarity(
            rgb2gray(one),
            rgb2gray(other),
            gaussian_weights=True,
            sigma=_SIGMA,
            use_sample_covariance=False,
            data_range=1.0,
        )
    )


def _pairs(truth: Pictures, made: Pictures, size_px: int) -> "list[tuple[Array, Array]]":
    return [
        (resized_arrays(one[None], size_px)[0], resized_arrays(other[None], size_px)[0])
        for one, other in zip(truth, made, strict=True)
    ]


def _refuse_unpaired(truth: Pictures, made: Pictures) -> None:
    if len(truth) != len(made):
        raise InputError(f"expected one picture made for each true one, got {len(made)} for {len(truth)}")
