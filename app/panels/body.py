"""How the panels of a running session share the window."""

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.panels.reconstruction import ReconstructionPanels
from app.panels.scope_panel import ScopePanel

SIDE_PX = 396
RECONSTRUCTION_PX = 428
# From here on traces and reconstruction have room beside one another.
WIDE_PX = 1560
LEAST_SCOPE_PX = 420
# In a lower one there is no room for the last trials' pictures.
ROOMY_PX = 760


class Body(QWidget):
    """Traces and reconstruction over the strip of trials; at the right a column of tabs over the decision.

    In a window that is too narrow for both, the reconstruction stands in the place of the traces, or the traces when
    they were asked for.

    Thread: main only.
    """

    def __init__(
        self,
        scope: ScopePanel,
        reconstruction: ReconstructionPanels,
        history: QWidget,
        tabs: QWidget,
        decision: QWidget,
    ) -> None:
        super().__init__()
        self._scope, self._reconstruction = scope, reconstruction
        self._reconstructing = self._traces_first = False
        scope.setMinimumWidth(LEAST_SCOPE_PX)  # its strip of controls would keep the window from becoming narrow
        upper, main, side, whole = QHBoxLayout(), QVBoxLayout(), QVBoxLayout(), QHBoxLayout(self)
        for layout in (upper, main, side, whole):
            layout.setSpacing(8)
            layout.setContentsMargins(0, 0, 0, 0)
        upper.addWidget(scope, 1)
        upper.addWidget(reconstruction)
        main.addLayout(upper, 1)
        main.addWidget(history)
        side.addWidget(tabs, 13)
        side.addWidget(decision, 9)
        column = QWidget()
        column.setFixedWidth(SIDE_PX)
        column.setLayout(side)
        whole.addLayout(main, 1)
        whole.addWidget(column)
        self._arrange()

    @property
    def wide(self) -> bool:
        """Whether traces and reconstruction are shown together."""
        return self.width() >= WIDE_PX

    def set_reconstructing(self, on: bool) -> None:
        """Make room for the reconstruction, or give it back."""
        self._reconstructing, self._traces_first = on, False
        self._arrange()

    def swap(self) -> None:
        """In a narrow window: the traces, or the reconstruction again."""
        self._traces_first = not self._traces_first
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Together, or one of them."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        both = self.wide and self._reconstructing
        alone = self._reconstructing and not self.wide and not self._traces_first
        panels = self._reconstruction
        panels.set_upright(both)
        panels.set_roomy(not both or self.height() >= ROOMY_PX)
        panels.setMinimumWidth(RECONSTRUCTION_PX if both else 0)
        panels.setMaximumWidth(RECONSTRUCTION_PX if both else 16_777_215)
        self._scope.setVisible(not alone)
        panels.setVisible(both or alone)
