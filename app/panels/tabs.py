"""Several panels in one frame, one at a time, under a bar of tabs."""

from PySide6.QtWidgets import QFrame, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from app import theme


class Tabs(QFrame):
    """(title, panel) pairs.

    Thread: main only.
    """

    def __init__(self, *panels: tuple[str, QWidget]) -> None:
        super().__init__()
        theme.set_role(self, "panel")
        self.bar, self.pages = QTabBar(), QStackedWidget()
        self.bar.setDrawBase(False)
        self.bar.setStyleSheet("QTabBar::tab { padding: 6px 12px; }")
        theme.keep_off_keyboard(self.bar)
        for title, panel in panels:
            self.bar.addTab(title)
            self.pages.addWidget(panel)
        self.bar.currentChanged.connect(self.pages.setCurrentIndex)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addWidget(self.pages, 1)

    def show_next(self) -> None:
        """The tab after this one, or the first."""
        self.bar.setCurrentIndex((self.bar.currentIndex() + 1) % self.bar.count())
