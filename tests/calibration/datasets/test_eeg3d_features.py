import os
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.datasets.eeg3d_features import Features, read_features, write_features
from calibration.sets.errors import SetUnusable


def entry(seed=0, **changed):
    rng = np.random.default_rng(seed)
    vectors = {"text": rng.random(1024), "video": rng.random(1024), "point": rng.random(768)}
    return {kind: torch.tensor(vector, dtype=torch.float32) for kind, vector in {**vectors, **changed}.items()}


def test_features_are_read_as_the_authors_wrote_them(tmp_path):
    saved = entry()
    saved["video"] = saved["video"].reshape(1, 1024).half()
    torch.save({"airplane_06": saved}, tmp_path / "clip_feature.pth")
    read = read_features(tmp_path / "clip_feature.pth")["airplane_06"]
    np.testing.assert_array_equal(read.text, saved["text"].numpy())
    assert (read.video.shape, read.video.dtype) == ((1024,), np.float32)
    assert read.point.shape == (768,)


def test_what_we_write_is_read_back(tmp_path):
    rng = np.random.default_rng(0)
    one = Features(*(rng.random(n).astype(np.float32) for n in (1024, 1024, 768)))
    write_features(tmp_path / "f.pth", {"face_00": one})
    read = read_features(tmp_path / "f.pth")["face_00"]
    for kind in ("text", "video", "point"):
        np.testing.assert_array_equal(getattr(read, kind), getattr(one, kind))


class Attack:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("save", [torch.save, lambda v, p: p.write_bytes(pickle.dumps(v, protocol=2))])
def test_a_file_that_wants_to_run_something_runs_nothing(tmp_path, save):
    save({"airplane_06": Attack(tmp_path / "ran")}, tmp_path / "f.pth")
    with pytest.raises(SetUnusable, match=r"f\.pth"):
        read_features(tmp_path / "f.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1, 2], "came list"),
        ({"airplane_06": torch.zeros(3)}, "expected text of 1024 numbers, came NoneType"),
        ({"airplane_06": entry(point=np.zeros(1024))}, r"expected point of 768 numbers, came a tensor \(1024,\)"),
        ({"airplane_06": {**entry(), "text": None}}, "expected text"),
    ],
)
def test_features_of_another_form_are_refused(tmp_path, values, told):
    torch.save(values, tmp_path / "f.pth")
    with pytest.raises(SetUnusable, match=told):
        read_features(tmp_path / "f.pth")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage_is_told_as_such(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "f.pth"
    torch.save({"a": entry()}, path)
    content = bytearray(path.read_bytes())
    for _ in range(3):
        content[data.draw(st.integers(0, 700))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content))
    try:
        read_features(path)
    except SetUnusable as error:
        assert "f.pth" in str(error)


def test_missing_cut_off_and_empty_files_are_refused_and_named(tmp_path):
    path = tmp_path / "f.pth"
    with pytest.raises(SetUnusable, match=r"f\.pth"):
        read_features(path)
    torch.save({"a": entry()}, path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(SetUnusable, match=r"f\.pth"):
        read_features(path)
    path.write_bytes(b"")
    with pytest.raises(SetUnusable, match=r"f\.pth"):
        read_features(path)
