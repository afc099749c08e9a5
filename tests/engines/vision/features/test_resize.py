import numpy as np
import pytest
from PIL import Image

from engines.errors import InputError
from engines.vision.features.resize import IMAGENET, resized, resized_arrays, scaled

PICTURE = np.random.default_rng(0).integers(0, 256, (1, 40, 40, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [17, 64])
@pytest.mark.parametrize(
    ("mode", "filtered"), [("bilinear", Image.Resampling.BILINEAR), ("bicubic", Image.Resampling.BICUBIC)]
)
def test_pictures_are_resized_as_pillow_does_it_in_floats(size, mode, filtered):
    channels = [Image.fromarray(PICTURE[0, :, :, c].astype(np.float32)) for c in range(3)]
    expected = np.stack([np.asarray(c.resize((size, size), filtered)) for c in channels]) / 255
    assert resized(PICTURE, size, mode)[0].numpy() == pytest.approx(expected.clip(0, 1), abs=1e-4)


def test_the_middle_square_is_taken():
    wide = np.concatenate([np.zeros_like(PICTURE), PICTURE, np.zeros_like(PICTURE)], axis=2)
    assert np.array_equal(resized_arrays(wide, 40), resized_arrays(PICTURE, 40))
    assert resized_arrays(wide, 40)[0] == pytest.approx(PICTURE[0] / 255, abs=1e-6)


def test_values_are_scaled_as_imagenets():
    given = scaled(resized(PICTURE, 40), IMAGENET)[0, :, 3, 5].numpy()
    expected = (PICTURE[0, 3, 5] / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    assert given == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("wrong", [PICTURE[0], PICTURE.astype(float), PICTURE[..., :1], PICTURE[:0]])
def test_what_is_no_picture_is_refused(wrong):
    with pytest.raises(InputError, match="uint8"):
        resized(wrong, 10)
