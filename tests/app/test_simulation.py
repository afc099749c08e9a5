from dataclasses import replace

import pytest

from app.simulation import performance_for
from calibration.decoding.subject import Known
from calibration.subjects import load
from tests.calibration.decoding.small_subject import kept

GALLERY = tuple(
    Known(key=f"{category}/{number:02d}", shown=shown)
    for category in ("car", "dog")
    for number, shown in ((6, "training"), (7, "selection"), (8, "validation"), (9, "never"))
)


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    found = load(kept(tmp_path_factory.mktemp("subject")))
    stream = found.manifest.stream.model_copy(update={"source_id": "afterimage-simulated-7"})
    return replace(found, manifest=found.manifest.model_copy(update={"gallery": GALLERY, "stream": stream}))


def labels(performance, kind):
    return {shown.label for shown in performance.shown if shown.label.startswith(kind)}


def test_a_subject_of_turning_objects_is_shown_those_that_did_not_teach_it_by_its_own_participant(subject):
    performance = performance_for(subject, None)
    assert performance.participant.seed == 7 and performance.run == 1
    assert labels(performance, "stim/") == {"stim/car/08", "stim/car/09", "stim/dog/08", "stim/dog/09"}
    assert {label.replace("turn/", "stim/") for label in labels(performance, "turn/")} == labels(performance, "stim/")


def test_a_seed_that_was_asked_for_is_another_person(subject):
    assert performance_for(subject, 2).participant.seed == 2


def test_without_a_subject_pictures_are_shown(subject):
    performance = performance_for(None, None)
    assert performance.participant.seed == 0 and labels(performance, "stim/") and not labels(performance, "turn/")
