from collections.abc import Iterator

import numpy as np
import pytest
import trimesh
from PySide6.QtCore import QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication

from app.panels.mesh_panel import BESIDE, FILTERS, NO_MESH, MeshPanel
from app.turntable import Shape, View
from engines.generators.meshes import read_surface
from pipeline.reconstruction import MeshComes
from tests.app.reconstructions import TETRAHEDRON, made, sight


class FakeTurntable(QObject):
    """Remembers what was wished; `answer` draws it in one colour."""

    drawn = Signal(str, object, QImage)

    def __init__(self) -> None:
        super().__init__()
        self.why_not = ""
        self.wishes: dict[str, tuple[Shape, View]] = {}

    def wish(self, slot: str, shape: Shape, view: View) -> None:
        self.wishes[slot] = shape, view

    def answer(self, slot: str, shape: Shape | None = None) -> None:
        image = QImage(50, 50, QImage.Format.Format_RGB888)
        image.fill(QColor("#ff0000"))
        self.drawn.emit(slot, shape or self.wishes[slot][0], image)

    def close(self) -> None:
        pass


@pytest.fixture
def turntable() -> FakeTurntable:
    return FakeTurntable()


@pytest.fixture
def panel(qtbot, turntable: FakeTurntable) -> Iterator[MeshPanel]:
    shown = MeshPanel(turntable)
    qtbot.addWidget(shown)
    shown.resize(428, 300)
    shown.show()
    yield shown
    shown.close_drawing()


def test_the_reconstructed_mesh_is_drawn_and_shown(panel: MeshPanel, turntable: FakeTurntable) -> None:
    panel.set_sight(sight(made(2, "fused")))
    shape, view = turntable.wishes["made"]
    assert shape is TETRAHEDRON and view.size_px == panel.made.side_px
    turntable.answer("made")
    assert panel.made.image is not None
    assert panel.made.title == "Reconstructed · fused" and panel.trial.line == "trial 3"
    assert panel.told.line == "certainty 0.25 · pocket-shape 85 ms · 4 faces"
    assert panel.tag.text() == "simulated · pocket model"


def test_what_was_drawn_of_an_older_shape_comes_too_late(panel: MeshPanel, turntable: FakeTurntable) -> None:
    panel.set_sight(sight(made(0)))
    turntable.answer("made", object())
    assert panel.made.image is None


def test_it_turns_until_it_is_dragged_and_both_are_seen_from_the_same_side(
    panel: MeshPanel, turntable: FakeTurntable, qtbot
) -> None:
    one = sight(made(0))
    panel.set_sight(one)
    first = turntable.wishes["made"][1].turn_deg

    def turned() -> bool:
        panel.set_sight(one)
        return turntable.wishes["made"][1].turn_deg > first

    qtbot.waitUntil(turned)
    qtbot.mousePress(panel.truth, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    qtbot.mouseMove(panel.truth, QPoint(60, 70))
    before = panel.view
    panel.truth.dragged.emit(10.0, 20.0)
    assert not panel.turning.isChecked()
    assert panel.view.turn_deg == pytest.approx((before.turn_deg + 6.0) % 360)
    assert panel.view.rise_deg == pytest.approx(min(85.0, before.rise_deg + 12.0))
    assert turntable.wishes["made"][1].rise_deg == panel.view.rise_deg


def test_the_wheel_comes_nearer(panel: MeshPanel, turntable: FakeTurntable) -> None:
    panel.set_sight(sight(made(0)))
    nothing, none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    at = QPointF(40, 40)
    event = QWheelEvent(at, at, QPoint(), QPoint(0, 120), nothing, none, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(panel.made, event)
    assert turntable.wishes["made"][1].zoom == pytest.approx(1.15)
    assert not panel.turning.isChecked()


def test_without_opengl_it_says_so(panel: MeshPanel, turntable: FakeTurntable) -> None:
    turntable.why_not = "no OpenGL here"
    panel.set_sight(sight(made(0)))
    assert panel.made.why_not == panel.truth.why_not == "no OpenGL here"
    panel.grab()


def test_where_no_generator_makes_meshes_it_says_so(panel: MeshPanel) -> None:
    panel.set_sight(sight(made(0, mesh=None, generators=(("picture", "pocket-sdxl"),))))
    assert panel.made.why_not == NO_MESH
    assert not panel.save_mesh.isEnabled()


def test_the_mesh_is_saved_with_its_colours_and_both_views_as_a_picture(
    panel: MeshPanel, turntable: FakeTurntable, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("app.panels.mesh_panel.QFileDialog.getSaveFileName", lambda *_: (str(tmp_path / "seen"), ""))
    panel.set_sight(sight(made(0)))
    turntable.answer("made")
    panel.set_sight(sight(made(0)))
    panel.save_mesh.click()
    loaded = trimesh.load_mesh(tmp_path / "seen.glb")
    assert len(loaded.faces) == 4 and {tuple(c[:3]) for c in loaded.visual.vertex_colors} == {
        tuple(c) for c in TETRAHEDRON.colours
    }
    panel.save_png.click()
    assert QImage(str(tmp_path / "seen.png")).width() == 50


@pytest.mark.parametrize(
    ("typed", "chosen", "written"),
    [("seen", "npy", "seen.npy"), ("seen.PLY", "glb", "seen.PLY"), ("P07.fused", "obj", "P07.fused.obj")],
)
def test_the_dialog_offers_three_formats_of_meshes_and_the_cloud_and_what_is_typed_wins(
    panel: MeshPanel, tmp_path, monkeypatch, typed: str, chosen: str, written: str
) -> None:
    offered = []
    filters = {suffix: told for told, suffix in FILTERS.items()}

    def asked(_, title: str, name: str, told: str) -> tuple[str, str]:
        offered.append((name, told.count("(*.")))
        return str(tmp_path / typed), filters[chosen]

    monkeypatch.setattr("app.panels.mesh_panel.QFileDialog.getSaveFileName", asked)
    panel.set_sight(sight(made(2, "fused")))
    panel.save_mesh.click()
    monkeypatch.setattr("app.panels.mesh_panel.QFileDialog.getSaveFileName", lambda *_: ("", ""))
    panel.save_mesh.click()
    assert offered == [("trial-3-fused.glb", 4)]
    (path,) = tmp_path.iterdir()
    assert path.name == written
    if path.suffix == ".npy":
        assert np.load(path).shape == (8192, 6)
    else:
        assert (read_surface(path).colours == TETRAHEDRON.colours).all()


def test_a_mesh_that_took_long_is_shown_though_a_newer_trial_has_begun(
    panel: MeshPanel, turntable: FakeTurntable
) -> None:
    later = made(4, mesh=None, mesh_comes=MeshComes.LATER)
    panel.set_sight(sight(later))
    assert panel.made.why_not == BESIDE
    panel.set_sight(sight(made(3, "fused", mesh_comes=MeshComes.LATE), later))
    assert turntable.wishes["made"][0] is TETRAHEDRON
    assert panel.trial.line == "trial 4" and panel.made.title == "Reconstructed · fused"
