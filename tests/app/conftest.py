"""A screen without a monitor: Xvfb with Mesa's software OpenGL, where Qt's offscreen platform has no OpenGL at all."""

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

SIZE = "800x600x24"


@pytest.fixture(scope="session")
def xvfb() -> Iterator[dict[str, str]]:
    """The environment in which a process finds the screen."""
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip("no Xvfb on this machine: what is drawn cannot be tested without a screen (Debian: xvfb)")
    read, write = os.pipe()
    server = subprocess.Popen(
        [program, "-displayfd", str(write), "-screen", "0", SIZE, "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as number:
        display = f":{number.readline().strip()}"
    yield {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "LIBGL_ALWAYS_SOFTWARE": "1"}
    server.terminate()
    server.wait(10)


@pytest.fixture
def screen(xvfb: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Children of this test find the screen."""
    for name, value in xvfb.items():
        monkeypatch.setenv(name, value)
