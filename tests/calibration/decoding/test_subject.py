import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from calibration.decoding.keep import keep
from calibration.decoding.restore import Restore, StagedRestore
from calibration.decoding.subject import GALLERY, MODEL, AnytimeSubjectDecoder, Gallery, Temperatures
from calibration.decoding.trials import TrialSet
from calibration.stimuli import Item
from calibration.store import MANIFEST
from calibration.subjects import Subject, load
from engines.errors import InputError
from engines.runtime.errors import Disagreement, NoRuntime
from pipeline.anytime import AnytimeDecoder
from pipeline.encode import standardised
from pipeline.errors import StreamMismatch
from tests.calibration.decoding.small_subject import (
    CATEGORIES,
    CHANNELS,
    EEG,
    FS,
    WINDOWS,
    fitted,
    gallery,
    kept,
    manifest,
)
from tests.engines.runtime import fake_tensorrt


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return kept(tmp_path_factory.mktemp("subject") / "P07")


@pytest.fixture(scope="module")
def subject(folder):
    return load(folder)


@pytest.fixture
def copied(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "P07")


def trial(seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((4, 250)) * 10, rng.standard_normal((4, WINDOWS.n_dynamic)) * 10


def as_trials(static_uv, dynamic_uv) -> TrialSet:
    none = np.zeros(1, dtype=np.int64)
    return TrialSet(
        participant="", static=standardised(static_uv)[None], dynamic=standardised(dynamic_uv)[None], item=none,
        items=(Item("up", "00"),), category=none, categories=CATEGORIES, colour=none, number=none, block=none,
        targets=np.zeros((1, 8), np.float32), encoder="made up", channels=CHANNELS,
    )  # fmt: skip


@pytest.mark.parametrize("n", [0, 70, 120, 240])
def test_a_subject_answers_as_its_training_did(subject, n):
    static_uv, dynamic_uv = trial()
    answer = subject.decoder.answer(static_uv, dynamic_uv[:, :n] if n else None)
    said = fitted().predict(as_trials(static_uv, dynamic_uv), n)
    np.testing.assert_allclose(answer.embedding, said.embedding[0], atol=2e-5)
    category, _ = subject.manifest.temperatures.of(n)
    expected = np.exp(said.category[0] / category) / np.exp(said.category[0] / category).sum()
    np.testing.assert_allclose(answer.probabilities, expected, atol=1e-5)
    assert answer.colour_probabilities.sum() == pytest.approx(1.0)


def test_a_subject_has_answered_silence_before_anybody_waits_for_an_answer(folder, monkeypatch):
    asked, answer = [], AnytimeSubjectDecoder.answer
    monkeypatch.setattr(
        AnytimeSubjectDecoder, "answer", lambda self, *parts: asked.append(parts) or answer(self, *parts)
    )
    opened = load(folder)
    ((static_uv, dynamic_uv),) = asked
    assert static_uv.shape == (4, opened.decoder.windows.static.n_samples(FS)) and not static_uv.any()
    assert dynamic_uv.shape == (4, WINDOWS.n_dynamic) and not dynamic_uv.any()


def test_the_same_trial_gets_the_same_bits(subject):
    static_uv, dynamic_uv = trial(3)
    first, second = (subject.decoder.answer(static_uv, dynamic_uv[:, :170]) for _ in range(2))
    assert np.array_equal(first.probabilities, second.probabilities)
    assert np.array_equal(first.embedding, second.embedding) and first.nearest == second.nearest


def test_only_the_embedding_is_lengthened_for_generators(subject, tmp_path):
    centre = gallery().centre
    stages = {
        0: Restore(np.zeros_like(centre), centre, 3.0, 0.25),
        WINDOWS.n_dynamic: Restore(np.ones_like(centre), centre, 2.0, 0.5),
    }
    keep(tmp_path / "P08", manifest(), fitted(), gallery(), restore=StagedRestore.of_stages(stages))
    lengthened = load(tmp_path / "P08")
    static_uv, dynamic_uv = trial()
    for dynamic, restore in ((None, stages[0]), (dynamic_uv, stages[WINDOWS.n_dynamic])):
        before = subject.decoder.answer(static_uv, dynamic)
        after = lengthened.decoder.answer(static_uv, dynamic)
        np.testing.assert_allclose(after.embedding, restore.apply(before.embedding), atol=1e-5)
        assert (before.certainty, after.certainty) == (1.0, restore.certainty)
        assert after.nearest == before.nearest
        assert (after.probabilities == before.probabilities).all()


def test_a_subject_is_an_anytime_decoder_and_knows_its_colours(subject):
    assert isinstance(subject.decoder, AnytimeDecoder)
    assert subject.decoder.classes == CATEGORIES and subject.decoder.windows == WINDOWS
    assert subject.patterns == {"up": ("stim/up/*",), "down": ("stim/down/*",)}
    assert subject.colour_of("stim/down/01") == 4
    assert subject.colour_of("stim/down/99") is None and subject.colour_of("blank") is None


def test_nearest_pictures_are_those_in_the_same_direction_from_the_centre():
    known = gallery()
    there = known.centre + 3.0 * (known.raw[4] - known.centre)
    found = known.nearest(there.astype(np.float64), n=3)
    assert found[0].key == known.keys[4] and found[0].similarity == pytest.approx(1.0, abs=1e-6)
    directions = known.raw - known.centre
    cosines = directions @ (there - known.centre) / np.linalg.norm(directions, axis=1)
    cosines /= np.linalg.norm(there - known.centre)
    assert [n.key for n in found] == [known.keys[i] for i in np.argsort(-cosines)[:3]]
    assert Gallery(("a",), known.raw[:1], known.raw[0]).nearest(there.astype(np.float64))[0].similarity == 0.0


def test_temperatures_between_two_steps_are_interpolated():
    softened = Temperatures(n_dynamic=(0, 100), category=(2.0, 1.0), colour=(1.0, 3.0))
    assert softened.of(0) == (2.0, 1.0) and softened.of(25) == (1.75, 1.5) and softened.of(400) == (1.0, 3.0)


def test_a_stream_that_differs_is_refused_with_what_differs(subject):
    subject.check(EEG)
    with pytest.raises(StreamMismatch, match="rate 500 Hz, expected 250 Hz"):
        subject.check(replace(EEG, sfreq_hz=2 * FS))


def test_a_changed_gallery_is_noticed(copied):
    path = copied / GALLERY
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(InputError, match="damaged or changed"):
        load(copied)


def test_another_network_is_noticed_although_its_own_description_fits(copied):
    described = json.loads((copied / MODEL / "spec.json").read_text())
    described["graphs"]["float32"]["sha256"] = "0" * 64
    (copied / MODEL / "spec.json").write_text(json.dumps(described))
    with pytest.raises(InputError, match=r"not the network that manifest\.json describes"):
        load(copied)


def test_without_a_runtime_the_message_tells_what_was_tried(folder):
    with pytest.raises(NoRuntime, match="torch-cuda"):
        load(folder, ["torch-cuda"])


def test_a_model_that_may_not_run_live_says_why(copied):
    values = json.loads((copied / MANIFEST).read_text()) | {
        "offline_reason": "its epochs were filtered forward and back"
    }
    (copied / MANIFEST).write_text(json.dumps(values))
    with pytest.raises(InputError, match=r"may not decode live: its epochs were filtered forward and back"):
        load(copied)


def test_a_trained_model_without_a_stream_is_no_subject(tmp_path):
    (tmp_path / "model.json").write_text(json.dumps({"offline_reason": "EEG-3D is filtered forward and back"}))
    with pytest.raises(InputError, match=r"EEG-3D is filtered forward and back; calibrate on recordings"):
        load(tmp_path)


def test_a_folder_of_something_else_is_not_overwritten(tmp_path):
    (tmp_path / MANIFEST).write_text('{"name": "an app"}')
    with pytest.raises(InputError, match="expected to be a subject"):
        kept(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [MANIFEST]


@pytest.mark.slow
def test_a_subject_takes_the_place_of_one_of_another_kind(copied):
    values = json.loads((copied / MANIFEST).read_text()) | {"kind": "afterimage-subject"}
    (copied / MANIFEST).write_text(json.dumps(values))
    kept(copied, participant="next")
    assert not isinstance(load(copied), Subject) and load(copied).manifest.participant == "next"


def test_what_runs_it_was_chosen_in_order_and_can_be_shown(folder, no_tensorrt):
    chosen = load(folder, ["tensorrt", "onnx"], threads=2)
    assert chosen.runtime.device == "CPU, 2 threads"
    assert chosen.decoder.choice.name == "onnx"
    assert "TensorRT is not installed" in chosen.decoder.choice.passed_over["tensorrt"]


def test_nobody_decodes_with_an_engine_that_gives_other_numbers(folder, tensorrt):
    assert load(folder, ["tensorrt", "onnx"]).decoder.choice.name == "tensorrt"
    fake_tensorrt.faults.add("numbers")
    with pytest.raises(Disagreement, match=r"0\.01 of the largest.*allow another runtime"):
        load(folder, ["tensorrt", "onnx"])
    assert list(tensorrt.glob("*.engine")) == []
