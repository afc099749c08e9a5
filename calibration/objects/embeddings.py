"""The shipped embeddings of the built-in pictures, raw, in half precision."""

from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from calibration.objects.builtin import BuiltIn
from calibration.objects.shipped import EMBEDDINGS, FOLDER, ITEMS, Shipped
from engines.vision.base import Embeddings, PictureEncoder

_BATCH = 60


def embed_builtin(encoder: PictureEncoder, folder: Path = FOLDER) -> Path:
    """Embed the pictures shipped in `folder` and write the embeddings beside them; `shipped.seal` comes after it.

    Rows are in the order of `ITEMS`. Returns the file.

    Raises:
        SetDamaged: the pictures are not there.
    """
    shown, path = BuiltIn(folder), folder / EMBEDDINGS
    batches = [ITEMS[start : start + _BATCH] for start in range(0, len(ITEMS), _BATCH)]
    raw = np.concatenate([encoder.embed(np.stack([shown.picture(item) for item in batch])) for batch in batches])
    save_file({"raw": raw.astype(np.float16)}, path, metadata={"encoder": encoder.name})
    return path


def builtin_embeddings(folder: Path = FOLDER) -> Embeddings:
    """What `embed_builtin` wrote, (720, dim), in the order of `ITEMS`.

    Raises:
        SetDamaged: the file is missing or not what the manifest says.
    """
    with safe_open(Shipped(folder).checked(EMBEDDINGS), framework="np") as file:
        return Embeddings(file.metadata()["encoder"], file.get_tensor("raw").astype(np.float32))
