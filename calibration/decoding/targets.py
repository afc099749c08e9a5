"""Embeddings of pictures that decoders are trained towards."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from calibration.datasets.eeg3d import Eeg3d
from calibration.datasets.eeg3d_features import COLOUR_FILE, read_features
from calibration.decoding.trials import Floats
from calibration.sets.errors import SetUnusable
from calibration.stimuli import Item, StimulusSet
from engines.errors import InputError
from engines.vision.encoders import NAMES, open_encoder

AUTO, PUBLISHED = "auto", "published"
CHOICES = (AUTO, PUBLISHED, *NAMES)
# What reports call the embeddings that come with EEG-3D: OpenCLIP ViT-H-14 of the turning video, says its card.
PUBLISHED_NAME = f"EEG-3D {COLOUR_FILE} video"


def targets_of(
    stimuli: StimulusSet, items: Sequence[Item], encoder: str = AUTO, weights: Path | None = None
) -> tuple[str, Floats]:
    """The encoder's name, and the raw embeddings (n_items, dim) of the pictures of `items`.

    `encoder` is "pocket", "openclip" (with the folder of its `weights`), "published" (what comes with EEG-3D), or
    "auto": published where it is there, else pocket; the name says which it became. Each picture is embedded by itself.

    Raises:
        InputError: no such encoder, or its weights are not there.
        SetUnusable: published embeddings are asked for where none are, or lack an item; what the set refuses.
    """
    if encoder not in CHOICES:
        raise InputError(f"expected embeddings of one of {', '.join(CHOICES)}, got {encoder!r}")
    published = _published_file(stimuli)
    if encoder == AUTO:
        encoder = NAMES[0] if published is None else PUBLISHED
    if encoder != PUBLISHED:
        chosen = open_encoder(encoder, weights)
        return chosen.name, np.concatenate([chosen.embed(np.array(stimuli.picture(item))[None]) for item in items])
    if published is None:
        raise SetUnusable(f"{stimuli.name} has no {COLOUR_FILE}; expected EEG-3D with it, or choose another encoder")
    return PUBLISHED_NAME, _read(published, items)


def _published_file(stimuli: StimulusSet) -> Path | None:
    path = stimuli.folder / COLOUR_FILE if isinstance(stimuli, Eeg3d) else None
    return path if path is not None and path.is_file() else None


def _read(path: Path, items: Sequence[Item]) -> Floats:
    features = read_features(path)
    keys = [f"{item.category}_{item.object}" for item in items]
    if missing := [key for key in keys if key not in features]:
        raise SetUnusable(f"{path} lacks {len(missing)} of {len(items)} objects, the first {missing[0]}")
    return np.stack([features[key].video for key in keys])
