from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from app.depending import LEAST_OTHERS, N_OTHERS, Asked, Depending, Memory, Whole, remembering
from app.mapping import Mapped, Question, mapped
from calibration.dominance import CAVEATS
from calibration.objects.build import build
from calibration.objects.builtin import BuiltIn
from calibration.stimuli import Item
from pipeline.reconstruction import Reconstruction
from tests.app.anytime import answer

WINDOW = np.zeros((2, 4))


def whole(n_others: int = LEAST_OTHERS) -> Whole:
    return Whole(np.ones(3), WINDOW, WINDOW, tuple(WINDOW + k for k in range(n_others)))


class Failing:
    """Makes no picture."""

    def make(self, decision) -> Reconstruction:
        raise AssertionError("nothing is to be made")


@pytest.fixture
def depending(qtbot) -> Iterator[Depending]:
    made = Depending()
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


def test_too_few_trials_before_it_and_a_subject_that_is_gone_are_said(depending: Depending, qtbot) -> None:
    decision = replace(answer(6, 0), embedding=np.ones(3))
    for asked, words in (
        (Asked(decision, whole(1), Failing(), lambda: None), "needs 3 earlier trials"),
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
    dark = fused // 2
    found = mapped(Question(2, fused, dark, fused, "builtin", "chair/08", 5), Brightness())
    assert {name for name, _ in found.parts} <= {part.name for part in build("chair", 8).parts} and found.parts
    assert found.caveats == CAVEATS and found.trial == 2 and found.index is not None
    assert "brightness (pocket model)" in found.notes[0] and any("5 earlier trials" in note for note in found.notes)
    assert mapped(Question(2, fused, dark, fused, "/a/folder", "chair/08"), Brightness()).parts == ()
