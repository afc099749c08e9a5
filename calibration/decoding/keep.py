"""Writing the folder of an anytime subject (`calibration/decoding/subject.py`): the part of it that needs torch."""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save as save_arrays

from calibration.decoding.fitted import FittedNetwork
from calibration.decoding.restore import StagedRestore
from calibration.decoding.subject import GALLERY, GRAPH, MODEL, AnytimeManifest, Gallery
from calibration.store import MANIFEST, manifest_values, replace_file, write_manifest
from engines.runtime.export import export
from engines.runtime.folder import Exported
from pipeline.anytime import Windows
from pipeline.types import Array


def keep(
    folder: Path,
    manifest: AnytimeManifest,
    fitted: FittedNetwork,
    gallery: Gallery,
    frozen: Mapping[str, Array] | None = None,
    restore: StagedRestore | None = None,
) -> None:
    """Write a subject; the manifest comes last, and vouches for the other files.

    `frozen` are the chain's fitted arrays, `restore` lengthens embeddings for generators. The network is exported and
    compared with torch before anything is written; a subject that is there is replaced.

    Raises:
        InputError: the folder holds other things under the same names.
        ExportFailed, Disagreement: the network cannot be written as a graph, or the graph gives other numbers.
    """
    if (folder / MANIFEST).exists():
        manifest_values(folder)  # never overwrite what is no subject of ours
    folder.mkdir(parents=True, exist_ok=True)
    network = fitted.network.cpu()
    lengths = {"n_dynamic": (0, Windows.from_dict(manifest.windows).n_dynamic)}
    ranges = {t.name: lengths[t.name] for t in network.spec().inputs if t.dtype == "int64"}
    with tempfile.TemporaryDirectory(prefix=".model.", dir=folder) as made:
        exported = export(network, Path(made) / MODEL, ranges, _about(manifest))
        stored: dict[str, NDArray[Any]] = {"raw": gallery.raw, "centre": gallery.centre}
        stored |= {f"chain.{name}": values for name, values in (frozen or {}).items()}
        stored |= {} if restore is None else restore.arrays()
        content = save_arrays({name: np.ascontiguousarray(values) for name, values in stored.items()})
        _put(exported, folder / MODEL)
    replace_file(folder / GALLERY, content)
    files = {GALLERY: hashlib.sha256(content).hexdigest(), GRAPH: exported.graphs["float32"].sha256}
    write_manifest(folder, manifest.model_copy(update={"files": files}))


def _put(exported: Exported, place: Path) -> None:
    """In the place of an older one, whose manifest no longer fits until the new one is written."""
    if place.exists():
        shutil.rmtree(place)
    exported.folder.replace(place)


def _about(manifest: AnytimeManifest) -> dict[str, str]:
    about = {"system": manifest.system, "size": manifest.size, "participant": manifest.participant}
    return about | {"simulated": "yes" if manifest.simulated else "no", "encoder": manifest.encoder}
