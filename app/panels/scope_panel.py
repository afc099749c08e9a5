"""The scope with its controls: amplitude, time, filters, rows. Every control has a key."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout

from app import theme
from app.panels.choice import Choice
from app.panels.frame import Stream
from app.panels.scope import ROWS, Scope
from app.panels.sweep import DisplayFilter

HIGH_PASS_HZ, LOW_PASS_HZ, MAINS_HZ = 1.0, 40.0, 50.0
# In a narrower panel the filters are named by signs.
ROOMY_PX = 900


class ScopePanel(QFrame):
    """A `Scope` under a strip of controls; `actions_list` are the same controls for a menu, with their keys.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        theme.set_role(self, "panel")
        self.scope = Scope()
        self.scale, self.span = QLabel(), QLabel()
        for label in (self.scale, self.span):
            label.setFont(theme.tabular(10))
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.scale.setMinimumWidth(92)
        self.span.setMinimumWidth(50)
        self.high_pass, self.low_pass, self.notch = self._toggle(True), self._toggle(False), self._toggle(False)
        self._name_filters()
        self.rows = Choice()
        self.rows.setMinimumWidth(146)
        self.rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows.currentIndexChanged.connect(self._rows_chosen)
        self.actions_list = self._make_actions()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 6)
        layout.setSpacing(6)
        layout.addLayout(self._strip())
        layout.addWidget(self.scope, 1)
        self.scope.changed.connect(self._show_settings)
        self._show_settings()

    def set_stream(self, stream: Stream | None) -> None:
        """Start anew."""
        n = len(stream.rows) if stream else 0
        self.rows.blockSignals(True)
        self.rows.clear()
        for rows in sorted({*(r for r in ROWS if r < n), min(n, 64), n} - {0}):
            self.rows.addItem(f"All {n} Channels" if rows == n else f"{rows} Channels", rows)
        self.rows.setCurrentIndex(self.rows.findData(min(n, 64)))
        self.rows.blockSignals(False)
        self.scope.set_stream(stream)
        self._show_settings()

    def _strip(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(4)
        taller, flatter, shorter, longer = (self._button(a) for a in self.actions_list[:4])
        for widget in (flatter, self.scale, taller):
            line.addWidget(widget)
        line.addSpacing(8)
        for widget in (shorter, self.span, longer):
            line.addWidget(widget)
        line.addSpacing(8)
        for button in (self.high_pass, self.low_pass, self.notch):
            line.addWidget(button)
        line.addStretch(1)
        line.addWidget(self.rows)
        return line

    def _make_actions(self) -> list[QAction]:
        scope = self.scope
        made = []
        for text, symbol, key, call in (
            ("Larger Amplitude", "+", Qt.Key.Key_Up, lambda: scope.step_scale(-1)),
            ("Smaller Amplitude", "−", Qt.Key.Key_Down, lambda: scope.step_scale(1)),
            ("Shorter Time", "−", Qt.Key.Key_Left, lambda: scope.step_span(-1)),
            ("Longer Time", "+", Qt.Key.Key_Right, lambda: scope.step_span(1)),
            ("Fit Amplitude", "Fit", Qt.Key.Key_F, scope.fit),
            ("Channels Up", "", Qt.Key.Key_PageUp, lambda: scope.scroll_rows(-8)),
            ("Channels Down", "", Qt.Key.Key_PageDown, lambda: scope.scroll_rows(8)),
            ("Toggle High-Pass", "", Qt.Key.Key_H, self.high_pass.toggle),
            ("Toggle Low-Pass", "", Qt.Key.Key_L, self.low_pass.toggle),
            ("Toggle Notch", "", Qt.Key.Key_N, self.notch.toggle),
        ):
            action = QAction(text, self)
            action.setIconText(symbol)
            action.setShortcut(QKeySequence(key))
            action.triggered.connect(call)
            made.append(action)
        return made

    def _button(self, action: QAction) -> QToolButton:
        button = QToolButton()
        button.setText(action.iconText())
        button.setToolTip(f"{action.text()} ({action.shortcut().toString()})")
        button.clicked.connect(action.trigger)
        button.setMinimumWidth(30)
        theme.keep_off_keyboard(button)
        return button

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """More room, longer names."""
        super().resizeEvent(event)
        self._name_filters()

    def _name_filters(self) -> None:
        roomy = self.width() >= ROOMY_PX
        for button, name, sign, hz in (
            (self.high_pass, "High-Pass", "≥", HIGH_PASS_HZ),
            (self.low_pass, "Low-Pass", "≤", LOW_PASS_HZ),
            (self.notch, "Notch", "≠", MAINS_HZ),
        ):
            button.setText(f"{name if roomy else sign} {hz:g} Hz")
            button.setToolTip(f"{name} at {hz:g} Hz. Display only: the decoder has its own filters")

    def _toggle(self, on: bool) -> QToolButton:
        button = QToolButton()
        button.setCheckable(True)
        button.setChecked(on)
        button.toggled.connect(self._filter_chosen)
        theme.keep_off_keyboard(button)
        return button

    def _filter_chosen(self) -> None:
        self.scope.set_filter(
            DisplayFilter(
                HIGH_PASS_HZ if self.high_pass.isChecked() else None,
                LOW_PASS_HZ if self.low_pass.isChecked() else None,
                MAINS_HZ if self.notch.isChecked() else None,
            )
        )

    def _rows_chosen(self) -> None:
        rows = self.rows.currentData()
        if rows:
            self.scope.set_rows(rows)

    def _show_settings(self) -> None:
        unit = "µV" if self.scope.in_microvolts else "units"
        self.scale.setText(f"{self.scope.scale_uv:g} {unit} / row")
        self.span.setText(f"{self.scope.span_s:g} s")
