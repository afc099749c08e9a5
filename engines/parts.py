"""Every pretrained part that Afterimage can use: what it is for, on what terms, how large, where it is looked for.

Licences and sizes are as published when the table was written; the licence that comes with the files is the one that
holds. Only what is `shipped` was ever run by Afterimage's makers: of all others, small files of the same formats.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["shipped", "hub", "torch", "u2net", "unused"]

_CC_BY_NC = "no commercial use"
_TORCHVISION = "download.pytorch.org/models"


@dataclass(frozen=True)
class Part:
    """One pretrained part.

    `source` is a repository of Hugging Face ("organisation/name"), or where else it is published. `files` (patterns;
    folders too) must be there for it to be whole: relative to a model's folder (kind "hub"), to the checkpoints of
    torch.hub ("torch"), to rembg's ("u2net"), to the package `engines` ("shipped", all of a folder). `size` as
    published, "" of what ships, which is looked at. `sha256` is that of its first file, or its first digits, as far as
    its makers publish them; "" where they do not. `setting` is the key of [reconstruction] that names another place,
    `named_by` how it is named otherwise; "" for none. `note` is what else must be done, or known.
    """

    name: str
    source: str
    use: str
    licence: str
    size: str
    kind: Kind
    files: tuple[str, ...] = ()
    sha256: str = ""
    restriction: str = ""
    setting: str = ""
    named_by: str = ""
    note: str = ""


_SHIPPED = "as Afterimage"
_POCKET = "a small stand-in that learned from built-in objects only; say so wherever its work is shown"

PARTS: tuple[Part, ...] = (
    Part(
        "pocket-vision", "afterimage train pocket-vision", "embeddings of pictures, by default", _SHIPPED, "",
        "shipped", ("vision/pocket.safetensors",), note=_POCKET,
    ),
    Part(
        "pocket-pictures", "afterimage train pocket-pictures", "embeddings to pictures, by default", _SHIPPED, "",
        "shipped", ("generators/data/pocket-sdxl",), note=_POCKET,
    ),
    Part(
        "pocket-sd15", "afterimage train pocket-pictures", "pictures from words (SD-1.5's classes), for systems "
        "that condition on text; none of ours does yet", _SHIPPED, "", "shipped", ("generators/data/pocket-sd15",),
        note=_POCKET,
    ),
    Part(
        "pocket-shape", "afterimage train pocket-shape", "embeddings to meshes, by default", _SHIPPED, "",
        "shipped", ("generators/data/pocket-shape.safetensors",), note=_POCKET,
    ),
    Part(
        "openclip", "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
        "embeddings of pictures, as the published systems condition on", "MIT", "3.9 GB", "hub",
        ("config.json", "preprocessor_config.json", "model.safetensors"),
        named_by="--encoder openclip --weights DIR",
    ),
    Part(
        "sdxl-turbo", "stabilityai/sdxl-turbo", "embeddings to pictures", "sai-nc-community", "7 GB in half precision",
        "hub", ("model_index.json", "unet", "vae", "scheduler"),
        restriction="no commercial use without Stability AI's membership licence", setting="sdxl_turbo",
        note="of its networks *.fp16.safetensors suffice; its empty prompt is embedded once, by "
        "`python -m engines.generators.empty_prompt FOLDER`",
    ),
    Part(
        "ip-adapter", "h94/IP-Adapter", "lets SDXL-Turbo take embeddings of OpenCLIP", "Apache-2.0", "698 MB", "hub",
        ("sdxl_models/ip-adapter_sdxl_vit-h.safetensors",), setting="adapter",
    ),
    Part(
        "taesdxl", "madebyollin/taesdxl", "a tiny autoencoder for SDXL-Turbo: a dozen times faster, a little worse",
        "MIT", "about 10 MB", "hub", ("config.json", "diffusion_pytorch_model.safetensors"), setting="tiny_vae",
    ),
    Part(
        "trellis", "microsoft/TRELLIS-image-large", "pictures to meshes, under its own interpreter (trellis_python)",
        "MIT", "1.2 billion parameters, a GPU of 16 GB", "hub", ("pipeline.json", "ckpts"),
        restriction="nvdiffrast is for research only (its mesh renderer and GLB post-processing, neither used here); "
        "FlexiCubes and diffoctreerast have terms of their own",
        setting="trellis",
    ),
    Part(
        "dinov2", "facebookresearch/dinov2 (torch.hub)", "TRELLIS sees pictures through it", "Apache-2.0", "1.2 GB",
        "torch", ("dinov2_vitl14_reg4_pretrain.pth", "../facebookresearch_dinov2_main/hubconf.py"),
        note="TRELLIS' own example, run once, fetches both, weights and code",
    ),
    Part(
        "u2net", "danielgatis/rembg", "cuts the object out of its picture for TRELLIS", "Apache-2.0", "176 MB",
        "u2net", ("u2net.onnx",), note="TRELLIS' own example, run once, fetches it",
    ),
    Part(
        "sam", "facebook/sam-vit-base", "segments over which dependency is averaged where parts are not known",
        "Apache-2.0", "375 MB", "hub", ("config.json", "preprocessor_config.json", "model.safetensors"), setting="sam",
        note="sam-vit-large and sam-vit-huge (2.6 GB) load as well: name their folder",
    ),
    Part(
        "git", "microsoft/git-large-coco", "captions", "MIT", "1.6 GB", "hub",
        ("config.json", "preprocessor_config.json", "tokenizer.json", "model*.safetensors"), setting="git",
    ),
    Part(
        "blip2", "Salesforce/blip2-opt-2.7b", "captions", "MIT, of its OPT-2.7b Meta's OPT licence", "15 GB",
        "hub", ("config.json", "preprocessor_config.json", "tokenizer.json", "model*.safetensors"),
        restriction="OPT-2.7b is for research only", setting="blip2",
    ),
    Part(
        "sd15", "stable-diffusion-v1-5/stable-diffusion-v1-5", "pictures from a condition on text in BrainVis",
        "CreativeML OpenRAIL-M", "4.3 GB", "unused", restriction="uses that its licence lists are forbidden",
        note="not used: no system here conditions on text yet; `pocket-sd15` has its classes",
    ),
    Part(
        "clip-l", "openai/clip-vit-large-patch14", "the measures CLIP of pictures and CLIP-text of captions", "MIT",
        "1.7 GB", "hub", ("config.json", "model.safetensors", "tokenizer.json"), setting="clip",
    ),
    Part(
        "sbert", "sentence-transformers/all-MiniLM-L6-v2", "the measure sentence similarity of captions", "Apache-2.0",
        "91 MB", "hub", ("config.json", "model.safetensors", "tokenizer.json"), setting="sbert",
    ),
    Part(
        "vgg19", _TORCHVISION, "layers of the dependency map", "BSD-3-Clause (code)", "548 MB", "torch",
        ("vgg19-dcbb9e9d.pth",), sha256="dcbb9e9d", setting="vgg19",
    ),
    Part(
        "alexnet", _TORCHVISION, "the measures AlexNet 2 and 5, and LPIPS", "BSD-3-Clause (code)", "233 MB", "torch",
        ("alexnet-owt-7be5be79.pth",), sha256="7be5be79", setting="alexnet",
    ),
    Part(
        "lpips", "lpips/weights/v0.1/alex.pth of github.com/richzhang/PerceptualSimilarity",
        "the measure LPIPS, beside AlexNet", "BSD-2-Clause", "6 kB", "torch", ("lpips-alex-v0.1.pth",),
        setting="lpips", note="keep it under the name that is looked for in the checkpoints of torch.hub",
    ),
    Part(
        "inception", _TORCHVISION, "the measure Inception, and the inception score", "BSD-3-Clause (code)", "104 MB",
        "torch", ("inception_v3_google-0cc3c7bd.pth",), sha256="0cc3c7bd", setting="inception",
        note="needs the extra `features`",
    ),
    Part(
        "efficientnet-b1", _TORCHVISION, "the measure EfficientNet", "BSD-3-Clause (code)", "30 MB", "torch",
        ("efficientnet_b1-c27df63c.pth",), sha256="c27df63c", setting="efficientnet_b1",
        note="needs the extra `features`",
    ),
    Part(
        "swav", "github.com/facebookresearch/swav", "the measure SwAV", "CC BY-NC 4.0", "100 MB", "torch",
        ("swav_800ep_pretrain.pth.tar",), restriction=_CC_BY_NC, setting="swav", note="needs the extra `features`",
    ),
    Part(
        "swag", _TORCHVISION, "ViT-H/14 SWAG, which judges generation accuracy", "CC BY-NC 4.0", "2.5 GB", "torch",
        ("vit_h_14_swag-80465313.pth",), sha256="80465313", restriction=_CC_BY_NC, setting="swag",
        note="needs the extra `features`",
    ),
    Part(
        "shikra", "shikras/shikra-7b-delta-v1", "captions in RealMind", "CC BY-NC 4.0", "27 GB", "unused",
        restriction=_CC_BY_NC,
        note="not used: differences from LLaMA-7B, whose weights have terms of their own, with code that no library "
        "keeps; GIT and BLIP-2 take its place",
    ),
)  # fmt: skip
