"""The embeddings of the empty prompt, made once, so that no text encoder (1.6 GB for SDXL) is loaded to draw.

    python -m engines.generators.empty_prompt FOLDER [FILE]

reads the two text encoders and tokenizers of an SDXL folder and writes FILE, `empty_prompt.safetensors` beside them
where none is named.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from engines.errors import AfterimageError, InputError

NAME = "empty_prompt.safetensors"
TEXT_PARTS = ("text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2")

HOW_TO_MAKE = "make it once with `python -m engines.generators.empty_prompt FOLDER`"


@dataclass(frozen=True, eq=False)
class EmptyPrompt:
    """`embeds` (1, words, cross-attention width) and `pooled` (1, width) as SDXL's text encoders give them for ""."""

    embeds: Tensor
    pooled: Tensor

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: there is no such file, or it holds something else.
        """
        try:
            found = load_file(path)
        except (FileNotFoundError, SafetensorError) as error:
            raise InputError(f"{path}: expected the embeddings of the empty prompt ({error}); {HOW_TO_MAKE}") from error
        try:
            embeds, pooled = found["prompt_embeds"], found["pooled"]
        except KeyError as error:
            raise InputError(f"{path}: expected prompt_embeds and pooled, {error} is missing; {HOW_TO_MAKE}") from error
        if embeds.ndim != 3 or pooled.ndim != 2 or len(embeds) != 1 or len(pooled) != 1:
            raise InputError(
                f"{path}: expected prompt_embeds (1, words, width) and pooled (1, width), "
                f"got {tuple(embeds.shape)} and {tuple(pooled.shape)}; {HOW_TO_MAKE}"
            )
        return cls(embeds, pooled)

    def save(self, path: Path) -> None:
        """Write it."""
        save_file({"prompt_embeds": self.embeds.contiguous(), "pooled": self.pooled.contiguous()}, path)


def make_empty_prompt(folder: Path, path: Path | None = None) -> Path:
    """Encode "" with the text encoders of the SDXL `folder` and write it to `path`; returns where it lies.

    Raises:
        InputError: `folder` holds no text encoders.
    """
    from diffusers import StableDiffusionXLPipeline

    missing = [name for name in TEXT_PARTS if not (folder / name).is_dir()]
    if missing:
        raise InputError(f"{folder}: expected an SDXL folder with its text encoders, {', '.join(missing)} missing")
    variant = "fp16" if (folder / "text_encoder" / "model.fp16.safetensors").exists() else None
    pipeline = StableDiffusionXLPipeline.from_pretrained(
        folder, unet=None, vae=None, scheduler=None, variant=variant, dtype=torch.float32,
        local_files_only=True, use_safetensors=True, add_watermarker=False,
    )  # fmt: skip
    with torch.inference_mode():
        embeds, _, pooled, _ = pipeline.encode_prompt("", device="cpu", do_classifier_free_guidance=False)
    path = path or folder / NAME
    EmptyPrompt(embeds, pooled).save(path)
    return path


def main(arguments: list[str]) -> int:
    """The command of this module."""
    if len(arguments) not in (1, 2):
        sys.stderr.write(f"expected FOLDER [FILE], got {len(arguments)} arguments\n")
        return 2
    try:
        path = make_empty_prompt(Path(arguments[0]), Path(arguments[1]) if len(arguments) == 2 else None)
    except AfterimageError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    sys.stdout.write(f"wrote {path}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
