"""Colours, type and the style sheet. Dark, calm, legible at arm's length; states have shapes besides their colours."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QWidget

GROUND = "#12151a"
SURFACE = "#191d24"
RAISED = "#222833"
LINE = "#2c333f"
TEXT = "#e7eaef"
MUTED = "#a3adba"
FAINT = "#6c7786"

ACCENT = "#62a8e5"
GOOD = "#58b892"
WARN = "#e3b04b"
BAD = "#e5646a"
SIMULATED = "#b79cf0"
TRACE = "#a9bdd2"
TRACE_ALTERNATE = "#8fa6bd"

FAMILIES = ["Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans"]
BASE_PT = 10


def font(size_pt: float = BASE_PT, bold: bool = False) -> QFont:
    """The window's font at a size."""
    made = QFont(FAMILIES)
    made.setPointSizeF(size_pt)
    if bold:
        made.setWeight(QFont.Weight.DemiBold)
    return made


def tabular(size_pt: float = BASE_PT) -> QFont:
    """For numbers that change in place: all digits equally wide."""
    made = font(size_pt)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


def colour(name: str, alpha: float = 1.0) -> QColor:
    """A colour of the theme, `alpha` 0 to 1."""
    made = QColor(name)
    made.setAlphaF(alpha)
    return made


def apply(application: QApplication) -> None:
    """Dress the whole application. Thread: main."""
    application.setStyle("Fusion")
    application.setFont(font())
    palette = QPalette()
    roles = QPalette.ColorRole
    for role, name in (
        (roles.Window, GROUND),
        (roles.Base, SURFACE),
        (roles.AlternateBase, RAISED),
        (roles.Button, RAISED),
        (roles.ToolTipBase, RAISED),
        (roles.WindowText, TEXT),
        (roles.Text, TEXT),
        (roles.ButtonText, TEXT),
        (roles.ToolTipText, TEXT),
        (roles.PlaceholderText, FAINT),
        (roles.Highlight, ACCENT),
        (roles.HighlightedText, GROUND),
        (roles.Link, ACCENT),
        (roles.Mid, LINE),
    ):
        palette.setColor(role, QColor(name))
    for role in (roles.Text, roles.WindowText, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(FAINT))
    application.setPalette(palette)
    application.setStyleSheet(STYLE)


def set_role(widget: QWidget, role: str) -> None:
    """Give a widget one of the looks of the style sheet, also after it was shown."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def keep_off_keyboard(widget: QWidget) -> None:
    """Buttons of the tool strip leave the arrow keys to the scope."""
    widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)


STYLE = f"""
QMainWindow, QDialog {{ background: {GROUND}; }}
QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {LINE}; padding: 6px; }}
QMenuBar {{ background: {GROUND}; color: {MUTED}; padding: 2px 8px; }}
QMenuBar::item {{ padding: 4px 9px; background: transparent; border-radius: 4px; }}
QMenuBar::item:selected {{ background: {RAISED}; color: {TEXT}; }}
QMenu {{ background: {RAISED}; border: 1px solid {LINE}; padding: 5px; }}
QMenu::item {{ padding: 6px 26px 6px 14px; border-radius: 4px; }}
QMenu::item:selected {{ background: {ACCENT}; color: {GROUND}; }}
QMenu::item:disabled {{ color: {FAINT}; }}
QMenu::separator {{ height: 1px; background: {LINE}; margin: 5px 8px; }}

QLabel[role="title"] {{ font-size: 17pt; font-weight: 600; color: {TEXT}; }}
QLabel[role="heading"] {{ font-size: 11pt; font-weight: 600; color: {TEXT}; }}
QLabel[role="muted"] {{ color: {MUTED}; }}
QLabel[role="faint"] {{ color: {FAINT}; }}
QLabel[role="error"] {{ color: {BAD}; }}
QLabel[role="good"] {{ color: {GOOD}; }}
QLabel[role="warn"] {{ color: {WARN}; }}

QFrame[role="panel"] {{ background: {SURFACE}; border: 1px solid {LINE}; border-radius: 8px; }}
QFrame[role="strip"] {{ background: {SURFACE}; border-bottom: 1px solid {LINE}; }}
QFrame[role="foot"] {{ background: {SURFACE}; border-top: 1px solid {LINE}; }}

QPushButton, QToolButton {{
    background: {RAISED}; color: {TEXT}; border: 1px solid {LINE}; border-radius: 6px; padding: 6px 14px;
}}
QPushButton:hover, QToolButton:hover {{ background: #2b3340; border-color: #3a4453; }}
QPushButton:pressed, QToolButton:pressed {{ background: {LINE}; }}
QPushButton:focus {{ border-color: {ACCENT}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {FAINT}; background: {SURFACE}; }}
QPushButton:default, QPushButton[role="primary"] {{
    background: {ACCENT}; color: {GROUND}; border-color: {ACCENT}; font-weight: 600;
}}
QPushButton:default:hover, QPushButton[role="primary"]:hover {{ background: #7ab8ee; }}
QPushButton:default:disabled {{ background: {RAISED}; color: {FAINT}; border-color: {LINE}; }}
QPushButton[role="recording"] {{ background: {BAD}; color: {GROUND}; border-color: {BAD}; font-weight: 600; }}
QPushButton[role="card"] {{ text-align: left; padding: 0; border-radius: 10px; background: {SURFACE}; }}
QPushButton[role="card"]:hover, QPushButton[role="card"]:focus {{ background: {RAISED}; border-color: {ACCENT}; }}
QToolButton {{ padding: 3px 9px; color: {MUTED}; }}
QToolButton:checked {{ background: #27405a; color: {TEXT}; border-color: #35587b; }}

QLineEdit, QPlainTextEdit {{
    background: {GROUND}; color: {TEXT}; border: 1px solid {LINE}; border-radius: 6px; padding: 6px 8px;
    selection-background-color: {ACCENT}; selection-color: {GROUND};
}}
QLineEdit:focus {{ border-color: {ACCENT}; }}
QComboBox {{
    background: {RAISED}; color: {TEXT}; border: 1px solid {LINE}; border-radius: 6px; padding: 5px 4px 5px 10px;
}}
QComboBox:focus {{ border-color: {ACCENT}; }}
QComboBox::drop-down {{ border: none; width: 24px; }}
QComboBox::down-arrow {{ image: none; }}
QComboBox QAbstractItemView {{ background: {RAISED}; border: 1px solid {LINE}; outline: none; }}
QDialogButtonBox QPushButton {{ min-width: 84px; }}
QTableWidget, QListWidget, QTreeWidget {{
    background: {GROUND}; alternate-background-color: {SURFACE}; border: 1px solid {LINE}; border-radius: 6px;
    gridline-color: {LINE}; outline: none;
}}
QTableWidget::item {{ padding: 5px 8px; }}
QTableWidget::item:selected, QListWidget::item:selected {{ background: #27405a; color: {TEXT}; }}
QHeaderView::section {{
    background: {SURFACE}; color: {MUTED}; border: none; border-bottom: 1px solid {LINE}; padding: 6px 8px;
}}
QTabBar::tab {{ background: transparent; color: {MUTED}; padding: 9px 16px; border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {TEXT}; border-bottom: 2px solid {ACCENT}; }}
QTabBar::tab:hover {{ color: {TEXT}; }}
QTabWidget::pane {{ border: none; border-top: 1px solid {LINE}; }}
QCheckBox {{ spacing: 8px; }}
QProgressBar {{ background: {RAISED}; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }}
QProgressBar::chunk {{ background: {ACCENT}; border-radius: 3px; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {LINE}; border-radius: 5px; min-height: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle:horizontal {{ background: {LINE}; border-radius: 5px; min-width: 24px; }}
QSplitter::handle {{ background: {GROUND}; }}
"""
