"""Files with a few bytes changed, lost or inserted are read or refused; nothing else ever happens."""

import random

import numpy as np
import pytest
from PIL import Image

from calibration.datasets.eeg3d_write import write_colours
from calibration.datasets.xlsx import read_table
from calibration.sets.errors import SetUnusable
from calibration.sets.meshes import SUFFIXES as MESHES
from calibration.sets.meshes import read_mesh
from calibration.sets.pictures import SUFFIXES as PICTURES
from calibration.sets.pictures import read_picture
from calibration.sets.videos import read_video
from tests.calibration.sets import made

VIDEOS = {".mp4", ".mkv", ".avi"}


def whole(path):
    """A small sound file of the kind that its name says, and what reads it."""
    if path.suffix in MESHES:
        return made.mesh(path), read_mesh
    if path.suffix in VIDEOS:
        return made.video(path), read_video
    if path.suffix == ".xlsx":
        write_colours(path, {"airplane_00": 1, "apple_00": 2})
        return path, read_table
    values = np.random.default_rng(0).integers(0, 255, (24, 24, 3), np.uint8)
    Image.fromarray(values).save(path)
    return path, read_picture


def damaged(content, rng):
    """`content` with one to twenty small faults, half of them near its start, where headers are."""
    content = bytearray(content)
    for _ in range(rng.choice((1, 2, 5, 20))):
        at = rng.randrange(min(len(content), 400) if rng.random() < 0.5 else len(content))
        kind = rng.random()
        if kind < 0.6:
            content[at] = rng.randrange(256)
        elif kind < 0.8:
            del content[at : at + rng.randrange(1, 9)]
        else:
            content[at:at] = bytes(4)
    return bytes(content)


@pytest.mark.parametrize("suffix", sorted(PICTURES | MESHES | VIDEOS | {".xlsx"}))
def test_damage_is_either_harmless_or_told(tmp_path, suffix):
    path, read = whole(tmp_path / f"x{suffix}")
    read(path)
    content, rng = path.read_bytes(), random.Random(suffix)
    n_refused = 0
    for _ in range(40):
        path.write_bytes(damaged(content, rng))
        try:
            read(path)
        except SetUnusable as error:
            assert path.name in str(error)
            n_refused += 1
    assert n_refused > 0
