"""Small stimuli and damaged files for the tests of data sets."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

from calibration.datasets.eeg3d_write import write_video


def picture(path, colour=(200, 30, 60), size=(12, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def video(path, n_frames=6, rate_hz=15.0, side=32):
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.linspace(20, 220, n_frames).astype(np.uint8)
    frames = np.broadcast_to(levels[:, None, None, None], (n_frames, side, side, 3))
    write_video(path, np.ascontiguousarray(frames), rate_hz)
    return path


def mesh(path, colour=(200, 30, 60, 255)):
    path.parent.mkdir(parents=True, exist_ok=True)
    box = trimesh.creation.box((2.0, 1.0, 4.0))
    box.visual.face_colors = np.tile(np.array(colour, np.uint8), (len(box.faces), 1))
    if path.suffix == ".gltf":  # trimesh's own writing of several files leaves one open
        for name, content in box.export(file_type="gltf").items():
            (path.parent / (path.name if name.endswith(".gltf") else name)).write_bytes(content)
    else:
        box.export(path)
    return path


def cut(path, share=0.5):
    """The file without its end."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    return path


@contextmanager
def as_nobody() -> Iterator[Path]:
    """A folder, and the rights of a user who may not do everything, also where the tests run as root."""
    with tempfile.TemporaryDirectory(prefix="afterimage-nobody-") as name:
        folder = Path(name)
        me = os.geteuid()
        if me == 0:
            os.chown(folder, 65534, -1)
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(me)
