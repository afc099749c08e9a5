from collections.abc import Iterator

import pytest
from PySide6.QtGui import QColor, QImage

from app.panels.picture_panel import PicturePanel
from app.panels.sight import Sight
from app.pictures import Pictures
from tests.app.reconstructions import made, sight, status
from tests.app.test_pictures import Shelf

TRUE, MADE = (200, 0, 0), (0, 160, 0)  # of a Shelf, and of `reconstruction`


@pytest.fixture
def pictures(qtbot) -> Iterator[Pictures]:
    found = Pictures(open_set=lambda where: Shelf(("chair/03", "chair/07")))
    found.use("shelf")
    yield found
    found.close()


@pytest.fixture
def panel(qtbot, pictures: Pictures) -> PicturePanel:
    shown = PicturePanel()
    qtbot.addWidget(shown)
    shown.set_pictures(pictures)
    shown.resize(428, 420)
    shown.show()
    return shown


def places(image: QImage, colour: tuple[int, int, int]) -> list[tuple[int, int]]:
    """Where a colour is, on a coarse grid."""
    wanted = QColor(*colour).rgb()
    return [
        (x, y) for x in range(0, image.width(), 4) for y in range(0, image.height(), 4) if image.pixel(x, y) == wanted
    ]


def test_the_truth_stands_at_the_left_of_its_reconstruction(panel: PicturePanel, pictures: Pictures, qtbot) -> None:
    panel.set_sight(sight(made(4, "fused")))
    qtbot.waitUntil(lambda: pictures.picture("chair/03") is not None)
    image = panel.pair.grab().toImage()
    true, found = places(image, TRUE), places(image, MADE)
    assert true and found and max(x for x, _ in true) < min(x for x, _ in found)
    assert panel.pair.words()["truth"] == "Seen · chair/03"
    assert panel.pair.words()["made"] == "Reconstructed · fused"
    assert panel.trial.line == "trial 5"


def test_it_says_what_is_simulated_what_is_a_pocket_model_and_how_long_it_took(panel: PicturePanel) -> None:
    panel.set_sight(sight(made()))
    assert panel.tag.isVisible() and panel.tag.text() == "simulated · pocket model"
    assert panel.route.line == "put together from decoded words · pocket-sdxl 212 ms"
    assert panel.caption.line == "a red chair"
    panel.set_sight(sight(made(generators=(("picture", "small"),), pocket=("small",)), caution=""))
    assert "small (pocket model)" in panel.route.line
    assert not panel.tag.isVisible()


def test_a_truth_that_nobody_knows_is_said(panel: PicturePanel) -> None:
    panel.set_sight(sight(made(true_key="")))
    assert panel.pair.words()["truth"] == "Seen · not known"
    assert "the markers name no picture" in panel.pair.words()["no truth"]
    panel.pair.grab()


def test_what_is_still_being_made_leaves_the_earlier_picture_of_its_trial_in_place(panel: PicturePanel) -> None:
    whole = made(0, "static")
    panel.set_sight(sight(whole))
    panel.set_sight(sight(made(0, "refined", picture=None, caption="", complete=False)))
    assert panel.pair.words()["made"] == "Reconstructed · static" and panel.caption.line == "a red chair"
    panel.set_sight(sight(made(0, "refined", caption="", complete=False)))
    assert panel.pair.words()["made"] == "Reconstructed · refined" and panel.caption.line == "a red chair"
    panel.set_sight(sight(made(1, "static", picture=None, caption="", complete=False)))
    assert panel.pair.words()["not made"] == "…" and panel.caption.line == ""


def test_the_strip_keeps_the_newest_trials_that_fit(panel: PicturePanel) -> None:
    panel.set_sight(sight(*(made(n, "fused") for n in range(20))))
    shown = [one.trial for one in panel.strip.shown()]
    assert shown == list(range(20 - len(shown), 20)) and 5 <= len(shown) < 12
    assert "Trial 20" in panel.strip.told(panel.strip.shown()[-1])
    assert places(panel.strip.grab().toImage(), MADE)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (status("starting"), "loading the generators"),
        (status("starting", restarts=1, reason="it was killed"), "starting again after it died: it was killed"),
        (status("dead", reason="Traceback\nMemoryError: no more"), "it died: MemoryError: no more"),
    ],
)
def test_how_the_process_stands_is_visible_with_its_reason(panel: PicturePanel, state, words: str) -> None:
    panel.set_sight(sight(made(), status=state))
    assert words in panel.state.line


def test_wishes_that_came_to_nothing_are_counted(panel: PicturePanel) -> None:
    panel.set_sight(sight(made(), status=status(made=31, dropped=12, skipped=5, failed=1, restarts=2)))
    assert panel.counts.text() == "31 made · 12 dropped · 5 skipped · 1 failed · 2 restarts"


def test_without_a_reconstruction_it_says_why(panel: PicturePanel) -> None:
    panel.set_sight(Sight(why_not="this decoder gives no embedding"))
    assert panel.pair.words()["not made"] == "this decoder gives no embedding"
    assert not panel.save.isEnabled()
    panel.pair.grab()


def test_a_wish_that_failed_says_what_went_wrong(panel: PicturePanel) -> None:
    panel.set_sight(sight(made(picture=None, error="picture: out of memory")))
    assert panel.pair.words()["not made"] == "picture: out of memory"
    assert "out of memory" in panel.state.line


def test_the_picture_is_saved_as_it_was_generated(panel: PicturePanel, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("app.panels.picture_panel.QFileDialog.getSaveFileName", lambda *_: (str(tmp_path / "seen"), ""))
    panel.set_sight(sight(made()))
    panel.save.click()
    saved = QImage(str(tmp_path / "seen.png"))
    assert saved.width() == 64 and saved.pixelColor(3, 3).getRgb()[:3] == MADE
