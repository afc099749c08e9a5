import json

import pytest

from app.cli import main
from calibration.store import write_manifest
from tests.calibration.decoding.small_subject import manifest

REASON = "its trials were filtered forward and backward, which no live stream can be"


@pytest.mark.parametrize("call", [["live", "--source", "sim"], ["replay", __file__]])
def test_a_decoder_that_may_not_run_live_is_refused_in_one_line(call, tmp_path, capsys):
    subject, out = tmp_path / "P07", tmp_path / "out"
    subject.mkdir()
    write_manifest(subject, manifest(offline_reason=REASON))
    assert main([*call, "--subject", str(subject), "--out", str(out)]) == 2
    told = capsys.readouterr().err.strip()
    assert told == f"afterimage: {subject} may not decode live: {REASON}"
    assert not out.exists()


def test_so_is_a_trained_model_without_a_stream(tmp_path, capsys):
    (tmp_path / "model.json").write_text(json.dumps({"offline_reason": REASON}))
    assert main(["live", "--source", "sim", "--subject", str(tmp_path)]) == 2
    assert f"may not decode live: {REASON}; calibrate on recordings" in capsys.readouterr().err
