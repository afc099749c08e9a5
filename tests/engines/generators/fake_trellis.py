"""A package `trellis` with the published call, and the little of torch that is asked before it: no network, no GPU."""

import json
from pathlib import Path

_TORCH = """
class cuda:
    @staticmethod
    def is_available():
        return {gpu}
"""

_TRELLIS = """
import json, os, sys, threading
from pathlib import Path
import numpy as np
from PIL import Image

print("[SPARSE] Backend: spconv, Attention: flash_attn")  # as the real one, on standard output

class Tensor:
    def __init__(self, values): self.values = np.asarray(values)
    def detach(self): return self
    def float(self): return Tensor(self.values.astype(np.float32))
    def cpu(self): return self
    def numpy(self): return self.values

class Mesh:
    success = True
    def __init__(self, width, height, depth, colours):
        box = np.array(np.meshgrid([0, width], [0, depth], [0, height], indexing="ij")).reshape(3, -1).T
        self.vertices = Tensor(box)
        self.faces = Tensor(np.array([[0, 1, 2], [1, 3, 2], [4, 6, 5], [5, 6, 7]]))
        if colours is not None:
            self.vertex_attrs = Tensor(np.tile([*colours, 0, 0, 1], (8, 1)))

class TrellisImageTo3DPipeline:
    @staticmethod
    def from_pretrained(path):
        loads = Path(path) / "loads"
        loads.write_text(loads.read_text() + "." if loads.exists() else ".")
        pipeline = TrellisImageTo3DPipeline()
        pipeline.folder = Path(path)
        return pipeline

    def cuda(self):
        self.on_gpu = True

    def run(self, image, num_samples=1, seed=42, sparse_structure_sampler_params={}, slat_sampler_params={},
            formats=["mesh", "gaussian", "radiance_field"], preprocess_image=True):
        assert isinstance(image, Image.Image) and self.on_gpu
        return self._made([image], locals())

    def run_multi_image(self, images, num_samples=1, seed=42, sparse_structure_sampler_params={},
                        slat_sampler_params={}, formats=["mesh", "gaussian", "radiance_field"], preprocess_image=True,
                        mode="stochastic"):
        assert all(isinstance(image, Image.Image) for image in images) and self.on_gpu
        return self._made(images, locals())

    def _made(self, images, call):
        asked = {k: v for k, v in call.items() if k not in ("self", "image", "images")}
        (self.folder / "asked.json").write_text(json.dumps(asked | {"n": len(images)}))
        first = np.asarray(images[0])[0, 0].tolist()
        if first == [1, 0, 0]:
            sys.stderr.write("CUDA error: device-side assert triggered\\n")
            sys.stderr.flush()
            os._exit(7)
        if first == [2, 0, 0]:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        if first == [3, 0, 0]:
            threading.Event().wait()
        if first == [5, 0, 0]:  # until somebody writes to the pipe
            (self.folder / "hold").read_bytes()
        mesh = Mesh(images[0].width, images[0].height, len(images), [c / 255 for c in first])
        mesh.success = first != [4, 0, 0]
        return {"mesh": [mesh]}
"""


def install(folder: Path, gpu: bool = True) -> None:
    """Write both packages into `folder`, to be put on PYTHONPATH."""
    (folder / "trellis" / "pipelines").mkdir(parents=True)
    (folder / "trellis" / "__init__.py").touch()
    (folder / "trellis" / "pipelines" / "__init__.py").write_text(_TRELLIS)
    (folder / "torch.py").write_text(_TORCH.format(gpu=gpu))


def fetched(home: Path) -> Path:
    """What TRELLIS fetches by itself, as torch.hub and rembg keep it in `home`, their TORCH_HOME and U2NET_HOME."""
    hub = home / "hub"
    for file in (
        hub / "checkpoints" / "dinov2_vitl14_reg4_pretrain.pth",
        hub / "facebookresearch_dinov2_main" / "hubconf.py",
        home / "u2net.onnx",
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return home


def weights(folder: Path) -> Path:
    """A folder as TRELLIS' weights begin."""
    (folder / "ckpts").mkdir(parents=True)
    (folder / "pipeline.json").write_text(json.dumps({"name": "TrellisImageTo3DPipeline"}))
    return folder
