import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from engines.errors import InputError
from engines.vision.features import pooled
from engines.vision.features.checkpoints import fill, read
from engines.vision.features.clip import ClipPictures
from engines.vision.features.lpips import Lpips
from engines.vision.features.pooled import Pooled, swav, torchvision_models
from engines.vision.features.resize import CLIP, IMAGENET, resized, scaled
from engines.vision.features.swag import Swag
from engines.vision.features.trunk import VGG19_LEVELS, Trunk, alexnet, alexnet_net, pocket_trunk, vgg19_net
from engines.vision.pocket import PocketVision

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
CHANNELS = (64, 192, 384, 256, 256)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Files in the published formats, with weights of our own."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    state = {f"features.{name}": value for name, value in alexnet_net().state_dict().items()}
    torch.save({**state, "classifier.1.weight": torch.zeros(2, 2)}, folder / "alexnet.pth")
    linear = {f"lin{i}.model.1.weight": torch.rand(1, n, 1, 1) for i, n in enumerate(CHANNELS)}
    torch.save(linear, folder / "alex.pth")
    return folder


def convolved(state, values):
    """AlexNet's five rectified convolutions, written out (Krizhevsky 2014, arXiv:1404.5997)."""
    found = []
    for number, stride, padding in ((0, 4, 2), (3, 1, 2), (6, 1, 1), (8, 1, 1), (10, 1, 1)):
        values = functional.max_pool2d(values, 3, 2) if number in (3, 6) else values
        weight, bias = state[f"features.{number}.weight"], state[f"features.{number}.bias"]
        values = functional.conv2d(values, weight, bias, stride, padding).clamp(min=0)
        found.append(values)
    return found


def test_alexnet_is_looked_into_after_its_second_and_fifth_convolution(weights):
    state = torch.load(weights / "alexnet.pth", weights_only=True)
    expected = convolved(state, scaled(resized(PICTURES, 256), IMAGENET))
    given = alexnet(weights / "alexnet.pth").features(PICTURES)
    assert list(given) == ["AlexNet 2", "AlexNet 5"]
    for name, level in (("AlexNet 2", 1), ("AlexNet 5", 4)):
        assert np.allclose(given[name], expected[level].flatten(1).numpy(), atol=1e-5)


def test_lpips_is_the_published_formula(weights):
    state = torch.load(weights / "alexnet.pth", weights_only=True)
    linear = torch.load(weights / "alex.pth", weights_only=True)
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    prepared = (2 * resized(PICTURES[:2], 256) - 1 - shift.reshape(3, 1, 1)) / scale.reshape(3, 1, 1)
    expected = 0.0
    for number, level in enumerate(convolved(state, prepared)):
        unit = (level / (level.norm(dim=1, keepdim=True) + 1e-10)).numpy()
        weight = linear[f"lin{number}.model.1.weight"].numpy()[0]
        expected += float((weight * (unit[0] - unit[1]) ** 2).sum(axis=0).mean())
    lpips = Lpips.load(weights / "alexnet.pth", weights / "alex.pth")
    found = lpips.distances(PICTURES[[0, 0]], PICTURES[[1, 0]])
    assert found == pytest.approx([expected, 0.0], rel=1e-4) and found[0] > 0


def test_lpips_refuses_other_weights(weights):
    with pytest.raises(InputError, match=r"lin0\.model\.1\.weight"):
        Lpips.load(weights / "alexnet.pth", weights / "alexnet.pth")


def test_vgg_19_has_torchvisions_numbers_and_is_looked_into_before_each_pooling():
    with torch.device("meta"):
        net = vgg19_net()
    convolutions = [int(name.split(".")[0]) for name in net.state_dict() if name.endswith("weight")]
    assert convolutions == [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
    assert sum(value.numel() for value in net.state_dict().values()) == 20_024_384
    assert all(isinstance(net[n], nn.ReLU) and isinstance(net[n + 1], nn.MaxPool2d) for n in VGG19_LEVELS.values())
    trunk = Trunk("VGG-19", net, VGG19_LEVELS, lambda pictures: resized(pictures, 224), pocket=False)
    shapes = [tuple(level.shape) for level in trunk.tensors(torch.empty(1, 3, 224, 224, device="meta"))]
    assert shapes == [(1, 64, 224, 224), (1, 128, 112, 112), (1, 256, 56, 56), (1, 512, 28, 28), (1, 512, 14, 14)]


def test_the_pocket_trunk_is_the_encoders_own():
    encoder = PocketVision.load()
    with torch.inference_mode():
        expected = encoder.net.trunk(encoder.config.pixels.prepared(PICTURES)).numpy()
    many = np.repeat(PICTURES, 6, axis=0)  # more than one batch
    assert np.allclose(pocket_trunk(encoder).layers(many)[-1], np.repeat(expected, 6, axis=0), atol=1e-5)


def test_a_pickle_with_anything_but_tensors_is_not_opened(tmp_path):
    torch.save({"path": tmp_path}, tmp_path / "bad.pth")
    (tmp_path / "cut.safetensors").write_bytes(b"12")
    torch.save([1, 2], tmp_path / "list.pth")
    for name in ("bad.pth", "cut.safetensors", "list.pth"):
        with pytest.raises(InputError, match=name):
            read(tmp_path / name)


def test_weights_of_another_network_are_refused(tmp_path):
    save_file({"weight": torch.zeros(3, 3)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="2 of 2 tensors"):
        fill(nn.Linear(2, 2), read(tmp_path / "other.safetensors"), tmp_path / "other.safetensors")


class Small(nn.Module):
    """As torchvision's classifiers are built: convolutions, avgpool, fc."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, stride=8)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(4, 7)

    def forward(self, values):
        return self.fc(self.avgpool(self.conv(values)).flatten(1))


def test_what_is_pooled_is_taken_before_the_classifier():
    torch.manual_seed(0)
    net = Small()
    given = Pooled("small", net, net.avgpool, 48).features(PICTURES)
    expected = net.conv(scaled(resized(PICTURES, 48), IMAGENET)).mean(dim=(2, 3))
    assert given["small"] == pytest.approx(expected.detach().numpy(), abs=1e-5)


def test_a_network_trained_by_swav_loads_without_its_heads(tmp_path, monkeypatch):
    # torchvision does not load beside this torch: only its call is stood in for.
    torch.manual_seed(0)
    net = Small()
    state = {f"module.{name}": value for name, value in net.state_dict().items() if not name.startswith("fc")}
    torch.save({**state, "module.prototypes.weight": torch.zeros(2, 2)}, tmp_path / "swav.pth.tar")
    monkeypatch.setattr(pooled, "torchvision_models", lambda: Standin)
    given = swav(tmp_path / "swav.pth.tar").features(PICTURES)["SwAV"]
    expected = net.conv(scaled(resized(PICTURES, 224), IMAGENET)).mean(dim=(2, 3))
    assert given == pytest.approx(expected.detach().numpy(), abs=1e-5)


class Standin:
    @staticmethod
    def resnet50(weights):
        return Small()


def test_without_torchvision_its_networks_say_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torchvision", None)
    with pytest.raises(InputError, match="extra `features`"):
        torchvision_models()


def test_the_classifier_of_generation_accuracy_is_given_its_own_size():
    torch.manual_seed(0)
    net = Small()
    expected = net(scaled(resized(PICTURES, 56, "bicubic"), IMAGENET)).detach().numpy()
    assert Swag(net, size_px=56).logits(PICTURES) == pytest.approx(expected, abs=1e-5)


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory):
    torch.manual_seed(0)
    config = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, image_size=24, patch_size=8,
        projection_dim=16,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("clip")
    CLIPVisionModelWithProjection(config).save_pretrained(folder)
    return folder


def test_clip_gives_projected_embeddings_of_pictures_resized_bilinearly(clip_folder):
    model = CLIPVisionModelWithProjection.from_pretrained(clip_folder, local_files_only=True).eval()
    with torch.inference_mode():
        expected = model(pixel_values=scaled(resized(PICTURES, 24), CLIP)).image_embeds.numpy()
    clip = ClipPictures.load(clip_folder)
    given = clip.features(PICTURES)["CLIP"]
    assert given.shape == (3, 16) == (3, clip.dim) and given == pytest.approx(expected, abs=1e-5)


def test_a_folder_without_clips_weights_says_what_to_get(clip_folder, tmp_path):
    shutil.copy(clip_folder / "config.json", tmp_path)
    with pytest.raises(InputError, match=r"model\.safetensors missing; get config"):
        ClipPictures.load(tmp_path)
