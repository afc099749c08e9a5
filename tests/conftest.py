"""LSL stays on this machine, and no test leaves a thread or a process behind."""

import os
import shutil
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engines.runtime.folder import Exported

LSL_CONFIG = """\
[ports]
IPv6 = disable
MulticastPort = {ports}
BasePort = {first}
PortRange = 96
[multicast]
ResolveScope = machine
ListenAddress = 127.0.0.1
[lab]
KnownPeers = {{127.0.0.1}}
SessionID = test-{session}
[log]
level = -2
"""


def lsl_config(session: str) -> str:
    """A configuration of its own for each test process: LSL's 32 ports are too few for the outlets of several."""
    ports = 17_000 + 100 * (os.getpid() % 150)
    return LSL_CONFIG.format(session=session, ports=ports, first=ports + 1)


# Before any process loads liblsl; children inherit it.
_folder = tempfile.TemporaryDirectory(prefix="afterimage-tests-")
_config = Path(_folder.name) / "lsl_api.cfg"
_config.write_text(lsl_config(uuid.uuid4().hex))
os.environ["LSLAPICFG"] = str(_config)
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import psutil  # noqa: E402
import pytest  # noqa: E402


def data_folder() -> Path | None:
    """The folder of real recordings: $AFTERIMAGE_DATA, else ../shared/data beside the checkout."""
    named = os.environ.get("AFTERIMAGE_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def data() -> Path:
    """Real recordings; the test says what is missing where they are not."""
    folder = data_folder()
    if folder is None:
        pytest.skip("no real recordings: set AFTERIMAGE_DATA to the folder that holds xdf/ and eeg/")
    return folder


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> "Exported":
    """A small network, exported once for a test process; what alters it takes `copied`."""
    # Imported here: few tests need torch, which takes seconds.
    from engines.runtime.export import export
    from tests.engines.runtime.small import RANGES, Small

    return export(Small(), tmp_path_factory.mktemp("exported") / "small", RANGES, {"trained on": "nothing"})


@pytest.fixture
def copied(exported: "Exported", tmp_path: Path) -> "Exported":
    """The small network in a folder of the test's own."""
    return type(exported).read(Path(shutil.copytree(exported.folder, tmp_path / "copied")))


@pytest.fixture
def no_tensorrt(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without TensorRT, whatever this one has."""
    monkeypatch.setitem(sys.modules, "tensorrt", None)


@pytest.fixture
def tensorrt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A stand-in for TensorRT on a stand-in for a GPU; the folder where it keeps its engines."""
    from dataclasses import replace

    from engines.runtime import base
    from engines.runtime.folder import Exported
    from engines.runtime.trt import TensorRt
    from engines.runtime.types import Options
    from tests.engines.runtime import fake_tensorrt

    def opens(model: Exported, options: Options) -> TensorRt:
        options = replace(options, cache=tmp_path / "engines")
        return TensorRt(model, options, fake_tensorrt, fake_tensorrt.FakeDevice())

    monkeypatch.setitem(base._BACKENDS, "tensorrt", base._Backend(True, lambda: None, opens))
    fake_tensorrt.calls.clear()
    fake_tensorrt.faults.clear()
    yield tmp_path / "engines"
    fake_tensorrt.faults.clear()


def _children() -> set[int]:
    # multiprocessing's resource tracker lives as long as the interpreter, by design.
    found = set()
    for child in psutil.Process().children(recursive=True):
        try:
            if child.status() != psutil.STATUS_ZOMBIE and not any("resource_tracker" in a for a in child.cmdline()):
                found.add(child.pid)
        except psutil.NoSuchProcess:
            continue
    return found


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    """Fail a test that leaves a thread or a child process running."""
    threads, children = set(threading.enumerate()), _children()
    yield
    left = [t for t in threading.enumerate() if t not in threads and t.is_alive()]
    for thread in left:
        thread.join(2.0)
    alive = [t.name for t in left if t.is_alive()]
    _gone, running = psutil.wait_procs(
        [psutil.Process(p) for p in _children() - children if psutil.pid_exists(p)], timeout=3.0
    )
    names = []
    for child in running:
        if child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
            names.append(" ".join(child.cmdline())[:200])
            child.kill()
    assert not alive, f"threads left running: {alive}"
    assert not names, f"processes left running: {names}"
