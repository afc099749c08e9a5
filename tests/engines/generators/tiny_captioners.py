"""Small captioners with random weights in the hub's layout, as `save_pretrained` writes them."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    GitConfig,
    GitForCausalLM,
    PreTrainedTokenizerFast,
)
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "<image>",
    "a",
    "an",
    "the",
    "red",
    "blue",
    "chair",
    "apple",
    "on",
    "in",
    "of",
    "table",
    "dog",
    "cat",
    "with",
    "white",
    "green",
]
TOKENS = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
VISION = {
    "hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
    "image_size": 32, "patch_size": 16,
}  # fmt: skip
SHAPE = (5, 24)  # four patches and a class token


def tokenizer() -> PreTrainedTokenizerFast:
    inner = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="[UNK]", pad_token="[PAD]", bos_token="[CLS]", eos_token="[SEP]",
        extra_special_tokens=["<image>"],
    )  # fmt: skip


def git(folder: Path) -> Path:
    torch.manual_seed(0)
    config = GitConfig(
        vision_config=VISION, vocab_size=len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64, initializer_range=0.5, **TOKENS,
    )  # fmt: skip
    GitForCausalLM(config).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def blip2(folder: Path, image_token: int | None = 4) -> Path:
    torch.manual_seed(0)
    language = {
        "model_type": "opt", "vocab_size": len(WORDS), "hidden_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 2, "ffn_dim": 64, "max_position_embeddings": 64, "word_embed_proj_dim": 32,
        "init_std": 0.5, **TOKENS,
    }  # fmt: skip
    asking = {
        "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 30,
        "initializer_range": 0.5,
    }  # fmt: skip
    config = Blip2Config(
        vision_config={**VISION, "initializer_range": 0.3}, qformer_config=asking, text_config=language,
        num_query_tokens=4, image_token_index=image_token, initializer_range=0.5,
    )  # fmt: skip
    model = Blip2ForConditionalGeneration(config)
    torch.nn.init.normal_(model.query_tokens)
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    BlipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder
