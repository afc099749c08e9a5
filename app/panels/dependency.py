"""The dependency map: which stream a reconstruction hangs on, place by place and part by part."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QToolButton, QVBoxLayout

from app import theme
from app.mapping import Mapped
from app.panels.decision_words import Tag
from app.panels.dependency_map import Bars, Maps
from app.panels.sight import Sight

NOTHING = "No trial analysed yet. Analyse takes the newest trial whose turn is over."
NO_PARTS = "no parts known of this object"
BUSY = "generating from each stream alone, and comparing…"
READ = "It tells where, never how much: read it against the control and the spread."
HOW = (
    "Made from the same trial three times: from picture and turn, from the picture alone, from the turn alone. The map "
    "tells where the reconstruction from one of them alone comes nearer to that from both. The control takes picture "
    "alone and turn alone from the EEG of the trial before."
)


class DependencyPanel(QFrame):
    """The map of the trial that was asked for; `wanted` carries the trial to be analysed.

    Thread: main only.
    """

    wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.tag, self.ask, self.after_each = Tag(), QToolButton(), QToolButton()
        self.maps, self.bars, self.text = Maps(), Bars(), QLabel()
        self._newest: int | None = None
        self._analysed: int | None = None
        self._busy = False
        self._dress()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 8, 14, 10)
        layout.setSpacing(6)
        layout.addLayout(self._head())
        layout.addWidget(self.maps)
        layout.addWidget(self.bars)
        layout.addWidget(self._scrolled(), 1)
        self.set_mapped(None)
        self.set_sight(Sight())

    def _dress(self) -> None:
        for button, text, tip in (
            (self.ask, "Analyse", "The newest trial whose turn is over"),
            (self.after_each, "Each", "Each trial whose turn is over, as long as this is shown"),
        ):
            button.setText(text)
            button.setToolTip(tip)
            theme.keep_off_keyboard(button)
        self.after_each.setCheckable(True)
        self.ask.clicked.connect(self._on_ask)
        self.text.setFont(theme.font(9))
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)

    def _head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.tag)
        head.addStretch(1)
        head.addWidget(self.after_each)
        head.addWidget(self.ask)
        return head

    def _scrolled(self) -> QScrollArea:
        area = QScrollArea()
        area.setWidget(self.text)
        area.setWidgetResizable(True)
        area.setMinimumHeight(40)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setStyleSheet("QScrollArea, QScrollArea QWidget { background: transparent; }")
        return area

    def set_sight(self, sight: Sight) -> None:
        """What there is at this tick; may want the newest trial."""
        self.tag.set_text(sight.caution)
        self._newest = sight.whole
        self.ask.setEnabled(self._newest is not None and not self._busy)
        if self._analysed is None:
            self.maps.say(sight.why_not or NOTHING)
        if self.after_each.isChecked() and self.isVisible() and self._newest != self._analysed:
            self._on_ask()

    def _on_ask(self) -> None:
        if self._newest is not None and not self._busy:
            self._busy, self._analysed = True, self._newest
            self.maps.say(f"Trial {self._newest + 1}: {BUSY}")
            self.bars.set_parts((), "")
            self.wanted.emit(self._newest)

    def set_mapped(self, mapped: Mapped | None) -> None:
        """The map to show; None for none yet."""
        self._busy = False
        if mapped is None:
            self._analysed = None
            self.maps.say(NOTHING)
        else:
            self.maps.set_mapped(mapped)
        parts = mapped.parts if mapped else ()
        self.bars.set_parts(parts, NO_PARTS if self.maps.images else "")
        self.text.setText(_text(mapped))


def _text(mapped: Mapped | None) -> str:
    """How to read it, what was measured, what it does not say, how it was made."""
    if mapped is None or mapped.error:
        return f'<p style="color:{theme.FAINT}">{HOW}</p>'
    return "".join(
        f'<p style="color:{colour}; margin:0 0 4px 0">{line}</p>'
        for colour, lines in ((theme.WARN, (READ,)), (theme.TEXT, mapped.notes), (theme.MUTED, (*mapped.caveats, HOW)))
        for line in lines
    )
