"""What each room may load, checked in a fresh interpreter."""

import json
import pkgutil
import subprocess
import sys

import pytest

import pipeline

LOADED = "import {}, sys, json; print(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"


def loaded_by(*modules: str) -> set[str]:
    code = LOADED.format(", ".join(modules))
    return set(
        json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)
    )


@pytest.mark.slow
def test_the_pipeline_loads_neither_torch_nor_qt() -> None:
    modules = [m.name for m in pkgutil.walk_packages(pipeline.__path__, "pipeline.")]
    assert not loaded_by(*modules) & {"torch", "PySide6", "tensorrt", "app", "calibration"}


def test_the_command_line_says_its_help_without_loading_anything_heavy() -> None:
    heavy = {"PySide6", "mne", "scipy", "pylsl", "brainflow", "sklearn", "matplotlib"}
    assert not loaded_by("app.cli") & heavy
