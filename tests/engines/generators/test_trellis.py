"""Against a fake `trellis` with the published call, in a real process; the real one has never run here."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from engines.errors import InputError, WorkError
from engines.generators.base import NoSurface, Seen
from engines.generators.config import GeneratorsConfig
from engines.generators.trellis import WORKER, Trellis
from tests.engines.generators import fake_trellis

PYTHON = Path(sys.executable)
DIES, HAS_NO_MEMORY, HANGS, FINDS_NOTHING = 1, 2, 3, 4


def picture(first=(30, 60, 90), width=6, height=4):
    pixels = np.full((height, width, 3), 118, dtype=np.uint8)
    pixels[0, 0] = first
    return pixels


def trouble(kind):
    return picture((kind, 0, 0))[None]


def installed(folder, monkeypatch, gpu=True):
    fake_trellis.install(folder / "packages", gpu)
    monkeypatch.setenv("PYTHONPATH", str(folder / "packages"))
    home = str(fake_trellis.fetched(folder / "fetched"))
    for name in ("TORCH_HOME", "U2NET_HOME"):
        monkeypatch.setenv(name, home)
    return fake_trellis.weights(folder / "weights")


@pytest.fixture
def weights(tmp_path, monkeypatch):
    return installed(tmp_path, monkeypatch)


@pytest.fixture
def trellis(weights):
    with Trellis(PYTHON, weights) as trellis:
        yield trellis


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A worker that outlives its tests, and its weights."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        weights = installed(tmp_path_factory.mktemp("running"), monkeypatch)
        with Trellis(PYTHON, weights) as trellis:
            trellis.warm_up()
            yield trellis, weights


def asked(weights):
    return json.loads((weights / "asked.json").read_text())


def test_a_picture_becomes_a_coloured_surface_in_the_unit_sphere(running):
    trellis, _ = running
    surface = trellis.surface(Seen(np.zeros(4, np.float32), picture=picture(), seed=5))
    assert (surface.vertices.dtype, surface.faces.dtype, surface.colours.dtype) == (np.float32, np.int32, np.uint8)
    # The fake makes a box as wide and high as the picture, standing upright.
    extent = np.ptp(surface.vertices, axis=0)
    np.testing.assert_allclose(extent / extent[0], [1, 1 / 6, 4 / 6], rtol=1e-5)
    np.testing.assert_allclose(surface.vertices.min(axis=0), -surface.vertices.max(axis=0), atol=1e-6)
    assert np.linalg.norm(surface.vertices, axis=1).max() == pytest.approx(1)
    assert (surface.colours == [30, 60, 90]).all()


def test_one_picture_is_asked_for_a_mesh_only_by_the_published_call(running):
    trellis, weights = running
    trellis.surface(Seen(np.zeros(4, np.float32), picture=picture(), seed=5))
    assert asked(weights) == {
        "num_samples": 1, "seed": 5, "n": 1, "formats": ["mesh"], "preprocess_image": True,
        "sparse_structure_sampler_params": {"steps": 12, "cfg_strength": 7.5},
        "slat_sampler_params": {"steps": 12, "cfg_strength": 3.0},
    }  # fmt: skip


def test_several_pictures_go_into_one_mesh_and_the_pipeline_is_loaded_once(running):
    trellis, weights = running
    trellis.surface_of(np.stack([picture()] * 3), seed=9)
    assert (asked(weights)["n"], asked(weights)["mode"], asked(weights)["seed"]) == (3, "stochastic", 9)
    trellis.surface_of(picture()[None])
    assert (weights / "loads").read_text() == "."


def test_a_worker_that_dies_says_its_last_words_and_the_next_call_starts_another(trellis, weights):
    with pytest.raises(WorkError, match=r"(?s)status 7.*device-side assert"):
        trellis.surface_of(trouble(DIES))
    assert len(trellis.surface_of(picture()[None]).faces) == 4
    assert (weights / "loads").read_text() == ".."


def test_a_worker_that_was_killed_between_two_calls_is_noticed(trellis):
    trellis.warm_up()
    worker = psutil.Process().children()[-1]
    worker.kill()
    psutil.wait_procs([worker], timeout=5)
    with pytest.raises(WorkError, match="ended with status"):
        trellis.surface_of(picture()[None])
    trellis.surface_of(picture()[None])


def test_out_of_memory_is_told_and_the_worker_lives_on(running):
    trellis, weights = running
    with pytest.raises(WorkError, match="out of memory"):
        trellis.surface_of(trouble(HAS_NO_MEMORY))
    trellis.surface_of(picture()[None])
    assert (weights / "loads").read_text() == "."


def test_a_worker_that_takes_too_long_is_ended(weights):
    others = psutil.Process().children()
    with Trellis(PYTHON, weights, answer_s=0.2) as trellis:
        with pytest.raises(WorkError, match=r"within 0\.2 s"):
            trellis.surface_of(trouble(HANGS))
        assert psutil.Process().children() == others


def test_no_surface_is_an_error(running):
    trellis, _ = running
    with pytest.raises(NoSurface, match="no surface"):
        trellis.surface_of(trouble(FINDS_NOTHING))


def test_something_else_than_pictures_is_refused(running):
    trellis, _ = running
    with pytest.raises(InputError, match="there is none"):
        trellis.surface(Seen(np.zeros(4, np.float32)))
    with pytest.raises(InputError, match="expected pictures"):
        trellis.surface_of(picture())


def test_the_worker_ends_with_whoever_started_it(weights):
    program = (
        "import os, sys; from pathlib import Path; import psutil\n"
        "from engines.generators.trellis import Trellis\n"
        f"trellis = Trellis(Path(sys.executable), Path({str(weights)!r})); trellis.warm_up()\n"
        "print(psutil.Process().children()[-1].pid, flush=True); os._exit(1)\n"
    )
    packages = f"{WORKER.parents[2]}{os.pathsep}{os.environ['PYTHONPATH']}"
    told = subprocess.run(
        [PYTHON, "-c", program], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": packages}
    )
    worker = int(told.stdout)
    if psutil.pid_exists(worker):
        gone, _ = psutil.wait_procs([psutil.Process(worker)], timeout=5)
        assert gone


def test_what_is_found_is_ready(weights):
    with Trellis.find(GeneratorsConfig(trellis_python=PYTHON, trellis=weights)) as trellis:
        assert not trellis.pocket and trellis.encoder is None
    assert not (weights / "loads").exists()  # looked for, not loaded


def test_without_an_interpreter_it_says_what_to_configure(weights, tmp_path):
    with pytest.raises(InputError, match="trellis_python"):
        Trellis.find(GeneratorsConfig(trellis=weights))
    with pytest.raises(InputError, match=r"no interpreter.*trellis_python"):
        Trellis.find(GeneratorsConfig(trellis_python=tmp_path / "python", trellis=weights))


def test_without_weights_it_says_what_to_fetch(tmp_path):
    with pytest.raises(InputError, match=r"pipeline\.json, ckpts missing.*; get .* of microsoft/TRELLIS-image-large"):
        Trellis.find(GeneratorsConfig(trellis_python=PYTHON, trellis=tmp_path))


def test_without_the_package_it_says_where_to_install_it(weights, monkeypatch):
    monkeypatch.delenv("PYTHONPATH")
    with pytest.raises(InputError, match=r"no package trellis; install"):
        Trellis.find(GeneratorsConfig(trellis_python=PYTHON, trellis=weights))


def test_without_a_gpu_it_is_refused(tmp_path, monkeypatch):
    weights = installed(tmp_path, monkeypatch, gpu=False)
    with pytest.raises(InputError, match="sees no GPU"):
        Trellis.find(GeneratorsConfig(trellis_python=PYTHON, trellis=weights))


@pytest.mark.parametrize("name", ["u2net.onnx", "dinov2_vitl14_reg4_pretrain.pth", "hubconf.py"])
def test_what_trellis_would_fetch_by_itself_must_be_there(weights, tmp_path, name):
    next((tmp_path / "fetched").rglob(name)).unlink()
    with pytest.raises(InputError, match=rf"{name} missing.*TRELLIS' own example"):
        Trellis.find(GeneratorsConfig(trellis_python=PYTHON, trellis=weights))


def test_the_workers_file_stands_alone():
    tree = ast.parse(WORKER.read_text())
    names = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    names += [alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names]
    assert not {name.split(".")[0] for name in names if name} & {"app", "calibration", "pipeline", "engines"}
