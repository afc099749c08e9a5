from fractions import Fraction

import av
import numpy as np
import pytest
import trimesh
from PIL import Image

from app.stimulus.meshes import Model
from app.stimulus.supply import LARGEST_PX, Supply, Videos
from calibration.stimuli import Item
from engines.errors import InputError

FILM, SHAPE, STILL = Item("film", "01"), Item("shape", "01"), Item("still", "01")


def write_video(path, n=12, side_px=32):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(24))
        stream.width = stream.height = side_px
        for k in range(n):
            frame = av.VideoFrame.from_ndarray(np.full((side_px, side_px, 3), 20 * k, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.fixture
def folder(tmp_path):
    for item in (FILM, SHAPE, STILL):
        (tmp_path / item.category).mkdir()
    write_video(tmp_path / "film" / "01.mp4")
    trimesh.creation.box().export(tmp_path / "shape" / "01.ply")
    Image.new("RGB", (2 * LARGEST_PX, 300), (10, 200, 30)).save(tmp_path / "still" / "01.png")
    return tmp_path


def test_built_in_objects_are_the_same_mesh_still_and_turning():
    supply = Supply("builtin")
    still, moving = supply.still(Item("cup", "03")), supply.moving(Item("cup", "03"))
    assert isinstance(still, Model) and np.array_equal(still.corners, moving.corners)


def test_of_a_folder_meshes_turn_live_and_videos_are_read(folder):
    supply = Supply(str(folder))
    assert isinstance(supply.moving(SHAPE), Model) and supply.moving(FILM) is None
    frames, hz = supply.video(FILM)
    assert frames.shape == (12, 32, 32, 3) and hz == 24


def test_a_large_picture_is_brought_to_the_size_of_a_screen(folder):
    picture = Supply(str(folder)).still(STILL)
    assert picture.shape == (150, LARGEST_PX, 3) and picture.dtype == np.uint8
    assert np.all(picture == (10, 200, 30))


def test_what_neither_turns_nor_moves_is_told_by_name(folder):
    with pytest.raises(InputError, match=r"still/01.*neither mesh nor video"):
        Supply(str(folder)).video(STILL)


@pytest.mark.parametrize("item", [Item("cup", "left"), Item("dragon", "00")])
def test_a_built_in_object_that_there_is_not_is_refused(item):
    with pytest.raises(InputError):
        Supply("").still(item)


def test_only_the_videos_wanted_next_are_kept(folder):
    videos = Videos(Supply(str(folder)))
    videos.want([FILM])
    assert videos.get(FILM)[0].shape[0] == 12 and videos.ready(FILM)
    videos.want([SHAPE])
    assert not videos.ready(FILM)
    videos.close()
