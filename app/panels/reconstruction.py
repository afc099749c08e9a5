"""Picture and mesh together: one above the other beside the traces, side by side in their place."""

from PySide6.QtWidgets import QBoxLayout, QWidget

from app.panels.mesh_panel import MeshPanel
from app.panels.picture_panel import PicturePanel
from app.panels.sight import Sight
from app.pictures import Pictures

Direction = QBoxLayout.Direction


class ReconstructionPanels(QWidget):
    """Both panels.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.picture, self.mesh = PicturePanel(), MeshPanel()
        self._layout = QBoxLayout(Direction.TopToBottom, self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self._layout.addWidget(self.picture)
        self._layout.addWidget(self.mesh)

    def set_pictures(self, pictures: Pictures) -> None:
        """Where true pictures and shapes come from."""
        self.picture.set_pictures(pictures)
        self.mesh.set_pictures(pictures)

    def set_sight(self, sight: Sight) -> None:
        """What there is at this tick."""
        self.picture.set_sight(sight)
        self.mesh.set_sight(sight)

    def set_upright(self, upright: bool) -> None:
        """One above the other, or side by side."""
        self._layout.setDirection(Direction.TopToBottom if upright else Direction.LeftToRight)
        self._layout.setStretch(0, 3 if upright else 1)
        self._layout.setStretch(1, 2 if upright else 1)

    def set_roomy(self, roomy: bool) -> None:
        """With the strip of the last trials, or without it."""
        self.picture.strip.setVisible(roomy)

    def close_drawing(self) -> None:
        """End what draws meshes, and wait for it."""
        self.mesh.close_drawing()
