"""The panels of reconstructions, and what feeds them: a part of the main window."""

from PySide6.QtCore import QObject

from app.depending import Depending
from app.mapping import Mapped
from app.panels.dependency import DependencyPanel
from app.panels.frame import Frame
from app.panels.reconstruction import ReconstructionPanels
from app.pictures import Pictures
from app.seeing import Seeing

GONE = "The windows of this trial are no longer known. Ask for a newer one."


class Showing(QObject):
    """Picture, mesh and dependency map of what `seeing` makes visible.

    Thread: main only.
    """

    def __init__(self, seeing: Seeing, pictures: Pictures, parent: QObject) -> None:
        super().__init__(parent)
        self.seeing = seeing
        self.panels, self.dependency = ReconstructionPanels(), DependencyPanel()
        self.depending = Depending(seeing.config, self)
        self.panels.set_pictures(pictures)
        self.dependency.wanted.connect(self._on_wanted)
        self.depending.mapped.connect(self.dependency.set_mapped)

    def set_frame(self, frame: Frame) -> None:
        """What there is at this tick."""
        sight = self.seeing.sight(frame.decisions, frame.stream)
        self.panels.set_sight(sight)
        self.dependency.set_sight(sight)

    def close(self) -> None:
        """End what draws and what compares, and wait for it."""
        self.panels.close_drawing()
        self.depending.close()

    def _on_wanted(self, trial: int) -> None:
        asked = self.seeing.asked(trial)
        if asked is None:
            self.dependency.set_mapped(Mapped(trial, error=GONE))
        else:
            self.depending.ask(asked)
