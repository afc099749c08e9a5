"""Files of IP-Adapters: one embedding of a picture becomes a few tokens that a UNet attends to beside the text.

    image_proj.proj.{weight, bias}      embedding (dim) -> tokens x width
    image_proj.norm.{weight, bias}      of each token
    ip_adapter.<k>.to_{k,v}_ip.weight   keys and values of the tokens in the k-th attention; cross-attentions are odd

The plain adapter of Ye et al. 2023 (arXiv:2308.06721), as its authors publish it and diffusers reads it. A file
that Afterimage fine-tuned says in its metadata what it is.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from engines.errors import InputError

FORMAT = "afterimage adapter 1"
N_TOKENS = 4  # diffusers knows no other number for the plain adapter
PROJECTION = ("proj.weight", "proj.bias", "norm.weight", "norm.bias")

Weights = dict[str, dict[str, Tensor]]
"""What diffusers' `load_ip_adapter` takes: {"image_proj": {...}, "ip_adapter": {...}}."""


@dataclass(frozen=True)
class AdapterOrigin:
    """Where a fine-tuned adapter comes from.

    `base` is the name of the picture generator it belongs to, `encoder` whose embeddings it takes, `trained_on` and
    `selected_on` digests of the pairs, `simulated` whether the brain was; `scores` losses of the chosen epoch.
    """

    base: str
    encoder: str
    trained_on: str
    selected_on: str
    seed: int
    simulated: bool
    scores: Mapping[str, float]


def read(path: Path) -> Weights:
    """An adapter's tensors.

    Raises:
        InputError: there is no such file, or it is no plain IP-Adapter.
    """
    weights: Weights = {"image_proj": {}, "ip_adapter": {}}
    try:
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - no mapping
                part, _, rest = name.partition(".")
                weights.setdefault(part, {})[rest] = file.get_tensor(name)
    except (FileNotFoundError, SafetensorError) as error:
        raise InputError(f"{path}: expected an IP-Adapter in safetensors ({error})") from error
    if set(weights["image_proj"]) != set(PROJECTION) or not weights["ip_adapter"]:
        raise InputError(
            f"{path}: expected a plain IP-Adapter, whose image_proj holds {', '.join(PROJECTION)}; "
            f"got {', '.join(sorted(weights['image_proj'])[:4]) or 'none'}; take one that is not plus, full or face"
        )
    return weights


def origin(path: Path) -> AdapterOrigin | None:
    """Where a fine-tuned adapter comes from, None for one from elsewhere.

    Raises:
        InputError: there is no such file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            told = file.metadata() or {}
    except (FileNotFoundError, SafetensorError) as error:
        raise InputError(f"{path}: expected an IP-Adapter in safetensors ({error})") from error
    return AdapterOrigin(**json.loads(told["origin"])) if told.get("format") == FORMAT else None


def tuned_for(base: str, path: Path | None) -> AdapterOrigin | None:
    """Where the adapter in file `path` comes from, None unless it was fine-tuned for the generator `base`.

    Raises:
        InputError: as `origin`.
    """
    came = None if path is None else origin(path)
    return came if came is not None and came.base == base else None


def write(path: Path, weights: Weights, came: AdapterOrigin | None = None) -> None:
    """Write an adapter as `read` and diffusers read it, in half precision."""
    flat = {
        f"{part}.{name}": value.detach().cpu().half().contiguous()
        for part, tensors in weights.items()
        for name, value in tensors.items()
    }
    told = {"format": FORMAT, "origin": json.dumps(asdict(came))} if came else None
    save_file(flat, path, metadata=told)


def require_fits(weights: Weights, unet: Any, path: Path) -> None:
    """Refuse an adapter made for another UNet, in words, before diffusers meets it.

    Raises:
        InputError: other widths, or another number of attentions.
    """
    width = unet.config.cross_attention_dim
    tokens = weights["image_proj"]["proj.weight"].shape[0] / width
    if tokens != N_TOKENS:
        raise InputError(
            f"{path}: expected {N_TOKENS} tokens of the UNet's width {width}, its projection makes {tokens:g}; "
            "take the adapter made for this UNet"
        )
    expected = {
        f"{number}.to_{part}_ip.weight": (heads_width, width)
        for number, heads_width in attended(unet).items()
        for part in ("k", "v")
    }
    found = {name: tuple(value.shape) for name, value in weights["ip_adapter"].items()}
    if found != expected:
        odd = sorted({*found.items()} ^ {*expected.items()})[0]
        raise InputError(
            f"{path}: its attentions are not the UNet's ({odd[0]} {odd[1]} on one side only); "
            "take the adapter made for this UNet"
        )


def attended(unet: Any) -> dict[int, int]:
    """Number in adapter files and width of each cross-attention, in diffusers' order."""
    crossed = [name for name in unet.attn_processors if not name.endswith("attn1.processor")]
    modules = dict(unet.named_modules())
    return {1 + 2 * at: modules[name.removesuffix(".processor")].to_q.out_features for at, name in enumerate(crossed)}


def random_weights(unet: Any, dim: int, seed: int) -> Weights:
    """An untrained adapter for embeddings of length `dim`, from which training starts.

    Values start at zero, so that the UNet draws as it did without.
    """
    random, width = torch.Generator().manual_seed(seed), unet.config.cross_attention_dim
    proj = torch.randn(N_TOKENS * width, dim, generator=random) / dim**0.5
    projection = {
        "proj.weight": proj, "proj.bias": torch.zeros(N_TOKENS * width),
        "norm.weight": torch.ones(width), "norm.bias": torch.zeros(width),
    }  # fmt: skip
    layers = {}
    for number, heads_width in attended(unet).items():
        layers[f"{number}.to_k_ip.weight"] = torch.randn(heads_width, width, generator=random) / width**0.5
        layers[f"{number}.to_v_ip.weight"] = torch.zeros(heads_width, width)
    return {"image_proj": projection, "ip_adapter": layers}


def parameters(unet: Any) -> dict[str, nn.Parameter]:
    """The adapter's parameters in a UNet it was loaded into, by their names in a file; all others are the UNet's."""
    projection = unet.encoder_hid_proj.image_projection_layers[0]
    found = {
        "image_proj.proj.weight": projection.image_embeds.weight, "image_proj.proj.bias": projection.image_embeds.bias,
        "image_proj.norm.weight": projection.norm.weight, "image_proj.norm.bias": projection.norm.bias,
    }  # fmt: skip
    crossed = [one for name, one in unet.attn_processors.items() if not name.endswith("attn1.processor")]
    for at, processor in enumerate(crossed):
        found[f"ip_adapter.{1 + 2 * at}.to_k_ip.weight"] = processor.to_k_ip[0].weight
        found[f"ip_adapter.{1 + 2 * at}.to_v_ip.weight"] = processor.to_v_ip[0].weight
    return found


def taken_from(unet: Any) -> Weights:
    """The adapter that is in a UNet, as `write` takes it."""
    weights: Weights = {"image_proj": {}, "ip_adapter": {}}
    for name, value in parameters(unet).items():
        part, _, rest = name.partition(".")
        weights[part][rest] = value
    return weights
