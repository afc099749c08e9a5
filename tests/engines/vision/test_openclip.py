import json
import shutil
import socket

import numpy as np
import pytest
import torch
from transformers import CLIPConfig, CLIPModel, CLIPVisionConfig, CLIPVisionModelWithProjection
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from engines.errors import InputError
from engines.vision.encoders import open_encoder
from engines.vision.openclip import OpenClip

MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny CLIP vision tower as Hugging Face saves it, with the real one's embedding length."""
    folder = tmp_path_factory.mktemp("clip") / "tiny"
    torch.manual_seed(0)
    config = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, image_size=32, patch_size=8,
        projection_dim=1024,
    )  # fmt: skip
    CLIPVisionModelWithProjection(config).save_pretrained(folder)
    told = {
        "crop_size": {"height": 32, "width": 32}, "do_center_crop": True, "do_normalize": True, "do_resize": True,
        "image_mean": MEAN, "image_std": STD, "resample": 3, "size": {"shortest_edge": 32},
        "image_processor_type": "CLIPImageProcessor",
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(told))
    return folder


@pytest.fixture
def both_towers(folder, tmp_path):
    """Both towers in one file, and config.json with the fields that laion/CLIP-ViT-H-14-laion2B-s32B-b79K has: the
    length of embeddings stands outside, the towers say nothing of it.
    """
    torch.manual_seed(1)
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    vision = {**tower, "image_size": 32, "patch_size": 8, "hidden_act": "gelu"}
    text = {**tower, "vocab_size": 60, "eos_token_id": 2, "hidden_act": "gelu"}
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=24))
    place = tmp_path / "CLIP-ViT-tiny"
    model.save_pretrained(place)
    shutil.copy(folder / "preprocessor_config.json", place)
    told = {
        "architectures": ["CLIPModel"], "initializer_factor": 1.0, "logit_scale_init_value": 2.6592,
        "model_type": "clip", "projection_dim": 24, "torch_dtype": "float32", "transformers_version": None,
        "text_config": {**text, "model_type": "clip_text_model"},
        "text_config_dict": text,
        "vision_config": {**vision, "model_type": "clip_vision_model", "num_channels": 3, "layer_norm_eps": 1e-05},
        "vision_config_dict": vision,
    }  # fmt: skip
    (place / "config.json").write_text(json.dumps(told))
    return place, model.eval()


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def picture(height, width, seed=0):
    """Smooth colours with edges, as pictures have them."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (1, 12, 12, 3), dtype=np.uint8)
    big = torch.nn.functional.interpolate(torch.from_numpy(coarse).permute(0, 3, 1, 2).float(), (height, width))
    return big.permute(0, 2, 3, 1).numpy().astype(np.uint8)


@pytest.mark.parametrize("size", [(32, 32), (96, 96), (120, 75), (75, 121), (33, 200), (20, 20)])
def test_pictures_are_prepared_as_transformers_does_it(folder, size):
    given = picture(*size)
    wanted = CLIPImageProcessorPil.from_pretrained(folder)(list(given), return_tensors="np")["pixel_values"]
    got = OpenClip.load(folder).pixels.prepared(given).numpy()
    grey_values = np.abs(got - wanted) * 255 * np.reshape(STD, (3, 1, 1))
    assert got.shape == wanted.shape
    assert grey_values.max() < 2.01 and grey_values.mean() < 0.02  # Pillow computes in integers


def test_embeddings_are_raw_image_embeds_of_the_saved_model(folder):
    encoder = open_encoder("openclip", folder)
    pictures = np.concatenate([picture(48, 48, seed) for seed in range(20)])
    got = encoder.embed(pictures)
    model = CLIPVisionModelWithProjection.from_pretrained(folder, local_files_only=True).eval()
    with torch.inference_mode():
        wanted = model(pixel_values=encoder.pixels.prepared(pictures)).image_embeds.numpy()
    assert (encoder.name, encoder.dim) == ("openclip-tiny", 1024)
    assert got.shape == (20, 1024) and got.dtype == np.float32
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)
    assert np.linalg.norm(got, axis=1).std() > 1e-3  # not normalised


def test_a_folder_with_both_towers_gives_image_features_of_the_length_it_names(both_towers):
    place, model = both_towers
    encoder = OpenClip.load(place)
    pictures = np.concatenate([picture(48, 48, seed) for seed in range(3)])
    with torch.inference_mode():
        seen = model.vision_model(pixel_values=encoder.pixels.prepared(pictures)).pooler_output
        wanted = model.visual_projection(seen).numpy()
    assert (encoder.name, encoder.dim) == ("openclip-CLIP-ViT-tiny", 24)
    np.testing.assert_allclose(encoder.embed(pictures), wanted, rtol=1e-4, atol=1e-5)


def test_weights_of_another_length_than_the_config_says_are_refused(both_towers):
    place, _ = both_towers
    told = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps(told | {"projection_dim": 20}))
    with pytest.raises(InputError, match=r"cannot be read.*huggingface\.co"):
        OpenClip.load(place)


def test_another_model_than_clip_is_refused(copy):
    (copy / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(InputError, match="expected CLIP, got a model of type bert"):
        OpenClip.load(copy)
    (copy / "config.json").write_text(json.dumps({"model_type": "no such thing"}))
    with pytest.raises(InputError, match="cannot be read"):
        OpenClip.load(copy)


def test_loading_opens_no_connection(folder, monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    OpenClip.load(folder)


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_a_missing_file_is_named_with_where_to_get_it(copy, name):
    (copy / name).unlink()
    with pytest.raises(InputError, match=rf"{name} missing; get .*licence MIT"):
        OpenClip.load(copy)


def test_pickled_weights_are_not_opened(copy):
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"model\.safetensors missing"):
        OpenClip.load(copy)


@pytest.mark.parametrize("change", [{"resample": 2}, {"do_center_crop": False}, {"size": {"height": 32, "width": 32}}])
def test_another_preprocessing_is_refused(copy, change):
    path = copy / "preprocessor_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match="something else than CLIP's preprocessing"):
        OpenClip.load(copy)


def test_a_crop_that_the_model_does_not_take_is_refused(copy):
    path = copy / "preprocessor_config.json"
    told = {**json.loads(path.read_text()), "crop_size": 24}
    path.write_text(json.dumps(told))
    with pytest.raises(InputError, match="24 px"):
        OpenClip.load(copy)


def test_a_damaged_config_is_refused(copy):
    (copy / "preprocessor_config.json").write_text("{")
    with pytest.raises(InputError, match="not JSON"):
        OpenClip.load(copy)


@pytest.mark.parametrize(
    "pictures", [np.zeros((2, 32, 32, 4), np.uint8), np.zeros((32, 32, 3), np.uint8), np.zeros((1, 32, 32, 3))]
)
def test_what_is_no_picture_is_refused(folder, pictures):
    with pytest.raises(InputError, match="expected pictures"):
        OpenClip.load(folder).embed(pictures)
