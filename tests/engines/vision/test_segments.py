"""Segments by a small SAM: masks are those that transformers' own steps keep, and no place is in two segments."""

import json
import shutil
import socket
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import SamModel
from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

from engines.errors import InputError
from engines.generators.config import GeneratorsConfig
from engines.vision.encoders import open_segmenter
from engines.vision.segments import Kept, Sam, laid, suppressed
from tests.engines.vision import tiny_sam

KEPT = Kept(side=5, iou=-9.0, stability=0.2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_sam.sam(tmp_path_factory.mktemp("sam") / "tiny-sam")


@pytest.fixture(scope="module")
def sam(folder):
    return Sam.load(folder, kept=KEPT)


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8)


def theirs(folder, picture, kept):
    """Masks (n, height, width) and what SAM expects of them, by the steps of transformers' pipeline before its last."""
    model, processor = SamModel.from_pretrained(folder).eval(), SamImageProcessorPil.from_pretrained(folder)
    boxes, points, crops, labels = processor.generate_crop_boxes(
        Image.fromarray(picture), tiny_sam.SIZE, points_per_crop=kept.side
    )
    given = processor(images=crops, return_tensors="pt")
    with torch.inference_mode():
        told = model(given["pixel_values"], input_points=points.transpose(1, 2).float().reshape(1, -1, 1, 2),
                     input_labels=labels.reshape(1, -1, 1))  # fmt: skip
    sizes = given["original_sizes"].tolist()
    logits = processor.post_process_masks(
        told.pred_masks, sizes, given["reshaped_input_sizes"].tolist(), binarize=False
    )
    coded, sure, _ = processor.filter_masks(
        logits[0], told.iou_scores[0], sizes[0], boxes[0].int().tolist(), kept.iou, kept.stability, 0, kept.shift
    )
    return np.stack([uncoded(one) for one in coded]), sure.numpy()


def uncoded(coded):
    """A mask from the lengths of its runs, down the columns, off first."""
    height, width = coded["size"]
    ends = np.cumsum([0, *coded["counts"]])
    mask = np.zeros(height * width, dtype=bool)
    for number, (start, end) in enumerate(pairwise(ends)):
        mask[start:end] = number % 2
    return mask.reshape(width, height).T


def test_masks_are_those_that_transformers_keeps(folder, sam, picture):
    masks, sure = sam.masks(picture)
    wanted, wanted_sure = theirs(folder, picture, KEPT)
    assert 5 < len(masks) < 75  # three at each of 25 points
    np.testing.assert_array_equal(masks, wanted)
    np.testing.assert_allclose(sure, wanted_sure, rtol=1e-4)


def test_every_place_is_in_one_segment_or_none_always_the_same(sam, picture):
    segments = sam.segments(picture)
    assert segments.shape == (40, 56) and segments.min() >= -1
    assert sorted({*np.unique(segments)} - {-1}) == list(range(segments.max() + 1))
    np.testing.assert_array_equal(sam.segments(picture), segments)


def test_of_masks_in_one_box_the_surest_stays():
    masks = np.zeros((4, 20, 20), dtype=bool)
    masks[0, 2:10, 2:10] = True
    masks[1, 2:10, 2:11] = True  # nearly the same box as the first, and surer
    masks[2, 2:10, 12:19] = True
    masks[3, 4:6, 4:6] = True  # inside the first
    stay = suppressed(masks, np.array([0.9, 0.95, 0.8, 0.99], np.float32), 0.7)
    assert stay.tolist() == [3, 1, 2]


def test_smaller_segments_lie_over_larger_ones_and_the_ground_is_none():
    masks = np.zeros((3, 10, 10), dtype=bool)
    masks[0, 4:6, 4:6] = True
    masks[1, 2:8, 2:8] = True
    masks[2] = True
    segments = laid(masks)
    assert (segments[0] == -1).all()
    assert segments[2, 2] == 0 and segments[4, 4] == 1
    assert (laid(masks[:0]) == -1).all()


def test_an_object_that_touches_the_edge_is_not_ground():
    mask = np.zeros((1, 10, 10), dtype=bool)
    mask[0, 3:] = True
    mask[0, :, :3] = False
    mask[0, 5:, :] = False
    assert set(np.unique(laid(mask))) == {-1, 0}


def test_a_picture_without_any_mask_has_no_segment(folder, picture):
    assert (Sam.load(folder, kept=Kept(side=2, iou=99.0)).segments(picture) == -1).all()


def test_what_is_no_picture_is_refused(sam, picture):
    with pytest.raises(InputError, match="expected a picture"):
        sam.segments(picture[None])


def test_what_is_missing_is_named_with_how_to_get_it(copy):
    (copy / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"model\.safetensors missing.*huggingface\.co"):
        Sam.load(copy)


def test_another_model_is_refused(copy):
    told = json.loads((copy / "config.json").read_text())
    told["mask_decoder_config"]["mlp_dim"] = 16
    (copy / "config.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match="cannot be read"):
        Sam.load(copy)


def test_loading_opens_no_connection(folder, monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    Sam.load(folder)


def test_the_configured_folder_is_opened_and_without_one_it_says_how_to_get_it(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert open_segmenter(GeneratorsConfig(sam=folder, device="cpu")).name == "tiny-sam"
    with pytest.raises(InputError, match=r"facebook/sam-vit-base is not on this machine.*\[reconstruction\] sam"):
        open_segmenter(GeneratorsConfig())
