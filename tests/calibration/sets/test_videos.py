from fractions import Fraction

import av
import numpy as np
import pytest

from calibration.sets import videos
from calibration.sets.errors import SetUnusable
from calibration.sets.videos import first_frame, read_video
from tests.calibration.sets import made


def test_a_video_gives_its_frames_in_order_and_their_rate(tmp_path):
    frames, rate_hz = read_video(made.video(tmp_path / "cat.mp4", n_frames=6, rate_hz=15.0))
    assert frames.shape == (6, 32, 32, 3)
    assert frames.dtype == np.uint8
    assert rate_hz == 15.0
    np.testing.assert_allclose(frames.mean(axis=(1, 2, 3)), np.linspace(20, 220, 6), atol=4)


def test_the_first_frame_is_that_of_the_whole(tmp_path):
    path = made.video(tmp_path / "cat.mp4")
    np.testing.assert_array_equal(first_frame(path), read_video(path)[0][0])


def encoded(path, codec, times):
    """Noise at the times given in thirtieths of a second, as another program would write it."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for time in times:
            frame = av.VideoFrame.from_ndarray(rng.integers(0, 255, (64, 64, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


CODECS = {"mp4": "libx264", "mov": "libx264", "mkv": "libx264", "webm": "libvpx-vp9", "avi": "mpeg4"}


@pytest.mark.parametrize("suffix", CODECS)
def test_every_container_is_read_whole_and_refused_when_cut_off(tmp_path, suffix):
    path = encoded(tmp_path / f"cat.{suffix}", CODECS[suffix], range(40))
    assert read_video(path)[0].shape == (40, 64, 64, 3)
    whole = path.read_bytes()
    for share in (0.85, 0.4, 0.0):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(SetUnusable, match=rf"cat\.{suffix}"):
            read_video(path)


def test_a_video_whose_frames_come_unevenly_is_refused(tmp_path):
    path = encoded(tmp_path / "cat.mkv", "libx264", [*range(20), *range(40, 60)])
    with pytest.raises(SetUnusable, match="constant rate"):
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
