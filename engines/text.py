"""From texts to embeddings, for comparing captions: sentence models and CLIP's text tower, from local folders."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoTokenizer, CLIPTextModelWithProjection

from engines.errors import InputError
from engines.generators import hub
from engines.parts import Part
from engines.vision.base import Floats
from engines.weights import how_to_get, part

SENTENCES, CLIP = part("sbert"), part("clip-l")
_BATCH = 32


class _Tokenized(ABC):
    """A model over tokens, cut to what it takes at most."""

    name: str

    def __init__(self, model: Any, tokenizer: Any, most: int) -> None:
        self._model = model.eval().requires_grad_(False)
        self._tokenizer = tokenizer
        self._most = most

    def embed(self, texts: list[str]) -> Floats:
        """(n, dim), raw."""
        batches = [texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH)]
        with torch.inference_mode():
            return np.concatenate([self._embedded(self._tokens(batch)).numpy() for batch in batches])

    def _tokens(self, texts: list[str]) -> dict[str, Tensor]:
        told = self._tokenizer(texts, padding=True, truncation=True, max_length=self._most, return_tensors="pt")
        return {name: told[name] for name in ("input_ids", "attention_mask")}

    @abstractmethod
    def _embedded(self, tokens: dict[str, Tensor]) -> Tensor:
        """One batch of texts to (n, dim)."""


class SentenceModel(_Tokenized):
    """A sentence-transformers model: the mean over the last states of a text's tokens (Reimers & Gurevych 2019)."""

    name = "sentence likeness"

    @classmethod
    def load(cls, configured: Path | None = None) -> Self:
        """Read it from `configured`, else from the user's hub cache.

        Raises:
            InputError: it is not there, or pools otherwise.
        """
        folder = hub.model_folder(SENTENCES.source, SENTENCES.files, configured, _how_to_get(SENTENCES))
        _require_mean(folder)
        model, tokenizer = _loaded(AutoModel, folder, unneeded="pooler.")
        return cls(model, tokenizer, min(256, model.config.max_position_embeddings))

    def _embedded(self, tokens: dict[str, Tensor]) -> Tensor:
        mask = tokens["attention_mask"][..., None].float()
        states: Tensor = self._model(**tokens).last_hidden_state
        return (states * mask).sum(dim=1) / mask.sum(dim=1)


class ClipText(_Tokenized):
    """CLIP's text tower with its projection (Radford et al. 2021)."""

    name = "CLIP-text likeness"

    @classmethod
    def load(cls, configured: Path | None = None) -> Self:
        """Read it from `configured`, else from the user's hub cache.

        Raises:
            InputError: it is not there, or something else.
        """
        folder = hub.model_folder(CLIP.source, CLIP.files, configured, _how_to_get(CLIP))
        model, tokenizer = _loaded(CLIPTextModelWithProjection, folder, config=_text_config(folder))
        return cls(model, tokenizer, model.config.max_position_embeddings)

    def _embedded(self, tokens: dict[str, Tensor]) -> Tensor:
        embeds: Tensor = self._model(**tokens).text_embeds
        return embeds


def _require_mean(folder: Path) -> None:
    """sentence-transformers writes how tokens become a sentence; where it says nothing, it is their mean."""
    path = folder / "1_Pooling" / "config.json"
    if path.is_file() and not json.loads(path.read_text(encoding="utf-8")).get("pooling_mode_mean_tokens", False):
        raise InputError(f"{path}: expected the mean over tokens; take {SENTENCES.source}")


def _how_to_get(wanted: Part) -> str:
    return f"{how_to_get(wanted)}; or leave this measure out"


def _text_config(folder: Path) -> Any:
    """Of a folder with both towers that of the text tower, which need not repeat the length of embeddings."""
    with _readable(folder):
        told = AutoConfig.from_pretrained(folder, local_files_only=True)
    text = getattr(told, "text_config", told)
    if text.model_type != "clip_text_model":
        raise InputError(f"{folder}: expected CLIP, got a model of type {told.model_type}; {_how_to_get(CLIP)}")
    text.projection_dim = getattr(told, "projection_dim", None)
    return text


def _loaded(kind: Any, folder: Path, unneeded: str = "\0", config: Any = None) -> tuple[Any, Any]:
    """The model and its tokenizer; tensors that are missing are an error but for those whose name starts `unneeded`."""
    with _readable(folder):
        model, loading = kind.from_pretrained(
            folder, config=config, local_files_only=True, use_safetensors=True, output_loading_info=True,
            dtype=torch.float32,
        )  # fmt: skip
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    missing = sorted(name for name in loading["missing_keys"] if not name.startswith(unneeded))
    if missing:
        raise InputError(f"{folder}: model.safetensors lacks {len(missing)} tensors, {missing[0]} the first")
    return model, tokenizer


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    """What transformers cannot read, or does not fit its configuration, is an InputError."""
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        told = str(error).strip().split("\n", 1)[0]
        raise InputError(f"{folder}: cannot be read ({type(error).__name__}: {told}); fetch it again") from error
