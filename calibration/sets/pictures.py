"""Picture files as they were meant to be looked at: upright, in red, green and blue, 8 bits each."""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from calibration.sets.errors import SetUnusable
from calibration.stimuli import Picture

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
# Whatever lets the background through is laid on the grey behind the built-in objects (calibration/objects/render.py).
GREY = (118, 118, 118)
# A large camera's 108 million pixels would be fine; what unpacks to more is a mistake or an attack.
MAX_PIXELS = 120_000_000
# What Pillow's readers raise, or warn of, when they meet a damaged file.
_DAMAGE = (
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    UserWarning,
    ValueError,
    struct.error,
    zlib.error,
)


def read_picture(path: Path) -> Picture:
    """(height, width, 3). Turned as its EXIF says, transparency on grey, 16 bits to 8, the first of several frames.

    Raises:
        SetUnusable: missing, unreadable, cut off, no picture, or more than `MAX_PIXELS`.
    """
    with _opened(path) as image:
        picture = np.array(_red_green_blue(ImageOps.exif_transpose(image)), dtype=np.uint8)
    picture.flags.writeable = False
    return picture


def picture_size(path: Path) -> tuple[int, int]:
    """(height, width) as stored, from the file's header alone.

    Raises:
        SetUnusable: as `read_picture`, as far as the header tells.
    """
    with _opened(path) as image:
        return image.height, image.width


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The picture, of a size that may be unpacked; whatever Pillow raises or warns of is the file's fault."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            # Pillow warns of large pictures from its own limit on and refuses from twice that; ours is in between.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                _check_size(path, image.size)
                yield image
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise SetUnusable(f"{path} is no picture that can be read: {error}") from error
    except _DAMAGE as error:
        raise SetUnusable(f"{path} cannot be read as a picture: {error}; is the file whole?") from error


def _check_size(path: Path, size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise SetUnusable(f"{path}: {size[0]} x {size[1]} pixels; expected at most {MAX_PIXELS}, make it smaller")


def _red_green_blue(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return _from_deep(image).convert("RGB")
    if image.has_transparency_data:
        opaque = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", opaque.size, (*GREY, 255)), opaque).convert("RGB")
    return image.convert("RGB")


def _from_deep(image: Image.Image) -> Image.Image:
    """16-bit grey, which Pillow's own conversion clips instead of scaling."""
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 0xFFFF:
        raise ValueError(f"values from {values.min():g} to {values.max():g}, expected 8 or 16 bits")
    return Image.fromarray(np.round(values * (255 / 0xFFFF)).astype(np.uint8))
