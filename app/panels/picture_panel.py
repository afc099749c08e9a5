"""The picture panel: what was shown beside what was reconstructed, where that comes from, and the last trials."""

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QMessageBox, QToolButton, QVBoxLayout

from app import theme
from app.panels.decision_words import Elided, Tag
from app.panels.picture_pair import Pair
from app.panels.picture_strip import Strip
from app.panels.ramp import image_of
from app.panels.sight import RESTARTING, Made, Sight, counted, made_by
from app.pictures import Pictures
from pipeline.reconstruction import Reconstruction

ROUTES = {
    "embedding": "written from the decoded embedding",
    "picture": "written from the reconstructed picture",
    "words": "put together from decoded words",
}
# A mark, a colour and words for how the process stands.
STANDS = {
    "starting": ("◔", theme.ACCENT, "loading the generators"),
    RESTARTING: ("↻", theme.WARN, "starting again after it died"),
    "ready": ("●", theme.GOOD, "waiting for the next answer"),
    "working": ("●", theme.GOOD, "generating"),
    "dead": ("✕", theme.BAD, "it died"),
    "closed": ("○", theme.FAINT, "ended"),
}
WAITING = "The first answer makes the first picture."


class PicturePanel(QFrame):
    """Truth and reconstruction of the newest trial; below them its sentence, the last trials and the process.

    Thread: main only.
    """

    def __init__(self) -> None:
        super().__init__()
        theme.set_role(self, "panel")
        self.tag, self.pair, self.strip = Tag(), Pair(), Strip()
        self.trial = Elided()
        self.caption, self.route = Elided(), Elided()
        self.state, self.counts = Elided(), QLabel()
        self.save = QToolButton()
        self._picture: Made | None = None
        self._words: Made | None = None
        self._dress()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 9, 14, 9)
        layout.setSpacing(5)
        layout.addLayout(self._head())
        layout.addWidget(self.pair, 1)
        layout.addWidget(self.caption)
        layout.addWidget(self.route)
        layout.addWidget(self.strip)
        layout.addLayout(self._foot())
        self.set_sight(Sight())

    def _dress(self) -> None:
        self.caption.setFont(theme.font(11))
        self.counts.setFont(theme.tabular(9))
        for label in (self.trial, self.route, self.state, self.counts):
            theme.set_role(label, "faint")
        self.save.setText("PNG…")
        self.save.setToolTip("Save the reconstructed picture as it was generated")
        self.save.setEnabled(False)
        self.save.clicked.connect(self._save)
        theme.keep_off_keyboard(self.save)

    def _head(self) -> QHBoxLayout:
        title = QLabel("Picture")
        theme.set_role(title, "heading")
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(title)
        head.addWidget(self.trial, 1)
        head.addWidget(self.tag)
        head.addWidget(self.save)
        return head

    def _foot(self) -> QHBoxLayout:
        foot = QHBoxLayout()
        foot.addWidget(self.state, 1)
        foot.addWidget(self.counts)
        return foot

    def set_pictures(self, pictures: Pictures) -> None:
        """Where the true pictures come from."""
        self.pair.set_pictures(pictures)
        self.strip.set_pictures(pictures)

    def set_sight(self, sight: Sight) -> None:
        """What there is at this tick; only what is new is drawn."""
        newest = sight.newest
        self.tag.set_text(sight.caution)
        self._show_process(sight)
        self.pair.set_nothing(sight.why_not or WAITING)
        if newest is not self._picture and (newest is None or newest.replaces(self._picture, "picture")):
            self._picture = newest
            self.pair.set_made(newest)
            self.trial.set_line(f"trial {newest.trial + 1}" if newest else "")
            self.save.setEnabled(newest is not None and newest.reconstruction.picture is not None)
        if newest is not self._words and (newest is None or newest.replaces(self._words, "caption")):
            self._words = newest
            self._show_words(newest.reconstruction if newest else None)
        self.strip.set_made(sight.made)

    def _show_words(self, made: Reconstruction | None) -> None:
        self.caption.set_line(made.caption.strip() if made else "")
        route = ROUTES.get(made.caption_route, "") if made else ""
        self.route.set_line(" · ".join(line for line in (route, made_by(made, "picture") if made else "") if line))

    def _show_process(self, sight: Sight) -> None:
        mark, colour, words = STANDS.get(sight.stands, ("○", theme.FAINT, "not reconstructing"))
        status = sight.status
        reason = status.reason.strip().splitlines()[-1] if status and status.reason.strip() else ""
        failed = sight.newest.reconstruction.error if sight.newest else ""
        shown = reason if sight.stands in ("dead", RESTARTING) else failed
        self.state.setStyleSheet(f"color: {colour}")
        self.state.set_line(f"{mark} {words}" + (f": {shown}" if shown else ""))
        self.counts.setText(counted(status) if status else "")

    def _save(self) -> None:
        made = self._picture
        if made is None or made.reconstruction.picture is None:
            return
        suggested = f"trial-{made.trial + 1}-{made.reconstruction.wish.stage}.png"
        path, _ = QFileDialog.getSaveFileName(self, "Save Picture", suggested, "Pictures (*.png)")
        if path and not image_of(made.reconstruction.picture).save(str(Path(path).with_suffix(".png"))):
            QMessageBox.critical(self, "The Picture Was Not Saved", f"{path} could not be written.")
