from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from app.apart import LEAST_OTHERS, N_OTHERS, Asked, Memory, Whole, averaged, remembering
from app.depending import Depending
from app.mapping import NO_CONTROL, Alone, Mapped, Question, mapped
from calibration.dominance import CAVEATS, NOT_AVERAGED, OWN_PARTS, SEGMENTS
from calibration.objects.build import build
from calibration.objects.builtin import BuiltIn
from calibration.stimuli import Item
from engines.generators.config import GeneratorsConfig
from pipeline.reconstruction import Reconstruction
from tests.app.anytime import answer

WINDOW = np.zeros((2, 4))


def whole(n_others: int = LEAST_OTHERS) -> Whole:
    return Whole(np.ones(3), WINDOW, WINDOW, tuple(WINDOW + k for k in range(n_others)))


class Failing:
    """Makes no picture."""

    def picture(self, decision, nth=0) -> Reconstruction:
        raise AssertionError("nothing is to be made")


@pytest.fixture
def depending(qtbot) -> Iterator[Depending]:
    made = Depending(GeneratorsConfig())
    yield made
    made.close()


def test_the_windows_of_a_whole_trial_are_remembered_with_the_pictures_before_it() -> None:
    memory = Memory()
    decision = replace(answer(0, 0), embedding=np.ones(3))
    for k in range(N_OTHERS + 3):
        memory.keep(WINDOW + k, None, False, np.zeros(3))
    memory.keep(WINDOW + N_OTHERS + 2, WINDOW[:, :2], False, np.zeros(3))
    assert memory.of(decision) is None
    memory.keep(WINDOW + N_OTHERS + 2, WINDOW, True, decision.embedding)
    found = memory.of(decision)
    assert found is not None and found.static_uv[0, 0] == N_OTHERS + 2
    assert [other[0, 0] for other in found.others] == list(range(2, N_OTHERS + 2))
    assert found.before is None, "no turn before it was whole"


def test_the_control_is_the_last_trial_before_it_whose_turn_was_whole() -> None:
    memory = Memory()
    for k in range(3):
        memory.keep(WINDOW + k, None, False, np.zeros(3))
        if k != 1:
            memory.keep(WINDOW + k, WINDOW - k, True, embedding := np.full(3, k))
    found = memory.of(replace(answer(2, 0), embedding=embedding))
    assert found is not None and found.before is not None
    assert [window[0, 0] for window in found.before] == [0, 0]


def test_a_mean_of_embeddings_keeps_their_length_about_the_centre() -> None:
    centre = np.array([5.0, 5.0, 5.0])
    found = averaged(centre + np.array([[3.0, 0, 0], [0, 3.0, 0], [0, 0, 3.0]]), centre)
    assert (
        np.allclose(found - centre, 3 / np.sqrt(3)) and np.isfinite(averaged(np.stack([centre, centre]), centre)).all()
    )


def test_too_few_trials_before_it_and_a_subject_that_is_gone_are_said(depending: Depending, qtbot) -> None:
    decision = replace(answer(6, 0), embedding=np.ones(3))
    for asked, words in (
        (Asked(decision, whole(1), Failing(), lambda: None), "needs 3 other trials"),
        (Asked(decision, whole(), Failing(), lambda: None), "no longer there"),
    ):
        with qtbot.waitSignal(depending.mapped) as done:
            depending.ask(asked)
        found: Mapped = done.args[0]
        assert found.trial == 6 and words in found.error


def test_a_decoder_without_a_subject_is_none() -> None:
    assert remembering(None, Memory()) is None


class Brightness:
    """Sees how bright a picture is and nothing else."""

    name, pocket = "brightness", True

    def layers(self, pictures):
        return [np.stack([pictures.mean(axis=3), 255 - pictures.mean(axis=3)], axis=1).astype(np.float32)]


def test_a_map_tells_its_parts_how_it_was_made_and_what_it_does_not_say() -> None:
    fused = BuiltIn().picture(Item("chair", "08"))
    three = np.stack([fused, np.roll(fused, 3, axis=0), np.roll(fused, 3, axis=1)])
    asked = Question(2, three, Alone(three // 2, three), Alone(three, three // 3), "builtin", "chair/08", 5)
    found = mapped(asked, Brightness())
    assert {part.name for part in found.parts} <= {part.name for part in build("chair", 8).parts} and found.parts
    assert found.caveats == CAVEATS and found.trial == 2
    assert found.index is not None and found.spread is not None and found.control is not None
    assert all(part.index > 0 > (part.control or 0) and part.spread > 0 for part in found.parts)
    for words in ("3 seeds", "with another trial's EEG", "brightness (pocket model)", "5 other trials"):
        assert any(words in note for note in found.notes), words
    alone = mapped(replace(asked, other=None, stimuli="/a/folder"), Brightness())
    assert alone.parts == () and alone.control is None and NO_CONTROL in alone.notes
    assert OWN_PARTS in found.notes and NOT_AVERAGED in alone.notes


def test_of_an_object_without_known_parts_the_map_is_averaged_over_segments_of_the_reconstruction() -> None:
    class Halves:
        name = "halves"

        def segments(self, picture):
            numbers = np.full(picture.shape[:2], -1)
            numbers[20:, : picture.shape[1] // 2], numbers[20:, picture.shape[1] // 2 :] = 0, 1
            return numbers

    fused = BuiltIn().picture(Item("chair", "08"))
    three = np.stack([fused, np.roll(fused, 3, axis=0), np.roll(fused, 3, axis=1)])
    asked = Question(2, three, Alone(three // 2, three), stimuli="/a/folder", key="chair/08")
    found = mapped(asked, Brightness(), Halves)
    assert [part.name for part in found.parts] == ["segment 1", "segment 2"]
    assert SEGMENTS.format("halves") in found.notes
