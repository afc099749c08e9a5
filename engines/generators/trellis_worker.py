"""Runs TRELLIS (Xiang et al. 2024, arXiv:2412.01506) for Afterimage, under an interpreter that has it installed.

    python trellis_worker.py WEIGHTS [--check]

A file that stands alone: it imports nothing of Afterimage, whose packages that interpreter need not have. It takes
requests on standard input and answers on standard output, each a length (8 bytes, little endian) and an .npz file:

    request   pictures (n, height, width, 3) uint8, seed, steps, guidance (2,)
    answer    vertices (n, 3), faces (m, 3), colours (n, 3) from 0 to 1   or   nothing: no surface   or   failed: why
    at first  ready: the package's folder                                 or   refused: what is missing, what to do

Only the mesh is asked for: no Gaussians, no radiance field, no baked GLB. With `--check` it looks what is there and
loads nothing. It ends when its input ends, even in the middle of an answer.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import os
import queue
import struct
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

_LENGTH = struct.Struct("<Q")
_INSTALL = "install it into that interpreter (https://github.com/microsoft/TRELLIS)"


def main() -> int:
    """Serve until the input ends; returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("weights", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    # A file run by its path finds its neighbours first, and one of them is called trellis.
    here = Path(__file__).resolve().parent
    sys.path[:] = [place for place in sys.path if Path(place).resolve() != here]
    # TRELLIS and its packages write to standard output; it belongs to the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    missing = _missing(options.weights)
    if missing:
        _say(answers, refused=np.array(missing))
        return 0
    if options.check:
        _say(answers, ready=np.array(_package()))
        return 0
    requests = _requests()
    pipeline = _pipeline(options.weights)
    _say(answers, ready=np.array(_package()))
    while True:
        request = requests.get()
        # A worker's boundary: whatever TRELLIS raises is told, and the next request is taken.
        try:
            answer = _answer(pipeline, request)
        except Exception as error:  # noqa: BLE001
            answer = {"failed": np.array(f"{type(error).__name__}: {error}")}
        _say(answers, **answer)


def _missing(weights: Path) -> str:
    """What is not there, and what to do about it; empty when all is."""
    if not _package():
        return f"{sys.executable} has no package trellis; {_INSTALL}"
    if not (weights / "pipeline.json").is_file():
        return f"{weights} has no pipeline.json; name the folder of TRELLIS' weights"
    import torch

    if not torch.cuda.is_available():
        return f"{sys.executable} sees no GPU; TRELLIS needs one of NVIDIA with 16 GB and a torch built for it"
    return ""


def _package() -> str:
    spec = importlib.util.find_spec("trellis")
    return "" if spec is None else str(spec.origin)


def _pipeline(weights: Path) -> Any:
    # Weights are on this machine or nowhere; spconv's tuning pays only for many meshes.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("SPCONV_ALGO", "native")
    from trellis.pipelines import TrellisImageTo3DPipeline  # type: ignore[import-not-found]

    pipeline = TrellisImageTo3DPipeline.from_pretrained(str(weights))
    pipeline.cuda()
    return pipeline


def _answer(pipeline: Any, request: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    from PIL import Image

    pictures = [Image.fromarray(picture) for picture in request["pictures"]]
    steps, (structure, detail) = int(request["steps"]), request["guidance"].tolist()
    chosen = {
        "num_samples": 1,
        "seed": int(request["seed"]),
        "sparse_structure_sampler_params": {"steps": steps, "cfg_strength": structure},
        "slat_sampler_params": {"steps": steps, "cfg_strength": detail},
        "formats": ["mesh"],
        "preprocess_image": True,
    }
    several = len(pictures) > 1
    made = pipeline.run_multi_image(pictures, **chosen) if several else pipeline.run(pictures[0], **chosen)
    mesh = made["mesh"][0]
    if not getattr(mesh, "success", True):
        return {"nothing": np.array("TRELLIS found no surface in the picture")}
    vertices = _array(mesh.vertices, np.float32)
    # Three colours and three normals of each vertex, where the decoder has them.
    attributes = getattr(mesh, "vertex_attrs", None)
    colours = np.full(vertices.shape, 0.7, np.float32) if attributes is None else _array(attributes, np.float32)[:, :3]
    return {"vertices": vertices, "faces": _array(mesh.faces, np.int32), "colours": colours}


def _array(values: Any, dtype: Any) -> np.ndarray:
    """Of a tensor on any device, or of an array."""
    if hasattr(values, "detach"):
        values = values.detach().float().cpu().numpy()
    return np.asarray(values).astype(dtype)


def _requests() -> queue.Queue[dict[str, np.ndarray]]:
    """Everything that comes in; the process ends where it ends, since nobody would take an answer."""
    waiting: queue.Queue[dict[str, np.ndarray]] = queue.Queue()

    def read() -> None:
        while True:
            body = _exactly(_LENGTH.unpack(_exactly(_LENGTH.size))[0])
            with np.load(io.BytesIO(body), allow_pickle=False) as values:
                waiting.put(dict(values))

    threading.Thread(target=read, name="requests", daemon=True).start()
    return waiting


def _exactly(size: int) -> bytes:
    # Not from sys.stdin: a lock that a waiting thread holds spoils the end of the interpreter.
    found = bytearray()
    while len(found) < size:
        some = os.read(0, size - len(found))
        if not some:
            os._exit(0)
        found += some
    return bytes(found)


def _say(answers: BinaryIO, **values: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **values)  # type: ignore[arg-type]
    answers.write(_LENGTH.pack(buffer.tell()) + buffer.getvalue())
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
