import numpy as np
import pytest
import torch
from torch.nn import functional

from calibration.metrics.pictures import SIZE_PX, paired_correlation, pixel_correlation, psnr, ssim
from engines.errors import InputError
from engines.vision.features.resize import resized_arrays


def pictures(n, size=40, seed=0):
    """Smooth colours, as pictures have them."""
    coarse = torch.from_numpy(np.random.default_rng(seed).random((n, 3, 5, 5)))
    smooth = functional.interpolate(coarse, (size, size), mode="bilinear") * 255
    return smooth.permute(0, 2, 3, 1).numpy().astype(np.uint8)


def ssim_by_convolution(one, other):
    """Wang et al. 2004, equation 13, with 11 taps of a Gaussian and no padding."""
    grey = [torch.from_numpy(p @ [0.2125, 0.7154, 0.0721])[None, None] for p in (one, other)]
    taps = torch.exp(-(torch.arange(-5.0, 6.0, dtype=torch.float64) ** 2) / (2 * 1.5**2))
    window = torch.outer(taps, taps)[None, None] / taps.sum() ** 2
    x, y, xx, yy, xy = (
        functional.conv2d(v, window) for v in (grey[0], grey[1], grey[0] ** 2, grey[1] ** 2, grey[0] * grey[1])
    )
    c1, c2 = 0.01**2, 0.03**2
    alike = (2 * x * y + c1) * (2 * (xy - x * y) + c2)
    return float((alike / ((x**2 + y**2 + c1) * (xx - x**2 + yy - y**2 + c2))).mean())


def test_psnr_of_pictures_a_fifth_apart_is_14_db_and_of_equal_ones_infinite():
    black = np.zeros((2, 8, 8, 3), dtype=np.uint8)
    made = np.stack([black[0] + 51, black[1]]).astype(np.uint8)
    assert psnr(black, made) == pytest.approx([10 * np.log10(1 / 0.2**2), np.inf])


def test_psnr_brings_what_was_made_to_the_size_of_the_truth():
    truth, made = np.full((1, 12, 12, 3), 100, dtype=np.uint8), np.full((1, 5, 5, 3), 151, dtype=np.uint8)
    assert psnr(truth, made) == pytest.approx([10 * np.log10(25.0)], rel=1e-5)


def test_ssim_is_that_of_an_independent_implementation():
    truth, made = pictures(1), pictures(1, seed=1)
    expected = ssim_by_convolution(resized_arrays(truth, SIZE_PX)[0], resized_arrays(made, SIZE_PX)[0])
    assert ssim(truth, made) == pytest.approx([expected], abs=1e-9)
    assert ssim(truth, truth) == pytest.approx([1.0])


def test_pixel_correlation_is_pearsons_over_all_values_at_425_px():
    truth, made = pictures(2), pictures(2, seed=1)
    a, b = resized_arrays(truth, SIZE_PX), resized_arrays(made, SIZE_PX)
    expected = [np.corrcoef(a[i].ravel(), b[i].ravel())[0, 1] for i in range(2)]
    assert pixel_correlation(truth, made) == pytest.approx(expected, abs=1e-12)


def test_what_has_no_spread_correlates_with_nothing():
    flat = np.full((1, 300), 0.1)
    assert paired_correlation(flat, np.arange(300.0)[None]) == pytest.approx([0.0], abs=0)


@pytest.mark.parametrize("measure", [psnr, ssim, pixel_correlation])
def test_every_true_picture_needs_one_made(measure):
    with pytest.raises(InputError, match="got 1 for 2"):
        measure(pictures(2), pictures(1))
