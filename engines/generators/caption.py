"""What was seen, in words: captioners with a picture tower and a language model (without any: `words.py`).

    picture ---> picture tower --.
                                 +--> features (tokens, width) --> language model --> caption
    embedding --> feature map --'

GIT (Wang et al. 2022, arXiv:2205.14100) and BLIP-2 (Li et al. 2023, arXiv:2301.12597) through transformers, from
folders in Hugging Face's layout and safetensors alone. By the embedding's route, ATM's (Li et al. 2024,
arXiv:2403.07721), a caption needs no reconstructed picture; by the picture's it describes what was made of it.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from transformers import AutoTokenizer, Blip2ForConditionalGeneration, GenerationConfig, GitForCausalLM
from transformers.modeling_outputs import BaseModelOutput
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from engines.errors import InputError
from engines.generators import hub
from engines.generators.base import Caption, Captioner, Route, Seen
from engines.generators.config import GeneratorsConfig
from engines.generators.feature_map import HOW_TO_MAKE, FeatureMap
from engines.generators.memory import memory_watched
from engines.generators.words import Words
from engines.parts import Part
from engines.vision.base import Floats, Pictures
from engines.weights import how_to_get, part, require_here

# As ATM generates: at most 25 tokens, always the likeliest, so that equal input gives equal words.
MOST_TOKENS = 25


class _Pretrained:
    """What both captioners share; `Captioner`. With a feature map captions come from embeddings, else from pictures.

    Thread: any, one at a time.
    """

    PART: ClassVar[Part]
    MODEL: ClassVar[Any]
    PROCESSOR: ClassVar[Any]
    TOWER: ClassVar[str]

    pocket = False

    def __init__(self, name: str, model: Any, tokenizer: Any, processor: Any, feature_map: FeatureMap | None) -> None:
        self.name = name
        self.model = model.eval().requires_grad_(False)
        self.tower: nn.Module = model.get_submodule(self.TOWER)
        self.model.set_submodule(self.TOWER, _Features())
        self.feature_map = feature_map
        self._tokenizer = tokenizer
        self._processor = processor
        if feature_map is not None:
            self._require_mine(feature_map)

    @classmethod
    def load(cls, folder: Path, feature_map: FeatureMap | None = None, device: str = "cpu") -> Self:
        """Read the captioner in `folder`; `feature_map` from embeddings to its features, None to caption pictures.

        Raises:
            InputError: something is missing or of another kind, or the map is of another captioner.
            WorkError: there is not enough memory.
        """
        place = hub.model_folder(cls.PART.source, cls.PART.files, folder, how_to_get(cls.PART))
        dtype = torch.float16 if device.startswith("cuda") else torch.float32
        name = hub.name_of(place)
        with memory_watched(name), hub.readable(place, how_to_get(cls.PART)):
            model, loading = cls.MODEL.from_pretrained(
                place, local_files_only=True, use_safetensors=True, output_loading_info=True, dtype=dtype
            )
            tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)
            processor = cls.PROCESSOR.from_pretrained(place, local_files_only=True)
            model.to(device)
        if loading["missing_keys"]:
            raise InputError(
                f"{place}: its safetensors lack {len(loading['missing_keys'])} tensors of {cls.MODEL.__name__}, "
                f"{min(loading['missing_keys'])} the first; {how_to_get(cls.PART)}"
            )
        return cls(name, model, tokenizer, processor, feature_map)

    @property
    def encoder(self) -> str | None:
        """The encoder whose embeddings its map takes; None where it captions pictures."""
        return None if self.feature_map is None else self.feature_map.origin.encoder

    @property
    def route(self) -> Route:
        """The way its captions come."""
        return "picture" if self.feature_map is None else "embedding"

    def caption(self, seen: Seen) -> Caption:
        """A caption by its route.

        Raises:
            InputError: there is no picture to caption, or the embedding has another length.
            WorkError: there was not enough memory.
        """
        if self.feature_map is not None:
            features = self.feature_map.features(seen.embedding[None])
        elif seen.picture is not None:
            features = self.features(seen.picture[None])
        else:
            raise InputError(f"{self.name}: expected a reconstructed picture to caption, got none")
        return Caption(self.told(features)[0], self.route)

    def features(self, pictures: Pictures) -> Floats:
        """(n, height, width, 3) to (n, tokens, width): what its own picture tower sees.

        Raises:
            InputError: something else than pictures came.
            WorkError: there was not enough memory.
        """
        if pictures.ndim != 4 or pictures.shape[3] != 3 or pictures.dtype != np.uint8:
            raise InputError(f"expected pictures (n, height, width, 3) of uint8, got {pictures.shape} {pictures.dtype}")
        images = [Image.fromarray(picture) for picture in pictures]
        pixels = self._processor(images, return_tensors="pt")["pixel_values"].to(self.model.device, self.model.dtype)
        with torch.inference_mode(), memory_watched(self.name):
            seen: Tensor = self.tower(pixels).last_hidden_state
        return seen.float().cpu().numpy()

    def told(self, features: Floats) -> list[str]:
        """A caption for each of the features (n, tokens, width).

        Raises:
            WorkError: there was not enough memory.
        """
        given = torch.from_numpy(features).to(self.model.device, self.model.dtype)
        with torch.inference_mode(), memory_watched(self.name):
            tokens = self.model.generate(pixel_values=given[:, None], generation_config=self._generation())
        return [text.strip() for text in self._tokenizer.batch_decode(tokens, skip_special_tokens=True)]

    def warm_up(self) -> None:
        """Caption once.

        Raises:
            WorkError: there was not enough memory.
        """
        grey = np.full((1, 64, 64, 3), 128, dtype=np.uint8)
        self.told(self.features(grey))

    def _generation(self) -> GenerationConfig:
        """Fixed settings; of the folder's own only which tokens begin and end a text."""
        told = self.model.config.get_text_config()
        names = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
        tokens = {name: value for name in names if (value := getattr(told, name, None)) is not None}
        return GenerationConfig(do_sample=False, num_beams=1, max_new_tokens=MOST_TOKENS, **tokens)

    def _require_mine(self, feature_map: FeatureMap) -> None:
        vision = self.model.config.vision_config
        wanted = ((vision.image_size // vision.patch_size) ** 2 + 1, vision.hidden_size)
        if feature_map.origin.captioner != self.name or feature_map.mean.shape != wanted:
            raise InputError(
                f"expected a feature map of {self.name} with {wanted} features, got one of "
                f"{feature_map.origin.captioner} with {feature_map.mean.shape}; {HOW_TO_MAKE}"
            )


class Git(_Pretrained):
    """GIT: features of a CLIP picture tower are the first tokens of a language model.

    Thread: any, one at a time.
    """

    PART = part("git")
    MODEL = GitForCausalLM
    PROCESSOR = CLIPImageProcessorPil
    TOWER = "git.image_encoder"


class Blip2(_Pretrained):
    """BLIP-2: a Q-Former asks a frozen picture tower, and its answers are the first tokens of a language model.

    Thread: any, one at a time.
    """

    PART = part("blip2")
    MODEL = Blip2ForConditionalGeneration
    PROCESSOR = BlipImageProcessorPil
    TOWER = "vision_model"

    def __init__(self, name: str, model: Any, *others: Any) -> None:
        if model.config.image_token_index is None:
            raise InputError(
                f"{name}: config.json names no image_token_index, as older revisions did not; take the newest "
                f"({how_to_get(self.PART)})"
            )
        super().__init__(name, model, *others)


PRETRAINED: dict[str, type[Git] | type[Blip2]] = {"git": Git, "blip2": Blip2}


def open_captioner(name: str, config: GeneratorsConfig, device: str = "cpu") -> Captioner:
    """The captioner `name` of `CAPTIONS`, by the route that `config` names.

    Raises:
        InputError: there is none of that name, or it or its feature map is not here; the message says what to do.
        WorkError: there was not enough memory.
    """
    if name == "words":
        return Words()
    if name not in PRETRAINED:
        raise InputError(f"expected a captioner ({', '.join((*PRETRAINED, 'words'))}), got {name!r}")
    folder = require_here(part(name), config).place
    return PRETRAINED[name].load(folder, _map_of(name, config), device)


def open_tower(config: GeneratorsConfig, device: str = "cpu") -> tuple[Git | Blip2, dict[str, str]]:
    """The first allowed captioner with a picture tower that is here, to look at pictures; and why others are not.

    Raises:
        InputError: none is here; the message says what to do.
        WorkError: there was not enough memory.
    """
    why: dict[str, str] = {}
    for name in config.captions:
        if name not in PRETRAINED:
            continue
        try:
            found = open_captioner(name, replace(config, caption_route="picture"), device)
        except InputError as error:
            why[name] = str(error)
            continue
        assert isinstance(found, Git | Blip2)
        return found, why
    told = "; ".join(f"{name}: {text}" for name, text in why.items()) or "[reconstruction] captions allows none"
    raise InputError(f"expected a captioner that looks at pictures ({', '.join(PRETRAINED)}), got none ({told})")


def _map_of(name: str, config: GeneratorsConfig) -> FeatureMap | None:
    if config.caption_route == "picture":
        return None
    if config.caption_route != "embedding":
        raise InputError(f"expected caption_route picture or embedding, got {config.caption_route!r}")
    if config.caption_map is None:
        raise InputError(
            f"{name}: captions from embeddings need a map to its features, and caption_map names none; {HOW_TO_MAKE}"
        )
    return FeatureMap.load(config.caption_map)


class _Features(nn.Module):
    """Stands where the picture tower stood: what comes as (n, 1, tokens, width) are its features already."""

    def forward(self, pixel_values: Tensor, **_: Any) -> BaseModelOutput:
        return BaseModelOutput(last_hidden_state=pixel_values[:, 0])
