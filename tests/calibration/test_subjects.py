import json
from dataclasses import replace

import numpy as np
import pytest

from calibration.calibrate import calibrate
from calibration.subjects import MANIFEST, WEIGHTS, Subject, load, save
from engines.errors import InputError
from pipeline.errors import StreamMismatch
from pipeline.preprocess import ChainConfig
from pipeline.types import StreamInfo
from tests.calibration.recorded import PATTERNS, recording, renamed
from tests.scripted import EEG


@pytest.fixture(scope="module")
def subject() -> Subject:
    return calibrate([recording(0)], PATTERNS, system="lda", n_permutations=19, participant="P07").subject


def epochs(subject: Subject):
    rng = np.random.default_rng(0)
    shape = subject.decoder.model.n_channels, subject.decoder.model.n_samples
    return rng.standard_normal((5, *shape)) * 10


def test_a_subject_answers_bit_for_bit_alike_after_a_round_trip(subject, tmp_path):
    with_arrays = replace(subject, frozen={"eog_weights": np.arange(6.0).reshape(3, 2)})
    save(with_arrays, tmp_path / "P07")
    again = load(tmp_path / "P07")
    for epoch in epochs(subject):
        assert np.array_equal(subject.decoder.probabilities(epoch), again.decoder.probabilities(epoch))
    assert np.array_equal(again.frozen["eog_weights"], with_arrays.frozen["eog_weights"])
    assert again.decoder.chain == subject.decoder.chain and again.decoder.epoch == subject.decoder.epoch
    assert again.patterns == {"face": ("stim/2",), "house": ("stim/1",)}
    assert again.manifest.participant == "P07" and not again.simulated
    assert again.manifest.validation == subject.manifest.validation
    assert sorted(p.name for p in (tmp_path / "P07").iterdir()) == [MANIFEST, WEIGHTS]


def test_a_subject_is_replaced_by_its_next_calibration(subject, tmp_path):
    save(subject, tmp_path)
    save(replace(subject, manifest=subject.manifest.model_copy(update={"participant": "next"})), tmp_path)
    assert load(tmp_path).manifest.participant == "next"


def test_a_folder_of_something_else_is_not_overwritten(subject, tmp_path):
    (tmp_path / MANIFEST).write_text('{"name": "an app"}')
    with pytest.raises(InputError, match="expected to be a subject"):
        save(subject, tmp_path)
    assert (tmp_path / MANIFEST).read_text() == '{"name": "an app"}'


def test_a_missing_subject_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError, match=r"holds no subject .*afterimage calibrate"):
        load(tmp_path / "nobody")


def test_changed_weights_are_noticed(subject, tmp_path):
    save(subject, tmp_path)
    content = bytearray((tmp_path / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (tmp_path / WEIGHTS).write_bytes(content)
    with pytest.raises(InputError, match="damaged or changed"):
        load(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    with pytest.raises(InputError, match="cannot read"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda m: m.update(schema_version=99), "version 1; got 99"),
        (lambda m: m.pop("classes"), "classes: Field required"),
        (lambda m: m.update(sfreq_hz="fast"), "sfreq_hz"),
        (lambda m: m.update(extra_field=1), "extra_field"),
        (lambda m: m["chain"].update(magic=1), "magic"),
        (lambda m: m["model"]["features"].update(kind="Pickle"), "'Pickle'"),
    ],
)
def test_a_damaged_manifest_names_what_is_wrong(subject, tmp_path, damage, message):
    save(subject, tmp_path)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    damage(manifest)
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=message):
        load(tmp_path)


def test_a_manifest_cut_short_is_called_damaged(subject, tmp_path):
    save(subject, tmp_path)
    (tmp_path / MANIFEST).write_text((tmp_path / MANIFEST).read_text()[:50])
    with pytest.raises(InputError, match="is damaged"):
        load(tmp_path)


def test_the_same_channels_in_another_order_and_case_fit(subject):
    subject.check(EEG)
    subject.check(renamed("OZ", "Pz", "cz", "Fz"))


def test_a_stream_that_differs_is_refused_with_everything_that_differs(subject):
    info = renamed("Fz", "Cz", "Pz", "O1", sfreq_hz=250.0)
    info = replace(info, channels=tuple(replace(c, unit=None) for c in info.channels))
    with pytest.raises(StreamMismatch) as refused:
        subject.check(info)
    said = str(refused.value)
    assert "rate 250 Hz, expected 100 Hz" in said
    assert "unit None" in said
    assert "channels missing: Oz" in said


def test_further_channels_matter_only_to_an_average_reference(subject):
    info: StreamInfo = renamed("Fz", "Cz", "Pz", "Oz", "O1")
    subject.check(info)
    averaged = replace(subject.decoder, chain=ChainConfig(high_hz=45.0, mains_hz=50.0, reference="average"))
    with pytest.raises(StreamMismatch, match="channels that were not there: O1"):
        replace(subject, decoder=averaged).check(info)
