import os

import pytest

from engines.runtime.cuda import driver_version
from engines.runtime.errors import EngineFailed

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")


def answers(folder, monkeypatch, script: str) -> None:
    """A stand-in for nvidia-smi, alone on the PATH."""
    if script:
        path = folder / "nvidia-smi"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_the_drivers_version_is_the_same_for_all_gpus(tmp_path, monkeypatch):
    answers(tmp_path, monkeypatch, 'test "$1" = --query-gpu=driver_version && echo 580.65.06 && echo 580.65.06')
    assert driver_version() == "580.65.06"


@pytest.mark.parametrize(
    ("script", "told"),
    [("", "on the PATH"), ("echo 'no devices' >&2; exit 9", "no devices"), ("true", "does not tell")],
)
def test_a_driver_that_does_not_tell_is_an_error(tmp_path, monkeypatch, script, told):
    answers(tmp_path, monkeypatch, script)
    with pytest.raises(EngineFailed, match=told):
        driver_version()
