import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from engines.errors import InputError
from engines.vision.encoders import open_encoder
from engines.vision.pocket import PocketConfig, PocketNet, PocketOrigin, PocketVision

TINY = PocketConfig(size_px=32, channels=(4, 8, 8), cell_channels=2, dim=16)
ORIGIN = PocketOrigin("a" * 64, "b" * 64, 3, {"front": 0.5})


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return PocketVision(TINY, PocketNet(TINY), ORIGIN)


def pictures(n, size=48):
    return np.random.default_rng(0).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


def test_an_embedding_does_not_depend_on_its_company(encoder):
    together = encoder.embed(pictures(70))
    assert together.shape == (70, 16) and together.dtype == np.float32
    np.testing.assert_allclose(encoder.embed(pictures(70)[66:67]), together[66:67], rtol=1e-4, atol=1e-6)


def test_no_pictures_give_no_embeddings(encoder):
    assert encoder.embed(pictures(0)).shape == (0, 16)


def test_saved_weights_are_read_with_what_is_known_of_them(encoder, tmp_path):
    encoder.save(tmp_path / "pocket.safetensors")
    again = open_encoder("pocket", tmp_path / "pocket.safetensors")
    assert (again.config, again.origin) == (TINY, ORIGIN)
    a, b = encoder.embed(pictures(3)), again.embed(pictures(3))
    assert np.abs(a - b).max() < 2e-3 * np.abs(a).max()  # weights are stored in half precision


def test_a_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(InputError, match="afterimage train pocket-vision"):
        PocketVision.load(tmp_path / "none.safetensors")


def test_a_file_that_is_no_safetensors_is_refused(tmp_path):
    (tmp_path / "other").write_bytes(b"\x80\x04pickle")
    with pytest.raises(InputError, match="expected weights"):
        PocketVision.load(tmp_path / "other")


def test_another_format_is_refused(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "other", metadata={"format": "something"})
    with pytest.raises(InputError, match="'something'"):
        PocketVision.load(tmp_path / "other")


def test_weights_of_another_network_are_refused(encoder, tmp_path):
    larger = PocketNet(PocketConfig(size_px=32, channels=(4, 8, 8, 8), cell_channels=2, dim=16))
    PocketVision(TINY, larger, ORIGIN).save(tmp_path / "other")
    with pytest.raises(InputError, match="not those of its own configuration"):
        PocketVision.load(tmp_path / "other")


def test_the_full_network_has_fewer_than_two_million_parameters():
    n = sum(p.numel() for p in PocketNet(PocketConfig()).parameters())
    assert 1e6 < n < 2e6
