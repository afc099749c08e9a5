import shutil
from dataclasses import replace

import psutil
import pytest

from calibration.comparing.plan import SYSTEMS, Plan, carry_out, participant_digest, plan
from calibration.comparing.run import Run
from engines.errors import InputError
from tests.calibration.decoding.folders import small_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_folder(tmp_path_factory.mktemp("data") / "eeg3d")


@pytest.fixture
def wanted(folder, tmp_path) -> Plan:
    return plan(folder, tmp_path, systems=("ridge",), n_permutations=19)


def test_everything_named_is_checked_before_anything_is_trained(folder, tmp_path):
    for named, said in [
        ({"participants": ("sub07",)}, "expected participants among sub01, sub02; got sub07"),
        ({"systems": ("brainssd", "brain")}, "expected a system among brainssd"),
        ({"seeds": ()}, "one seed or more"),
        ({"size": "huge"}, "size"),
        ({"encoder": "eyes"}, "expected embeddings of one of auto"),
    ]:
        with pytest.raises(InputError, match=said):
            plan(folder, tmp_path, **named)


def test_seeds_come_outermost_and_the_baseline_first(folder, tmp_path):
    orders = plan(folder, tmp_path, ("2", "sub01"), ("enigma", "neuro3d"), (0, 3)).orders
    assert [(o.run.system, o.run.participant) for o in orders[:3]] == [
        ("ridge", "sub02"), ("ridge", "sub01"), ("enigma", "sub02"),
    ]  # fmt: skip
    assert [o.run.seed for o in orders] == [0] * 6 + [3] * 6


def test_without_names_everybody_and_the_usual_systems_take_part(folder, tmp_path):
    everything = plan(folder, tmp_path)
    assert everything.participants == ("sub01", "sub02")
    assert everything.systems[:2] == ("brainssd", "ridge")


def test_of_the_published_data_one_call_makes_the_papers_table_and_its_counterpart(folder, tmp_path):
    published = tmp_path / "published"
    shutil.copytree(folder, published)
    (published / "origin.json").unlink()
    everything = plan(published, tmp_path)
    assert everything.origin == "EEG-3D" and everything.size == "full"
    for system in ("brainssd", "neuro3d", "enigma", "ridge"):
        assert {system, f"{system}@published"} <= set(everything.systems)
    assert set(SYSTEMS) < set(everything.systems)
    assert plan(published, tmp_path, systems=("neuro3d",), size="pocket").systems == ("neuro3d", "ridge")


def test_the_published_protocol_can_be_asked_for_of_any_data(folder, tmp_path):
    asked = plan(folder, tmp_path, systems=("neuro3d", "brainssd/static only", "ridge@eyes"), as_published=True)
    assert asked.systems == (
        "neuro3d", "neuro3d@published", "brainssd/static only", "ridge@eyes", "ridge", "ridge@published",
    )  # fmt: skip
    assert asked.size == "pocket"
    nearest = "neuro3d/published contrastive"
    assert f"{nearest}@published" in plan(folder, tmp_path, systems=(nearest,), as_published=True).systems


def test_the_data_are_told_by_what_they_are(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    assert participant_digest(copy, "sub01") == participant_digest(folder, "sub01")
    assert participant_digest(folder, "sub02") != participant_digest(folder, "sub01")
    assert participant_digest(folder, "sub01", "pocket") != participant_digest(folder, "sub01")
    names = copy / "EEGdata" / "sub01" / "name_label.npy"
    names.write_bytes(names.read_bytes()[::-1])
    assert participant_digest(copy, "sub01") != participant_digest(folder, "sub01")


@pytest.mark.slow
def test_runs_are_done_once_and_go_on_where_they_ended(wanted):
    heard = []
    carry_out(wanted.orders, 2, heard.append)
    assert sorted(one.order.run.participant for one in heard) == ["sub01", "sub02"]
    assert all(one.record is not None and not one.reason for one in heard)
    assert wanted.records().keys() == {Run("ridge", "sub01", 0), Run("ridge", "sub02", 0)}
    more = replace(wanted, seeds=(0, 1))
    assert [o.run.seed for o in more.orders if o.run not in more.records()] == [1, 1]


@pytest.mark.slow
def test_a_run_that_fails_or_is_killed_is_told_and_the_others_go_on(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    wanted = plan(copy, tmp_path, systems=("ridge",), seeds=(0, 1), n_permutations=19)
    (copy / "EEGdata" / "sub01" / "process_data_6s_100Hz.npy").write_bytes(b"no array")
    heard, killed = {}, []

    def kill_the_second_participant_once() -> bool:
        for child in psutil.Process().children():
            if not killed and "sub01" in heard and "spawn_main" in " ".join(child.cmdline()):
                killed.append(child.pid)
                child.kill()
        return False

    def told(outcome):
        heard.setdefault(outcome.order.run.participant, []).append(outcome)

    carry_out(wanted.orders, 1, told, kill_the_second_participant_once)
    assert [one.record for one in heard["sub01"]] == [None, None]
    assert "process_data_6s_100Hz.npy" in heard["sub01"][0].reason
    assert "Traceback" in heard["sub01"][0].order.traceback_path.read_text()
    first, second = heard["sub02"]
    assert first.record is None and "ended with status -9" in first.reason
    assert second.record is not None


@pytest.mark.slow
def test_a_comparison_that_is_stopped_leaves_no_process_and_no_half_of_a_file(wanted):
    asked = iter([False, True])
    carry_out(wanted.orders, 1, lambda outcome: None, lambda: next(asked))
    assert wanted.records() == {}
    assert not list(wanted.folder.rglob("*.json"))
