import json
import shutil
import socket

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoTokenizer, Blip2ForConditionalGeneration, GenerationConfig, GitForCausalLM
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from calibration.recipes.feature_map import feature_map
from engines.errors import InputError
from engines.generators.base import Seen
from engines.generators.caption import MOST_TOKENS, PRETRAINED, Blip2, Git, open_captioner
from engines.generators.config import GeneratorsConfig
from engines.generators.words import Words
from engines.vision.base import Embeddings
from tests.engines.generators import tiny_captioners

KINDS = ("git", "blip2")
THEIRS = {
    "git": (GitForCausalLM, CLIPImageProcessorPil),
    "blip2": (Blip2ForConditionalGeneration, BlipImageProcessorPil),
}
NOTHING = np.zeros(8, np.float32)


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def folder(kind, tmp_path_factory):
    return getattr(tiny_captioners, kind)(tmp_path_factory.mktemp("captioners") / f"tiny-{kind}")


@pytest.fixture(scope="module")
def captioner(kind, folder):
    return PRETRAINED[kind].load(folder)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (6, 40, 48, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def mapped(captioner, pictures):
    """Embeddings that hold all that the tower sees, and the map fitted on them."""
    turned = np.linalg.qr(np.random.default_rng(1).normal(size=(120, 120)))[0]
    embeddings = (captioner.features(pictures).reshape(6, -1) @ turned).astype(np.float32)
    return embeddings, feature_map(captioner, Embeddings("some-encoder", embeddings), pictures)


def test_captions_of_pictures_are_those_of_transformers_own_model(kind, folder, captioner, pictures):
    model, processor = THEIRS[kind]
    theirs = model.from_pretrained(folder).eval()
    pixels = processor.from_pretrained(folder)([Image.fromarray(p) for p in pictures], return_tensors="pt")
    fixed = GenerationConfig(do_sample=False, max_new_tokens=MOST_TOKENS, **tiny_captioners.TOKENS)
    tokens = theirs.generate(pixel_values=pixels["pixel_values"], generation_config=fixed)
    wanted = AutoTokenizer.from_pretrained(folder).batch_decode(tokens, skip_special_tokens=True)
    got = [captioner.caption(Seen(NOTHING, picture=picture)) for picture in pictures]
    assert [caption.text for caption in got] == wanted
    assert {caption.route for caption in got} == {"picture"}
    assert len(set(wanted)) > 1 and all(text for text in wanted)


def test_captions_from_embeddings_are_those_of_the_features_that_the_map_gives(kind, folder, pictures, mapped):
    embeddings, fitted = mapped
    captioner = PRETRAINED[kind].load(folder, fitted)
    by_embedding = [captioner.caption(Seen(embedding)) for embedding in embeddings]
    by_picture = captioner.told(captioner.features(pictures))
    assert [caption.text for caption in by_embedding] == by_picture
    assert {caption.route for caption in by_embedding} == {"embedding"}
    assert (captioner.encoder, captioner.pocket, captioner.name) == ("some-encoder", False, f"tiny-{kind}")


def test_equal_input_gives_equal_words_after_warming_up(captioner, pictures):
    first = captioner.told(captioner.features(pictures))
    captioner.warm_up()
    torch.manual_seed(5)
    assert captioner.told(captioner.features(pictures)) == first


def test_sampling_that_a_folder_asks_for_is_not_done(kind, folder, captioner, pictures, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    told = json.loads((copy / "generation_config.json").read_text())
    (copy / "generation_config.json").write_text(json.dumps(told | {"do_sample": True, "temperature": 9.0}))
    sampling = PRETRAINED[kind].load(copy)
    assert sampling.told(sampling.features(pictures)) == captioner.told(captioner.features(pictures))


def test_without_a_picture_the_picture_route_refuses(captioner):
    with pytest.raises(InputError, match="picture to caption"):
        captioner.caption(Seen(NOTHING))


def test_a_map_of_another_captioner_is_refused(kind, folder, mapped, tmp_path):
    other = shutil.copytree(folder, tmp_path / "other")
    with pytest.raises(InputError, match="a feature map of other"):
        PRETRAINED[kind].load(other, mapped[1])


def test_what_is_missing_is_named_with_how_to_get_it(kind, folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "tokenizer.json").unlink()
    with pytest.raises(InputError, match=r"tokenizer\.json missing.*huggingface\.co"):
        PRETRAINED[kind].load(copy)


def test_weights_that_are_no_safetensors_are_not_read(kind, folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"model\*\.safetensors missing; get "):
        PRETRAINED[kind].load(copy)


def test_loading_opens_no_connection(kind, folder, monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    PRETRAINED[kind].load(folder)


def test_a_blip2_without_a_token_for_pictures_is_refused(tmp_path):
    with pytest.raises(InputError, match="image_token_index"):
        Blip2.load(tiny_captioners.blip2(tmp_path / "old", image_token=None))


def test_the_configured_captioner_is_opened_by_the_configured_route(kind, folder, mapped, tmp_path):
    mapped[1].save(tmp_path / "map.safetensors")
    config = GeneratorsConfig(
        git=folder, blip2=folder, caption_route="embedding", caption_map=tmp_path / "map.safetensors"
    )
    opened = open_captioner(kind, config)
    assert isinstance(opened, Git | Blip2) and opened.route == "embedding"
    assert isinstance(open_captioner("words", config), Words)


def test_the_route_by_embeddings_is_refused_where_there_is_no_map(kind, folder):
    with pytest.raises(InputError, match="need a map"):
        open_captioner(kind, GeneratorsConfig(git=folder, blip2=folder, caption_route="embedding"))


def test_a_captioner_that_is_not_here_says_how_to_get_it(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"not on this machine.*huggingface\.co"):
        open_captioner(kind, GeneratorsConfig())
