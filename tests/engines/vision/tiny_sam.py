"""A SAM with random weights in the hub's layout, as `save_pretrained` writes it."""

from pathlib import Path

import torch
from transformers import SamConfig, SamModel
from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

SIZE, MASK = 64, 16


def sam(folder: Path) -> Path:
    torch.manual_seed(0)
    vision = {
        "hidden_size": 32, "output_channels": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": SIZE,
        "patch_size": 16, "window_size": 2, "global_attn_indexes": [1], "mlp_dim": 64, "num_pos_feats": 16,
        "initializer_range": 0.5,
    }  # fmt: skip
    prompt = {"hidden_size": 32, "image_size": SIZE, "patch_size": 16, "mask_input_channels": 4}
    decoder = {"hidden_size": 32, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 32}
    config = SamConfig(vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder)
    model = SamModel(config)
    with torch.no_grad():
        for parameter in model.mask_decoder.parameters():
            parameter.mul_(8.0)  # masks that differ from point to point
    model.save_pretrained(folder)
    pad = {"height": SIZE, "width": SIZE}
    SamImageProcessorPil(
        size={"longest_edge": SIZE}, pad_size=pad, mask_size={"longest_edge": MASK},
        mask_pad_size={"height": MASK, "width": MASK},
    ).save_pretrained(folder)  # fmt: skip
    return folder
