"""Segments of a picture that nobody knows the parts of, by SAM (Kirillov et al. 2023, arXiv:2304.02643).

Masks are generated as its authors do without crops: three masks from each point of a grid are kept where SAM thinks
them right and a shifted threshold hardly changes them; of masks in nearly the same box the surest stays. They overlap,
an object over its parts; a map is averaged over places, so the smaller is laid over the larger, and what surrounds
the picture is nobody's.

Weights and preparation are transformers' (`SamModel`, a folder in Hugging Face's layout, safetensors alone). Its own
pipeline ends with torchvision's suppression, which is not everywhere: that step is written here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from transformers import SamModel
from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

from engines.errors import InputError
from engines.generators import hub
from engines.generators.memory import memory_watched
from engines.vision.base import Pictures
from engines.weights import how_to_get, part

PART = part("sam")
HOW_TO_GET = how_to_get(PART)
NOWHERE = -1

Masks = NDArray[np.bool_]
Segments = NDArray[np.int64]

_POINTS_AT_ONCE = 16


@dataclass(frozen=True)
class Kept:
    """Which masks are kept, as published: `side` points along each side of the grid, the IoU that SAM expects of a
    mask, the share of it that a threshold `shift` higher and lower leaves, and the IoU of boxes that are one thing.
    """

    side: int = 32
    iou: float = 0.88
    stability: float = 0.95
    shift: float = 1.0
    overlap: float = 0.7


class Sam:
    """SAM of any size.

    Thread: any, one at a time.
    """

    def __init__(self, name: str, model: Any, processor: Any, kept: Kept) -> None:
        self.name = name
        self.kept = kept
        self._model = model.eval().requires_grad_(False)
        self._processor = processor

    @classmethod
    def load(cls, folder: Path | None = None, device: str = "cpu", kept: Kept | None = None) -> Self:
        """Read the model in `folder`, else the one in the user's hub cache.

        Raises:
            InputError: something is missing or of another kind.
            WorkError: there is not enough memory.
        """
        place = hub.model_folder(PART.source, PART.files, folder, HOW_TO_GET)
        name = hub.name_of(place)
        with memory_watched(name), hub.readable(place, HOW_TO_GET):
            model, loading = SamModel.from_pretrained(
                place, local_files_only=True, use_safetensors=True, output_loading_info=True, dtype=torch.float32
            )
            processor = SamImageProcessorPil.from_pretrained(place, local_files_only=True)
            model.to(device)
        if loading["missing_keys"]:
            raise InputError(
                f"{place}: model.safetensors lacks {len(loading['missing_keys'])} tensors of SAM, "
                f"{min(loading['missing_keys'])} the first; {HOW_TO_GET}"
            )
        return cls(name, model, processor, kept or Kept())

    def segments(self, picture: Pictures) -> Segments:
        """(height, width, 3) to (height, width): the number of the segment that a place is in, -1 for none.

        The largest segment is number 0.

        Raises:
            InputError: something else than a picture came.
            WorkError: there was not enough memory.
        """
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise InputError(f"expected a picture (height, width, 3) of uint8, got {picture.shape} {picture.dtype}")
        masks, sure = self.masks(picture)
        return laid(masks[suppressed(masks, sure, self.kept.overlap)])

    def masks(self, picture: Pictures) -> tuple[Masks, NDArray[np.float32]]:
        """Every mask (n, height, width) that is kept, overlapping, and the IoU (n,) that SAM expects of it."""
        given = self._processor([picture], return_tensors="pt")
        (original,), (reshaped,) = given["original_sizes"].tolist(), given["reshaped_input_sizes"].tolist()
        masks, sure = [np.zeros((0, *picture.shape[:2]), dtype=bool)], [np.zeros(0, np.float32)]
        with torch.inference_mode(), memory_watched(self.name):
            seen = self._model.get_image_embeddings(given["pixel_values"].to(self._model.device))
            for points in torch.split(_grid(self.kept.side, reshaped), _POINTS_AT_ONCE):
                found, ious = self._at(seen, points, original, reshaped)
                masks.append(found.cpu().numpy())
                sure.append(ious.cpu().numpy())
        return np.concatenate(masks), np.concatenate(sure)

    def _at(self, seen: Tensor, points: Tensor, original: list[int], reshaped: list[int]) -> tuple[Tensor, Tensor]:
        """Masks from points (n, 2) that are sure and stable."""
        given = points.to(seen)[None, :, None]
        labels = torch.ones(given.shape[:3], dtype=torch.int64, device=seen.device)
        told = self._model(image_embeddings=seen, input_points=given, input_labels=labels)
        ious = told.iou_scores[0].flatten()
        likely = ious > self.kept.iou
        logits = self._full_size(told.pred_masks[0].flatten(0, 1)[likely], original, reshaped)
        higher, lower = ((logits > shift).sum(dim=(1, 2)) for shift in (self.kept.shift, -self.kept.shift))
        stable = higher > self.kept.stability * lower
        return logits[stable] > 0, ious[likely][stable]

    def _full_size(self, logits: Tensor, original: list[int], reshaped: list[int]) -> Tensor:
        """(n, height, width) of the picture: as large as it was given, without what was padded, as large as it is."""
        if not len(logits):
            return logits.new_zeros((0, *original))
        pad = self._processor.pad_size
        large = functional.interpolate(logits[None], (pad["height"], pad["width"]), mode="bilinear")
        inside = large[..., : reshaped[0], : reshaped[1]]
        return functional.interpolate(inside, tuple(original), mode="bilinear")[0]


def suppressed(masks: Masks, sure: NDArray[np.float32], overlap: float) -> NDArray[np.int64]:
    """Which masks stay, the surest first: none whose box has an IoU above `overlap` with that of a surer one."""
    boxes = np.array([_box(mask) for mask in masks]).reshape(-1, 4)
    left = list(np.argsort(-sure, kind="stable"))
    stay: list[int] = []
    while left:
        first = left.pop(0)
        stay.append(int(first))
        left = [other for other in left if _iou(boxes[first], boxes[other]) <= overlap]
    return np.array(stay, dtype=np.int64)


def laid(masks: Masks) -> Segments:
    """(n, height, width) to the numbers (height, width) of the segments, smaller over larger, the ground left out.

    Ground is the segment that more than half of the picture's edge lies in, if there is one.
    """
    over = np.full(masks.shape[1:], NOWHERE, dtype=np.int64)
    for number, at in enumerate(np.argsort(-masks.sum(axis=(1, 2)), kind="stable")):
        over[masks[at]] = number
    edge = np.concatenate([over[0], over[-1], over[1:-1, 0], over[1:-1, -1]])
    for number in np.unique(edge[edge != NOWHERE]):
        if 2 * np.count_nonzero(edge == number) > len(edge):
            over[over == number] = NOWHERE
    there = np.unique(over[over != NOWHERE])
    return np.asarray(np.where(over == NOWHERE, NOWHERE, np.searchsorted(there, over)), dtype=np.int64)


def _grid(side: int, reshaped: list[int]) -> Tensor:
    """(side squared, 2) points x y in the picture as the model sees it, in the middles of as many cells."""
    along = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    y, x = torch.meshgrid(along * reshaped[0], along * reshaped[1], indexing="ij")
    return torch.stack([x, y], dim=-1).reshape(-1, 2)


def _box(mask: Masks) -> tuple[int, int, int, int]:
    """Left, top, right, bottom: the first and the last place of it."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


def _iou(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Of two boxes, each as large as the distance between its edges."""
    inside = np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None).prod()
    both = (one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod() - inside
    return float(inside / both) if both > 0 else 0.0
