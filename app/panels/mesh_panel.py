"""The mesh panel: the true shape and the reconstructed one, turning together, seen from the same side."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QMessageBox, QToolButton, QVBoxLayout

from app import theme
from app.panels.decision_words import Elided, Tag
from app.panels.mesh_view import MeshView
from app.panels.picture_pair import UNKNOWN
from app.panels.picture_panel import WAITING
from app.panels.sight import Made, Sight, made_by
from app.pictures import Pictures
from app.shape_files import FORMATS, write_shape
from app.turntable import Shape, Turntable, View
from calibration.objects.turn import turn_deg
from engines.errors import AfterimageError
from pipeline.reconstruction import MeshComes

# Half of the window's ticks: smooth enough for a slow turn, and half the drawing.
EVERY_S = 0.06
FIRST_DEG = 30.0
DEG_PER_PX = 0.6
RISE_DEG = (-85.0, 85.0)
ZOOM = (0.5, 4.0)
ZOOM_PER_NOTCH = 1.15
NO_MESH = "No generator makes meshes here."
BESIDE = "Meshes take long here. They are made beside the pictures, of the last answer of a trial."
FILTERS = {f"{told} (*.{suffix})": suffix for suffix, told in FORMATS.items()}


class MeshPanel(QFrame):
    """Two shapes on one turntable. `turntable` draws them in a thread of its own, which `close` ends.

    Thread: main only.
    """

    def __init__(self, turntable: Turntable | None = None) -> None:
        super().__init__()
        theme.set_role(self, "panel")
        self.turntable = turntable or Turntable(self)
        self.tag, self.truth, self.made = Tag(), MeshView(), MeshView()
        self.views = {"truth": self.truth, "made": self.made}
        self.turning, self.save_mesh, self.save_png = QToolButton(), QToolButton(), QToolButton()
        self.trial, self.told = Elided(), Elided()
        for label in (self.trial, self.told):
            theme.set_role(label, "faint")
        self.view = View(turn_deg=FIRST_DEG)
        self._pictures: Pictures | None = None
        self._shown: Made | None = None
        self._shapes: dict[str, Shape | None] = {"truth": None, "made": None}
        self._wished: dict[str, tuple[Shape, View]] = {}
        self._turned_at_s: float | None = None
        self._dress()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 9, 14, 9)
        layout.setSpacing(5)
        layout.addLayout(self._head())
        pair = QHBoxLayout()
        pair.setSpacing(12)
        pair.addWidget(self.truth)
        pair.addWidget(self.made)
        layout.addLayout(pair, 1)
        layout.addLayout(self._foot())
        self.turntable.drawn.connect(self._on_drawn)
        self.set_sight(Sight())

    def _dress(self) -> None:
        for button, text, tip in (
            (self.turning, "Turning", "The turntable: one turn in 6 s, as the objects were shown"),
            (self.save_mesh, "Mesh…", "Save the reconstructed mesh with its colours, or a cloud of points"),
            (self.save_png, "PNG…", "Save both shapes as they are seen now"),
        ):
            button.setText(text)
            button.setToolTip(tip)
            theme.keep_off_keyboard(button)
        self.made.setToolTip(
            "Certainty: how far such embeddings agree with true ones, from 0 to 1 (correlation on object 07).\n"
            "The less certain, the more a pocket mesh falls apart into grains: there nothing firm is known."
        )
        self.turning.setCheckable(True)
        self.turning.setChecked(True)
        self.save_mesh.clicked.connect(self._save_mesh)
        self.save_png.clicked.connect(self._save_png)
        for view in self.views.values():
            view.dragged.connect(self._on_dragged)
            view.zoomed.connect(self._on_zoomed)

    def _head(self) -> QHBoxLayout:
        title = QLabel("Mesh")
        theme.set_role(title, "heading")
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(title)
        head.addWidget(self.trial, 1)
        head.addWidget(self.tag)
        head.addWidget(self.turning)
        return head

    def _foot(self) -> QHBoxLayout:
        foot = QHBoxLayout()
        foot.setSpacing(6)
        foot.addWidget(self.told, 1)
        foot.addWidget(self.save_mesh)
        foot.addWidget(self.save_png)
        return foot

    def set_pictures(self, pictures: Pictures) -> None:
        """Where the true shapes come from."""
        self._pictures = pictures

    def close_drawing(self) -> None:
        """End the thread that draws, and wait for it."""
        self.turntable.close()

    def set_sight(self, sight: Sight) -> None:
        """What there is at this tick; called 30 times a second it also keeps the turntable going."""
        newest = _newest(sight)
        self.tag.set_text(sight.caution)
        if newest is not self._shown and (newest is None or newest.replaces(self._shown, "mesh")):
            self._shown = newest
        made = self._shown
        self._set_shape("made", made.reconstruction.mesh if made else None)
        self._set_shape("truth", self._true_shape())
        self._say(sight)
        self._turn()
        if self.isVisible():
            self._wish()

    def _true_shape(self) -> Shape | None:
        key = self._shown.true_key if self._shown else ""
        return self._pictures.model(key) if self._pictures and key else None

    def _set_shape(self, slot: str, shape: Shape | None) -> None:
        if shape is not self._shapes[slot]:
            self._shapes[slot] = shape
            self.views[slot].set_image(None)

    def _say(self, sight: Sight) -> None:
        made, no_opengl = self._shown, self.turntable.why_not
        self.save_mesh.setEnabled(made is not None and made.reconstruction.mesh is not None)
        self.save_png.setEnabled(self.made.image is not None)
        if made is None:
            self.truth.set_words("Seen", "")
            self.made.set_words("Reconstructed", sight.why_not or WAITING)
            self.trial.set_line("")
            self.told.set_line("")
            return
        wish, mesh = made.reconstruction.wish, made.reconstruction.mesh
        self.truth.set_words(
            f"Seen · {made.true_key or made.true or 'not known'}", no_opengl or self._why_no_truth(made)
        )
        self.trial.set_line(f"trial {made.trial + 1}")
        self.made.set_words(f"Reconstructed · {wish.stage}", no_opengl or self._why_no_mesh(made))
        self.told.set_line(
            f"certainty {wish.certainty:.2f} · {made_by(made.reconstruction, 'mesh')} · {len(mesh.faces):,} faces"
            if mesh is not None
            else ""
        )

    def _why_no_truth(self, made: Made) -> str:
        if not made.true_key:
            return UNKNOWN
        return (self._pictures.why_no_model(made.true_key) if self._pictures else "") or "…"

    def _why_no_mesh(self, made: Made) -> str:
        made_of = dict(made.reconstruction.generators)
        if made.reconstruction.mesh_comes is MeshComes.LATER:
            return BESIDE
        if made.reconstruction.complete and "mesh" not in made_of and not made.reconstruction.error:
            return NO_MESH
        return made.reconstruction.error or "…"

    def _turn(self) -> None:
        now_s = time.monotonic()
        if not self.turning.isChecked() or not self.isVisible():
            self._turned_at_s = None
        elif self._turned_at_s is None:
            self._turned_at_s = now_s
        elif now_s - self._turned_at_s >= EVERY_S:
            turned = self.view.turn_deg + turn_deg(now_s - self._turned_at_s)
            self.view = replace(self.view, turn_deg=turned % 360)
            self._turned_at_s = now_s

    def _wish(self) -> None:
        for slot, shape in self._shapes.items():
            wished = None if shape is None else (shape, replace(self.view, size_px=self.views[slot].side_px))
            if wished is not None and wished != self._wished.get(slot):
                self._wished[slot] = wished
                self.turntable.wish(slot, *wished)

    def _on_drawn(self, slot: str, shape: Shape, image: QImage) -> None:
        if shape is self._shapes[slot]:
            self.views[slot].set_image(image)

    def _on_dragged(self, dx_px: float, dy_px: float) -> None:
        self.turning.setChecked(False)
        low, high = RISE_DEG
        rise = min(high, max(low, self.view.rise_deg + DEG_PER_PX * dy_px))
        self.view = replace(self.view, turn_deg=(self.view.turn_deg + DEG_PER_PX * dx_px) % 360, rise_deg=rise)
        self._wish()

    def _on_zoomed(self, notches: float) -> None:
        self.turning.setChecked(False)
        zoom = min(ZOOM[1], max(ZOOM[0], self.view.zoom * ZOOM_PER_NOTCH**notches))
        self.view = replace(self.view, zoom=zoom)
        self._wish()

    def _asked_path(self, what: str, filters: Mapping[str, str]) -> Path | None:
        """Where to, with a suffix of `filters` {what the dialog says: suffix}: the one written, else the one chosen."""
        if self._shown is None:
            return None
        suggested = f"trial-{self._shown.trial + 1}-{self._shown.reconstruction.wish.stage}"
        usual = next(iter(filters.values()))
        name, chosen = QFileDialog.getSaveFileName(self, f"Save {what}", f"{suggested}.{usual}", ";;".join(filters))
        if not name:
            return None
        path = Path(name)
        written = path.suffix.lower().removeprefix(".") in filters.values()
        return path if written else path.with_name(f"{path.name}.{filters.get(chosen, usual)}")

    def _save_png(self) -> None:
        path = self._asked_path("Picture", {"PNG (*.png)": "png"})
        if path is not None and not self.both().save(str(path)):
            QMessageBox.critical(self, "The Picture Was Not Saved", f"{path} could not be written.")

    def both(self) -> QImage:
        """Truth beside reconstruction as they are seen now."""
        images = [view.image for view in self.views.values() if view.image is not None]
        side = max((image.width() for image in images), default=1)
        both = QImage(side * len(images), side, QImage.Format.Format_RGB888)
        both.fill(theme.colour(theme.GROUND))
        painter = QPainter(both)
        for number, image in enumerate(images):
            painter.drawImage(side * number, 0, image)
        painter.end()
        return both

    def _save_mesh(self) -> None:
        mesh = self._shown.reconstruction.mesh if self._shown else None
        path = self._asked_path("Mesh", FILTERS)
        if path is None or mesh is None:
            return
        try:
            write_shape(mesh, path)
        except (AfterimageError, OSError) as error:
            QMessageBox.critical(self, "The Mesh Was Not Saved", str(error))


def _newest(sight: Sight) -> Made | None:
    """The newest answer; where meshes take long, the newest of those whose mesh has come or failed, if there is one."""
    come = [made for made in sight.made if made.reconstruction.mesh_comes is not MeshComes.LATER]
    return come[-1] if come else sight.newest
