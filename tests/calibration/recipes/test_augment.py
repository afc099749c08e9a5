import numpy as np
import pytest
import torch

from calibration.objects.render import BACKGROUND
from calibration.recipes.augment import TARGET_PX, Augmentation, augmented, moved, repainted

NOTHING = Augmentation(turn_rad=0.0, zoom=1.0, stretch=1.0, shift=0.0, grey=0.0, light=0.0, noise=0.0)


def disc(n=1, size=48):
    """Two parts, left and right, of a disc of (100, 50, 25)."""
    y, x = np.mgrid[:size, :size] - size / 2 + 0.5
    parts = np.where(np.hypot(x, y) < size / 4, 1 + (x > 0), 0).astype(np.uint8)
    picture = np.where(parts[..., None] > 0, [100, 50, 25], BACKGROUND).astype(np.uint8)
    return torch.from_numpy(np.stack([picture] * n)), torch.from_numpy(np.stack([parts] * n))


def test_repainting_changes_the_parts_and_nothing_else():
    picture, parts = disc()
    gains = torch.tensor([[[1, 1, 1], [2, 1, 1], [1, 1, 20]]], dtype=torch.float32)
    layers = repainted(picture, parts, gains)[0]
    colours = (255 * layers[:3, 24, [20, 28]]).T.tolist()
    assert colours == [pytest.approx([200, 50, 25]), pytest.approx([100, 50, 255])]
    assert torch.equal(layers[3] > 0, parts[0] > 0)
    assert not layers[:3, 0].any()


def test_without_change_a_sharp_or_a_blurred_picture_is_left():
    picture, parts = disc(n=8)
    seen = augmented(picture, parts, torch.ones(8, 3, 3), NOTHING, torch.Generator().manual_seed(0))
    wanted = picture.permute(0, 3, 1, 2) / 255
    assert {int(torch.isclose(a, b, atol=1e-5).all()) for a, b in zip(seen.pictures, wanted, strict=True)} == {0, 1}
    torch.testing.assert_close(seen.pictures[:, :, 20:28, 20:22], wanted[:, :, 20:28, 20:22], atol=1e-5, rtol=0)


def test_the_clean_picture_keeps_colour_and_coverage_whatever_is_done_to_the_other():
    picture, parts = disc(n=16)
    change = Augmentation(turn_rad=0.0, zoom=1.0, stretch=1.0, shift=0.0)
    seen = augmented(picture, parts, torch.ones(16, 3, 3), change, torch.Generator().manual_seed(0))
    assert seen.clean.shape == (16, 4, TARGET_PX, TARGET_PX)
    assert seen.clean.std(dim=0).max() < 1e-5  # mirrored or not: the disc is the same
    assert float(seen.clean[0, 3].mean()) == pytest.approx(float((parts[0] > 0).float().mean()), abs=1e-5)
    assert seen.pictures.std(dim=0).mean() > 0.02
    assert float(seen.pictures.min()) >= 0 and float(seen.pictures.max()) <= 1


def test_what_is_enlarged_covers_more_and_what_is_shifted_moves():
    _, parts = disc()
    layer = (parts[:, None] > 0).float()
    still, once = torch.zeros(1), torch.ones(1, 2)
    larger = moved(layer, still, torch.tensor([[2.0, 1.5]]), torch.zeros(1, 2))
    assert float(larger.sum() / layer.sum()) == pytest.approx(3, rel=0.05)
    assert float(larger.amax(dim=2).sum()) > float(larger.amax(dim=3).sum())
    right = moved(layer, still, once, torch.tensor([[0.25, 0.0]]))  # a quarter of half of 48 px
    torch.testing.assert_close(right[..., 6:], layer[..., :-6])


def test_a_zoom_below_zero_mirrors():
    layer = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    mirrored = moved(layer, torch.zeros(1), torch.tensor([[-1.0, 1.0]]), torch.zeros(1, 2))
    torch.testing.assert_close(mirrored, layer.flip(-1))


def test_the_same_seed_changes_a_picture_the_same_way():
    picture, parts = disc(n=4)
    a, b = (
        augmented(picture, parts, torch.ones(4, 3, 3), Augmentation(), torch.Generator().manual_seed(5)).pictures
        for _ in range(2)
    )
    assert torch.equal(a, b)
