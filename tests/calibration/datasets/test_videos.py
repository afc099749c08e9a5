import numpy as np
import pytest

from calibration.datasets import videos
from calibration.datasets.errors import SetUnusable
from calibration.datasets.videos import first_frame, read_video
from tests.calibration.datasets import made


def test_a_video_gives_its_frames_in_order_and_their_rate(tmp_path):
    frames, rate_hz = read_video(made.video(tmp_path / "cat.mp4", n_frames=6, rate_hz=15.0))
    assert frames.shape == (6, 32, 32, 3)
    assert frames.dtype == np.uint8
    assert rate_hz == 15.0
    np.testing.assert_allclose(frames.mean(axis=(1, 2, 3)), np.linspace(20, 220, 6), atol=4)


def test_the_first_frame_is_that_of_the_whole(tmp_path):
    path = made.video(tmp_path / "cat.mp4")
    np.testing.assert_array_equal(first_frame(path), read_video(path)[0][0])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_cut_off_video_is_refused_and_named(tmp_path, share):
    path = made.cut(made.video(tmp_path / "cat.mp4", n_frames=40), share)
    with pytest.raises(SetUnusable, match=r"cat\.mp4"):
        read_video(path)


def test_a_video_that_lost_frames_in_the_middle_of_a_stream_is_refused(tmp_path):
    path = made.video(tmp_path / "cat.mp4", n_frames=40)
    whole = bytearray(path.read_bytes())
    start = whole.index(b"mdat") + 4
    whole[start + 200 : start + 900] = bytes(700)
    path.write_bytes(bytes(whole))
    with pytest.raises(SetUnusable, match=r"cat\.mp4"):
        read_video(path)


def test_sound_without_pictures_and_pictures_named_as_videos_are_told_apart(tmp_path):
    (tmp_path / "cat.mp4").write_text("no video")
    with pytest.raises(SetUnusable, match=r"cat\.mp4"):
        read_video(tmp_path / "cat.mp4")
    with pytest.raises(SetUnusable, match=r"none\.mp4"):
        first_frame(tmp_path / "none.mp4")


def test_a_name_with_a_colon_is_a_file_and_no_protocol(tmp_path):
    assert first_frame(made.video(tmp_path / "http:cat.mp4")).shape == (32, 32, 3)


def test_a_film_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(videos, "MAX_BYTES", 3 * 32 * 32 * 3)
    with pytest.raises(SetUnusable, match="shorter"):
        read_video(made.video(tmp_path / "cat.mp4", n_frames=6))
