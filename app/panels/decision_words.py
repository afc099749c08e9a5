"""Labels of the decision panels: one that shortens what does not fit, and one that says what an answer comes from."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy

from app import theme


class Elided(QLabel):
    """As much of a line as fits; the whole of it in the tool tip.

    Thread: main only.
    """

    def __init__(self, align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft) -> None:
        super().__init__()
        self._whole = ""
        self.setAlignment(align | Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def set_line(self, text: str) -> None:
        """The line."""
        if text != self._whole:
            self._whole = text
            self._fit()

    @property
    def line(self) -> str:
        """The whole line."""
        return self._whole

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Show more, or less."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width())
        self.setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")


class Tag(QLabel):
    """Says that an answer comes from a simulated participant or a pocket model; not there when it does not.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setStyleSheet(
            f"color: {theme.SIMULATED}; border: 1px solid {theme.SIMULATED}; border-radius: 4px; padding: 1px 6px;"
        )
        self.set_text("")

    def set_text(self, text: str) -> None:
        """What it says; "" hides it."""
        self.setText(text)
        self.setVisible(bool(text))
