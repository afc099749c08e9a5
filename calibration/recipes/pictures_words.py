"""The pocket generator that takes words: SD-1.5's class, a sentence such as "a red chair" to a picture in one step.

A sentence fits many pictures, and the mean of them all is a blur. So that different noise draws different ones, noise
is tried a few times for each picture and what came nearest to it learns (implicit maximum likelihood estimation: Li &
Malik 2018, arXiv:1809.09087).

Thread: one at a time.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

from calibration.objects.colours import LABELS, sentence
from calibration.recipes.pictures_data import Shown
from calibration.recipes.pictures_fit import Denoising, Stage, descending
from calibration.recipes.pictures_nets import N_WORDS, NetsConfig, new_sd15, sd15_scheduler
from calibration.recipes.progress import Progress

_START, _END, _LAST = "<|startoftext|>", "<|endoftext|>", "</w>"


def new_tokenizer(categories: Sequence[str]) -> Any:
    """CLIP's tokenizer with the words of all sentences about `categories` in it, each one token, and no others.

    The trainer of `tokenizers` numbers letters anew in every run.
    """
    known = [sentence(category, colour) for category in categories for colour in range(len(LABELS))]
    merges = merges_of({word for told in known for word in told.split()})
    letters = sorted(bytes_to_unicode().values())
    names = [_START, _END, *letters, *(letter + _LAST for letter in letters), *("".join(pair) for pair in merges)]
    vocabulary = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=N_WORDS)


def merges_of(words: Iterable[str]) -> list[tuple[str, str]]:
    """Byte pair encoding (Sennrich et al. 2016, arXiv:1508.07909) until each of `words` is one piece.

    Of pairs that are equally frequent the one first in the alphabet goes first.
    """
    split = [[*word[:-1], word[-1] + _LAST] for word in sorted(words)]
    merges: list[tuple[str, str]] = []
    while pairs := Counter(pair for pieces in split for pair in pairwise(pieces)):
        merges.append(min(pairs, key=lambda pair: (-pairs[pair], pair)))
        split = [_joined(pieces, merges[-1]) for pieces in split]
    return merges


def _joined(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    done: list[str] = []
    for piece in pieces:
        if done and (done[-1], piece) == pair:
            done[-1] += piece
        else:
            done.append(piece)
    return done


class Telling:
    """SD-1.5's UNet and its text model, in training."""

    def __init__(self, config: NetsConfig, categories: Sequence[str], seed: int) -> None:
        self.tokenizer = new_tokenizer(categories)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.text = CLIPTextModel(_text_config(config, self.tokenizer))
            self.unet = new_sd15(config, seed)
        told = [sentence(category, colour) for category in categories for colour in range(len(LABELS))]
        self._tokens = torch.tensor(self.tokenizer(told, padding="max_length", max_length=N_WORDS)["input_ids"])

    def tokens(self, shown: Shown) -> Tensor:
        """(n, 77) the sentences about what was shown."""
        return self._tokens[shown.categories * len(LABELS) + shown.colours]

    def __call__(self, latents: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """Latents (n, 4, side, side), times (n,), tokens (n, 77) to what the scheduler steps with."""
        predicted: Tensor = self.unet(latents, times, encoder_hidden_states=self.text(tokens)[0]).sample
        return predicted


def trained_telling(
    telling: Telling, shown: Iterator[Shown], stage: Stage, last: float, n_tries: int, seed: int,
    progress: Progress,
) -> None:  # fmt: skip
    """Learn from `shown`, which hold latents."""
    denoising = Denoising(telling, sd15_scheduler(), last)
    random = torch.Generator().manual_seed(seed)

    def loss(batch: Shown) -> Tensor:
        clean, tokens = batch.latents, telling.tokens(batch)
        noise = nearest(denoising, clean, tokens, n_tries, random)
        times = denoising.times(len(batch), random)
        return functional.mse_loss(denoising.clean(denoising.noisy(clean, times, noise), times, tokens), clean)

    for _ in descending([telling.unet, telling.text], loss, shown, stage, progress):
        pass


@torch.no_grad()
def nearest(denoising: Denoising, clean: Tensor, tokens: Tensor, n_tries: int, random: torch.Generator) -> Tensor:
    """Of `n_tries` times noise like `clean`, that from which the pictures drawn are most like `clean`."""
    best, least = torch.empty_like(clean), torch.full((len(clean),), torch.inf)
    for _ in range(n_tries):
        noise = torch.randn(clean.shape, generator=random)
        far = (denoising.at_once(noise, tokens) - clean).square().mean(dim=(1, 2, 3))
        nearer = far < least
        best[nearer], least[nearer] = noise[nearer], far[nearer]
    return best


def _text_config(config: NetsConfig, tokenizer: Any) -> Any:
    return CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=config.text_width, intermediate_size=2 * config.text_width,
        num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=N_WORDS, projection_dim=config.text_width,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
