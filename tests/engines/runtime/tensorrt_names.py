"""What NVIDIA's Python bindings of TensorRT offer, of the classes that we use: names, and how they are called.

`tensorrt-VERSION.txt` beside this file holds the lists of two real ones, one line a name. They were made by running
this file on NVIDIA's wheels `tensorrt_cu13_bindings`, unpacked, with libraries behind them that hold nothing but the
few names which loading asks for: enough to import them and look at them, and to call nothing. Names and signatures are
facts; no documentation was copied.

    LD_LIBRARY_PATH=EMPTY_LIBRARIES PYTHONPATH=.:WHEEL python tests/engines/runtime/tensorrt_names.py > LIST
"""

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

from engines.runtime.trt import NAMES

FOLDER = Path(__file__).parent
VERSIONS = ("10.16.1.11", "11.4.0.106")
CLASSES = tuple(sorted({name.split(".")[0] for name in NAMES if name != "__version__"}))


def kept(version: str) -> dict[str, list[str]]:
    """{name: ways to call it} of a version, from its list."""
    lines = (FOLDER / f"tensorrt-{version}.txt").read_text("utf-8").splitlines()
    parts = [line.split("\t") for line in lines if not line.startswith("#")]
    return {name: calls for name, *calls in parts}


def listed(trt: ModuleType) -> dict[str, list[str]]:
    """The same of bindings that can be imported."""
    found: dict[str, list[str]] = {"__version__": []} if hasattr(trt, "__version__") else {}
    for name in CLASSES:
        if hasattr(trt, name):
            found |= _members(getattr(trt, name), name)
    return found


def _members(thing: type, name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: []}
    for member, value in sorted(vars(thing).items()):
        if isinstance(value, type):
            found |= _members(value, f"{name}.{member}")
        elif member == "__init__" or not member.startswith("_"):
            found[f"{name}.{member}"] = _calls(member, getattr(value, "__doc__", None) or "")
    return found


def _calls(member: str, told: str) -> list[str]:
    """As in "(self: tensorrt.Builder, flags: int = 0) -> tensorrt.INetworkDefinition", one for each overload."""
    lines = re.findall(rf"^(?:\d+\. )?{member}(\(self.*)$", told, re.MULTILINE)
    return [line.strip().replace("tensorrt_bindings.", "") for line in lines]


if __name__ == "__main__":
    for name, calls in listed(import_module("tensorrt_bindings")).items():
        print("\t".join([name, *calls]))  # noqa: T201
