"""What is really drawn, by Mesa's software OpenGL on a screen; and what is said where there is no OpenGL."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from app import theme
from app.turntable import Turntable, View
from calibration.objects.build import build
from calibration.objects.render import Renderer
from tests.app.reconstructions import TETRAHEDRON

GROUND = np.array([int(theme.GROUND[i : i + 2], 16) for i in (1, 3, 5)])


@pytest.fixture(scope="module")
def drawn(xvfb, tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    subprocess.run(
        [sys.executable, "-m", "tests.app.drawn_meshes", str(folder)],
        env={**os.environ, **xvfb},
        check=True,
        timeout=120,
    )
    return {path.stem: np.asarray(Image.open(path).convert("RGB")).astype(int) for path in folder.glob("*.png")}


def inked(picture):
    return np.abs(picture - GROUND).max(axis=2) > 8


def test_a_mesh_is_drawn_with_its_colours_turned_and_near_as_wished(drawn):
    front = drawn["front"]
    assert front.shape == (200, 200, 3)
    share = inked(front).mean()
    assert 0.1 < share < 0.5
    assert np.any(inked(front) != inked(drawn["turned"]))
    assert inked(drawn["near"]).mean() > 2 * share
    top = front[inked(front).any(axis=1).argmax() + 2]
    assert top[:, 0].max() > 100 and top[:, 1].max() < 60 and top[:, 2].max() < 60  # its highest corner is red


def test_an_object_lies_where_its_rendered_picture_has_it(drawn):
    with Renderer(150) as renderer:
        mask = renderer.view(build("car", 3)).mask
    assert np.mean(inked(drawn["car"]) != mask) < 0.02


def test_where_there_is_no_opengl_it_says_so_once_and_draws_nothing(qtbot):
    turntable = Turntable()
    with qtbot.waitSignal(turntable.failed, timeout=20_000) as failed:
        turntable.wish("made", TETRAHEDRON, View())
    assert "OpenGL 3.3" in failed.args[0] and turntable.why_not == failed.args[0]
    turntable.wish("made", TETRAHEDRON, View())
    turntable.close()
