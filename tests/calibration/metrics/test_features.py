import subprocess
import sys

import numpy as np
import pytest
import torch

from calibration.metrics.features import DISTANCE_BY, IDENTIFIED_BY, FeaturesConfig, extractors, layers, perceptual
from engines.errors import InputError
from engines.generators.config import GeneratorsConfig
from engines.parts import PARTS
from engines.vision.features.trunk import alexnet_net
from engines.weights import part

PICTURES = np.random.default_rng(0).integers(0, 256, (2, 24, 24, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def caches(tmp_path, monkeypatch):
    """Nothing is found that this machine may have."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    return tmp_path / "hub" / "checkpoints"


def test_the_pocket_encoder_is_always_here_and_what_is_not_says_what_to_get():
    found = extractors(FeaturesConfig())
    assert [one.name for one in found.here] == ["pocket"] and found.here[0].pocket
    assert set(found.absent) == {"AlexNet", "Inception", "CLIP", "EfficientNet-B1", "SwAV"}
    assert all("get " in reason for reason in found.absent.values())
    given = found.here[0].features(PICTURES)
    assert {name: value.shape for name, value in given.items()} == {
        "pocket early": (2, 32 * 24 * 24), "pocket late": (2, 128 * 6 * 6), "pocket": (2, 1024),
    }  # fmt: skip
    assert set(given) <= {*IDENTIFIED_BY, *DISTANCE_BY}


def test_without_clip_transformers_is_not_imported():
    code = (
        "import sys; from calibration.metrics.features import FeaturesConfig, extractors; "
        "extractors(FeaturesConfig()); sys.exit('transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=150).returncode == 0


def test_weights_where_torch_hub_keeps_them_are_taken(caches):
    state = {f"features.{name}": value for name, value in alexnet_net().state_dict().items()}
    torch.save(state, caches / part("alexnet").files[0])
    found = extractors(FeaturesConfig())
    assert [one.name for one in found.here] == ["AlexNet", "pocket"] and "AlexNet" not in found.absent
    assert list(found.here[0].features(PICTURES)) == ["AlexNet 2", "AlexNet 5"]


def test_layers_are_the_pocket_encoders_where_vgg_19_is_not_here():
    found = layers(FeaturesConfig())
    maps = found.layers(PICTURES)
    assert found.pocket and [m.shape[1:] for m in maps] == [
        (16, 48, 48), (32, 24, 24), (64, 12, 12), (128, 6, 6), (256, 3, 3),
    ]  # fmt: skip


def test_a_configured_file_is_never_passed_over_in_silence(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        layers(FeaturesConfig(vgg19=tmp_path / "vgg.pth"))
    with pytest.raises(InputError, match="no such file"):
        extractors(FeaturesConfig(alexnet=tmp_path / "alexnet.pth"))
    with pytest.raises(InputError, match=part("alexnet").files[0]):
        perceptual(FeaturesConfig())


def test_networks_of_measures_are_looked_for_where_the_configuration_says(tmp_path):
    config = GeneratorsConfig(swag=tmp_path / "swag.pth", clip=tmp_path)
    assert FeaturesConfig.of(config) == FeaturesConfig(swag=tmp_path / "swag.pth", clip=tmp_path)
    for path in vars(FeaturesConfig.of(config)):
        assert any(one.setting == path for one in PARTS)
