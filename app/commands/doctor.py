"""`afterimage doctor`: what this machine has, what is missing and how to get it, what has never run anywhere."""

import argparse
import importlib.util
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from app.config import load
from app.summary import versions
from app.terminal import Terminal, write_stdout
from engines.generators.config import GeneratorsConfig
from engines.runtime.base import RAN, runtimes, why_not
from engines.weights import Absent, find, part

# What nobody has run yet, stated wherever somebody could rely on it.
NEVER_RUN = (
    "an amplifier: every real recording used here was made by others and replayed from a file",
    "BrainFlow boards other than the synthetic and the playback board",
    "LSL between two machines: only streams within one machine",
    "a stimulus screen with a photodiode: the delay from marker to light is unmeasured",
    "the presenter on a screen with a real vertical sync, with a keyboard, on several monitors",
    "the EEG-3D and THINGS data themselves: their readers ran on files made to the published layouts",
    "OpenCLIP ViT-H-14 itself: its loader ran on a small model of the same format",
    "SDXL-Turbo, its adapter, GIT and BLIP-2 with their real weights: small models of the same classes ran instead",
    "TRELLIS itself: a stand-in that answers its calls ran instead",
    "AlexNet, VGG-19, Inception, EfficientNet, SwAV, SWAG, CLIP, LPIPS, SAM, sentence models with their real weights",
    f"the runtimes {', '.join(name for name in runtimes() if name not in RAN)}, and training on a GPU",
    "Windows and macOS",
)


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis. `ok` None means: not needed for what the program does today."""

    part: str
    ok: bool | None
    text: str


def doctor(options: argparse.Namespace) -> int:
    """Diagnose; status 1 when something that is always needed is missing."""
    terminal = Terminal(quiet_stdout=options.json)
    config = load(options.config).reconstruction.generators()
    findings = [*(check() for check in CHECKS), *(_generator(name, config) for name in GENERATORS)]
    if options.json:
        report = {
            "findings": [asdict(f) for f in findings],
            "never_run": list(NEVER_RUN),
            "versions": versions(),
            "platform": platform.platform(),
        }
        write_stdout(json.dumps(report, indent=2) + "\n")
    mark = {True: "ok     ", False: "MISSING", None: "absent "}
    for finding in findings:
        terminal.say(f"{mark[finding.ok]}  {finding.part}: {finding.text}")
    terminal.say("never run by its makers:")
    for text in NEVER_RUN:
        terminal.say(f"         {text}")
    return 1 if any(f.ok is False for f in findings) else 0


def _python() -> Finding:
    ok = sys.version_info >= (3, 11)
    return Finding("Python", ok, f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _lsl() -> Finding:
    try:
        import pylsl

        library = pylsl.library_version()
        found = f"pylsl {version('pylsl')} with liblsl {library // 100}.{library % 100}"
    except (ImportError, RuntimeError, OSError) as error:
        remedy = "pip brings liblsl for x86-64 Linux with glibc 2.35, Windows and macOS; elsewhere set PYLSL_LIB to it"
        return Finding("LSL", False, f"{error}; {remedy}")
    where = os.environ.get("LSLAPICFG")
    return Finding("LSL", True, found + (f", configured by LSLAPICFG={where}" if where else ", default configuration"))


def _brainflow() -> Finding:
    try:
        from pipeline.sources.brainflow_package import BoardShim

        return Finding("BrainFlow", True, f"version {BoardShim.get_version()}")
    except (ImportError, OSError) as error:
        return Finding("BrainFlow", False, f"{error}; reinstall with: python -m pip install -e .")


def _display() -> Finding:
    if platform.system() != "Linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return Finding("display", True, os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or "native")
    return Finding("display", None, "none: commands run headless, the window needs a desktop session or xvfb-run")


def _gpu() -> Finding:
    if shutil.which("nvidia-smi"):
        return Finding("GPU", True, "an NVIDIA driver is installed; TensorRT runs networks on it (never run by us)")
    return Finding("GPU", None, "no NVIDIA driver; networks run on the CPU")


def _package(name: str, why: str) -> Callable[[], Finding]:
    def check() -> Finding:
        if importlib.util.find_spec(name) is None:
            return Finding(name, None, f"not installed; {why}")
        try:
            return Finding(name, True, f"version {version(name.replace('_', '-'))}; {why}")
        except PackageNotFoundError:
            return Finding(name, True, why)

    return check


def _runtime(name: str) -> Callable[[], Finding]:
    ran = "it ran where Afterimage was made" if name in RAN else "it never ran where Afterimage was made"

    def check() -> Finding:
        missing = why_not(name)
        if missing is None:
            return Finding(f"runtime {name}", True, f"runs networks; {ran}")
        needed = name == "onnx"  # where there is no GPU, a subject's network runs in nothing else
        return Finding(f"runtime {name}", False if needed else None, f"{missing} ({ran})")

    return check


def _generator(name: str, config: GeneratorsConfig) -> Finding:
    found = find(part(name), config)
    terms = f"; {found.part.restriction}" if found.part.restriction else ""
    if isinstance(found, Absent):
        return Finding(f"weights {name}", None, f"{found.part.use}: {found.remedy}")
    return Finding(f"weights {name}", True, f"{found.part.use}: in {found.place}{terms}")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    hours = free / (64 * 4 * 1000 * 3600)
    return Finding("disk", hours > 1, f"{free / 1e9:.0f} GB free here: {hours:.0f} h of 64 channels at 1 kHz")


# What reconstructs; `afterimage weights` names every part.
GENERATORS = (
    "pocket-pictures", "pocket-shape", "sdxl-turbo", "ip-adapter", "taesdxl", "trellis", "git", "blip2",
)  # fmt: skip

CHECKS: tuple[Callable[[], Finding], ...] = (
    _python,
    _lsl,
    _brainflow,
    _display,
    _gpu,
    _package("mne_lsl", "a neighbour that reads our streams; needed by tests only"),
    _package("mne_realtime", "discontinued neighbour, served by our compatibility outlet; needed by tests only"),
    _package("onnxruntime", "networks while live"),
    _package("torch", "picture embeddings, training and networks; live linear decoding does without"),
    *(_runtime(name) for name in runtimes()),
    _disk,
)
