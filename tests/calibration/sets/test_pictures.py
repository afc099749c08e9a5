import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from calibration.objects.render import BACKGROUND
from calibration.sets import pictures
from calibration.sets.errors import SetUnusable
from calibration.sets.pictures import GREY, picture_size, read_picture
from tests.calibration.sets import made

RED = (255, 0, 0)


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp", "tiff", "gif"])
def test_lossless_formats_give_the_very_colours(tmp_path, suffix):
    path = tmp_path / f"cat.{suffix}"
    made.picture(path, colour=(255, 0, 0)) if suffix != "webp" else Image.new("RGB", (12, 8), RED).save(
        path, lossless=True
    )
    assert read_picture(path).shape == (8, 12, 3)
    assert (read_picture(path) == RED).all()


def test_a_picture_is_turned_as_its_exif_says(tmp_path):
    values = np.zeros((4, 6, 3), np.uint8)
    values[0, 0] = RED
    image = Image.fromarray(values)
    exif = image.getexif()
    exif[0x0112] = 6  # stored on its side: turn a quarter clockwise
    image.save(tmp_path / "cat.png", exif=exif)
    upright = read_picture(tmp_path / "cat.png")
    assert upright.shape == (6, 4, 3)
    assert tuple(upright[0, -1]) == RED


def test_transparency_lies_on_the_grey_of_the_built_in_objects(tmp_path):
    Image.new("RGBA", (4, 4), (255, 255, 255, 0)).save(tmp_path / "clear.png")
    Image.new("RGBA", (4, 4), (255, 0, 0, 128)).save(tmp_path / "half.png")
    assert (read_picture(tmp_path / "clear.png") == GREY).all()
    assert GREY == (BACKGROUND,) * 3
    np.testing.assert_allclose(read_picture(tmp_path / "half.png")[0, 0], (186.8, 58.8, 58.8), atol=1.0)


def test_a_transparent_palette_and_a_16_bit_grey_are_read(tmp_path):
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([*RED, 0, 255, 0])
    palette.putpixel((0, 0), 1)
    palette.save(tmp_path / "palette.png", transparency=1)
    assert tuple(read_picture(tmp_path / "palette.png")[0, 0]) == GREY
    assert tuple(read_picture(tmp_path / "palette.png")[1, 1]) == RED
    Image.fromarray(np.full((4, 4), 0x8080, np.uint16)).save(tmp_path / "deep.png")
    assert (read_picture(tmp_path / "deep.png") == 128).all()


def test_photographs_are_read_whole(data):
    for path in sorted((data / "mesh" / "images_cats_dogs").glob("*.jpg")):
        assert read_picture(path).shape[:2] == picture_size(path)
        assert read_picture(path).std() > 10


def test_a_cut_off_photograph_is_refused_and_named(tmp_path, data):
    source = next((data / "mesh" / "images_cats_dogs").glob("*.jpg"))
    path = tmp_path / "cat.jpg"
    path.write_bytes(source.read_bytes())
    made.cut(path)
    with pytest.raises(SetUnusable, match=r"cat\.jpg.*whole"):
        read_picture(path)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_what_is_no_picture_is_refused_and_named(tmp_path, content):
    path = tmp_path / "cat.png"
    path.write_bytes(content)
    with pytest.raises(SetUnusable, match=r"cat\.png"):
        read_picture(path)


def bomb(path, side):
    """A PNG of a few bytes that says it is `side` pixels wide and high."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


@pytest.mark.parametrize("side", [12_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_unpacks(tmp_path, side):
    for read in (read_picture, picture_size):
        with pytest.raises(SetUnusable, match=r"cat\.png"):
            read(bomb(tmp_path / "cat.png", side))


def test_a_picture_just_within_the_limit_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_PIXELS", 96)
    assert read_picture(made.picture(tmp_path / "cat.png", size=(12, 8))).shape == (8, 12, 3)
    with pytest.raises(SetUnusable, match="smaller"):
        read_picture(made.picture(tmp_path / "cat.png", size=(12, 9)))


def test_a_file_that_may_not_be_read_is_refused_and_named(tmp_path):
    (tmp_path / "cat.png").mkdir()
    with pytest.raises(SetUnusable, match=r"cat\.png"):
        read_picture(tmp_path / "cat.png")
