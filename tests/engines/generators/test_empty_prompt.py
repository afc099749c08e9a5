import json

import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from engines.errors import InputError
from engines.generators.empty_prompt import EmptyPrompt, main, make_empty_prompt
from tests.engines.generators.small_sdxl import small_pipeline

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An SDXL folder with both of its text encoders, tiny."""
    folder = tmp_path_factory.mktemp("whole")
    words = folder / "words"
    words.mkdir()
    vocabulary = {"a</w>": 0, "<|startoftext|>": 1, "<|endoftext|>": 2}
    (words / "vocab.json").write_text(json.dumps(vocabulary))
    (words / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(words / "vocab.json"), str(words / "merges.txt"), model_max_length=7)
    config = CLIPTextConfig(
        vocab_size=3, hidden_size=8, intermediate_size=8, num_hidden_layers=3, num_attention_heads=2,
        max_position_embeddings=7, projection_dim=10, bos_token_id=1, eos_token_id=2, pad_token_id=2,
    )  # fmt: skip
    parts = small_pipeline().components | {
        "text_encoder": CLIPTextModel(config), "text_encoder_2": CLIPTextModelWithProjection(config),
        "tokenizer": tokenizer, "tokenizer_2": tokenizer,
    }  # fmt: skip
    StableDiffusionXLPipeline(**parts, add_watermarker=False).save_pretrained(folder)
    return folder


def test_it_is_what_diffusers_encodes_the_empty_prompt_to(whole, tmp_path):
    made = EmptyPrompt.load(make_empty_prompt(whole, tmp_path / "empty.safetensors"))
    pipeline = StableDiffusionXLPipeline.from_pretrained(whole, local_files_only=True)
    embeds, _, pooled, _ = pipeline.encode_prompt("", device="cpu", do_classifier_free_guidance=False)
    assert made.embeds.shape == (1, 7, 16) and made.pooled.shape == (1, 10)
    torch.testing.assert_close(made.embeds, embeds)
    torch.testing.assert_close(made.pooled, pooled)


def test_the_command_puts_it_beside_the_pipeline(whole, capsys):
    assert main([str(whole)]) == 0
    assert capsys.readouterr().out == f"wrote {whole / 'empty_prompt.safetensors'}\n"
    EmptyPrompt.load(whole / "empty_prompt.safetensors")


def test_a_folder_without_text_encoders_is_refused(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert "text_encoder_2" in capsys.readouterr().err
    assert main([]) == 2


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "empty_prompt.safetensors"
    EmptyPrompt(torch.zeros(2, 7, 16), torch.zeros(2, 10)).save(path)
    with pytest.raises(InputError, match=r"\(1, words, width\)"):
        EmptyPrompt.load(path)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="make it once"):
        EmptyPrompt.load(path)
