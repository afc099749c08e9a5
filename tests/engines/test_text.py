import json

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, CLIPConfig, CLIPModel, PreTrainedTokenizerFast

from engines.errors import InputError
from engines.text import ClipText, SentenceModel

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "red", "chair", "dog", "on", "the", "table"]
TEXTS = ["a red chair", "dog", "the dog on the red table"]
SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def save_tokenizer(folder):
    inner = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="[UNK]", pad_token="[PAD]").save_pretrained(folder)


def tokens(text):
    return torch.tensor([[2, *(WORDS.index(word) for word in text.split()), 3]])


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts") / "sentences"
    torch.manual_seed(0)
    BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=32, **SMALL)).save_pretrained(folder)
    save_tokenizer(folder)
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Both towers, as the published folder has them."""
    folder = tmp_path_factory.mktemp("texts") / "clip"
    torch.manual_seed(0)
    text = {**SMALL, "vocab_size": len(WORDS), "max_position_embeddings": 12, "eos_token_id": 3, "bos_token_id": 2}
    config = CLIPConfig(text_config=text, vision_config={**SMALL, "image_size": 16, "patch_size": 8}, projection_dim=8)
    CLIPModel(config).save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def test_a_sentence_is_the_mean_over_its_own_tokens_whatever_stands_beside_it(sentences):
    model = BertModel.from_pretrained(sentences).eval()
    with torch.inference_mode():
        wanted = [model(input_ids=tokens(text)).last_hidden_state[0].mean(dim=0).numpy() for text in TEXTS]
    np.testing.assert_allclose(SentenceModel.load(sentences).embed(TEXTS), wanted, atol=1e-5)


def test_clips_texts_are_those_of_the_whole_model(clip):
    model = CLIPModel.from_pretrained(clip).eval()
    with torch.inference_mode():
        wanted = [model.text_projection(model.text_model(tokens(text)).pooler_output)[0].numpy() for text in TEXTS]
    np.testing.assert_allclose(ClipText.load(clip).embed(TEXTS), wanted, atol=1e-5)


def test_texts_longer_than_the_model_takes_are_cut(clip, sentences):
    long = " ".join(["dog"] * 90)
    for encoder in (ClipText.load(clip), SentenceModel.load(sentences)):
        assert np.isfinite(encoder.embed([long, "a"])).all()


@pytest.mark.parametrize("kind", [ClipText, SentenceModel])
def test_what_is_not_here_is_told_with_how_to_get_it(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"not on this machine.*huggingface\.co"):
        kind.load()


def test_another_kind_of_model_is_refused(sentences):
    with pytest.raises(InputError, match="expected CLIP, got a model of type bert"):
        ClipText.load(sentences)


def test_a_sentence_model_that_pools_otherwise_is_refused(sentences):
    (sentences / "1_Pooling").mkdir()
    (sentences / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    with pytest.raises(InputError, match="mean"):
        SentenceModel.load(sentences)
