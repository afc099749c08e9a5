from dataclasses import replace

import pytest

from calibration.comparing.judge import judge
from calibration.comparing.run import parts_of
from calibration.comparing.table import report_of
from calibration.decoding.evaluate import SINGLE, evaluate
from calibration.decoding.models import load_model, making_of, save_model
from calibration.decoding.read import from_eeg3d
from calibration.recipes.systems import systems
from engines.errors import InputError
from tests.calibration.decoding.folders import small_folder

TOP1 = "3-way top-1"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return small_folder(tmp_path_factory.mktemp("data") / "eeg3d", effect=0.2)


@pytest.fixture(scope="module")
def trials(data):
    return from_eeg3d(data, "sub01")


@pytest.fixture(scope="module")
def model(tmp_path_factory, trials):
    """A model of the picture alone, which the baseline is not."""
    return kept(tmp_path_factory.mktemp("model"), trials, parts_of(trials, "", 0))


def kept(folder, trials, parts):
    name = "ridge/static only"
    fitted = systems("pocket")[name].fit(parts.training, parts.selection, 4)
    save_model(folder, fitted, making_of(parts.training, parts.selection, system=name, size="pocket", seed=4, data="d"))
    return folder


@pytest.fixture(scope="module")
def judged(model, data):
    return judge(model, data, n_permutations=19)


def test_the_model_is_judged_on_unseen_objects_with_the_baseline_beside_it(judged, model, trials):
    parts = parts_of(trials, "", 0)
    own = evaluate(load_model(model), parts.selection, parts.test, n_permutations=19)
    found = {run.system: record.evaluation for run, record in judged.records.items()}
    assert list(judged.plan.systems) == ["ridge/static only", "ridge"]
    assert found["ridge/static only"].rows == own.rows
    assert found["ridge"].row(SINGLE, TOP1).n == len(parts.test)
    assert judged.warnings == ()


def test_its_report_has_the_chosen_system_first_and_says_it_is_one_participant(judged):
    report = report_of(judged.plan, judged.records, {})
    assert report["validation"][0]["system"] == "ridge/static only"
    assert {"ridge", "ridge/static only"} == {row["system"] for row in report["validation"]}
    assert any("one participant" in text for text in report["warnings"])


def test_another_participant_than_it_was_trained_on_is_said(model, data):
    judged = judge(model, data, "2", n_permutations=19)
    assert judged.plan.participants == ("sub02",)
    assert judged.warnings == ("trained on participant sub01, tested on sub02",)


def test_the_published_protocol_stands_beside_when_asked_for(model, data):
    judged = judge(model, data, as_published=True, n_permutations=19)
    assert "ridge/static only@published" in {run.system for run in judged.records}


def test_a_model_that_has_seen_the_test_objects_is_refused(tmp_path, trials, data):
    seen = kept(tmp_path, trials, parts_of(trials, "published", 0))
    with pytest.raises(InputError, match="selected on 08, 09"):
        judge(seen, data)


def test_a_model_of_other_trials_of_the_same_person_is_said(tmp_path, trials, data):
    parts = parts_of(trials, "", 0)
    fewer = replace(parts, training=parts.training.take(parts.training.block < 15))
    judged = judge(kept(tmp_path, trials, fewer), data, n_permutations=19)
    assert "other trials" in judged.warnings[0]


def test_data_that_a_model_does_not_fit_are_refused(model, tmp_path):
    other = small_folder(tmp_path / "other", ("sub01",), categories=4)
    with pytest.raises(InputError, match=r"3 categories .* 4"):
        judge(model, other)


def test_no_model_and_no_such_participant_are_refused(model, data, tmp_path):
    with pytest.raises(InputError, match="holds no trained model"):
        judge(tmp_path, data)
    with pytest.raises(InputError, match="expected participants among sub01, sub02; got 7"):
        judge(model, data, "7")
