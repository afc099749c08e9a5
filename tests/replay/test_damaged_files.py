"""Truncated, lying and fuzzed files through the command line: warnings, or one clear line, never a traceback."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from tests.pipeline.xdf import xdf_bytes as xb
from tests.pipeline.xdf.test_fuzz import MUTATIONS

ROOT = Path(__file__).resolve().parents[2]
N_FILES = 200


def judge(status, said, out):
    """What every call must have ended in."""
    assert status in (0, 1, 2)
    assert "Traceback" not in said + out and "internal error" not in said
    if status:
        assert out == ""
        (line,) = said.splitlines()
        assert line.startswith("afterimage: ") and len(line) > len("afterimage: ") + 10
    else:
        json.loads(out)
    return status


def call(capsys, *arguments):
    capsys.readouterr()
    status = main([*map(str, arguments), "--json"])
    said = capsys.readouterr()
    return judge(status, said.err, said.out)


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_fuzzed_files_end_in_a_report_or_in_one_clear_line(tmp_path, capsys, mutation):
    whole = xb.session(n_seconds=12, rate=50)
    ends = []
    for seed in range(N_FILES // len(MUTATIONS)):
        path = tmp_path / f"{seed}.xdf"
        path.write_bytes(mutation(whole, np.random.default_rng([77, seed])))
        ends.append(call(capsys, "info", path))
        assert call(capsys, "replay", path, "--out", tmp_path / "out") == ends[-1]
        path.unlink()
    assert 0 in ends  # some damage leaves something to read
    if mutation.__name__ != "poison_text":
        assert ends.count(1) == 0


LYING = {
    "empty": b"",
    "magic only": b"XDF:",
    "no XDF": b"PK\x03\x04 this is a zip file, or says so" * 10,
    "text": "Zeit,Fz,Cz\n0.0,1,2\n".encode("utf-16"),
    "zeros": bytes(4096),
    "length of 2**63": b"XDF:" + b"\x08" + (2**63).to_bytes(8, "little") + b"\x01\x00",
}


@pytest.mark.parametrize("name", LYING)
@pytest.mark.parametrize("suffix", [".xdf", ".edf", ".bdf", ".fif", ".set", ".vhdr", ".gdf", ".xdf.gz", ".csv", ""])
def test_files_that_are_not_what_they_say_are_refused_in_one_line(tmp_path, capsys, name, suffix):
    path = tmp_path / f"lie{suffix}"
    path.write_bytes(LYING[name])
    for command in ("info", "replay"):
        assert call(capsys, command, path, "--out", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()


def test_a_packed_recording_that_was_cut_short_is_read_as_far_or_refused(tmp_path, capsys):
    path = tmp_path / "cut.xdf.gz"
    packed = gzip.compress(xb.session(n_seconds=12, rate=50))
    path.write_bytes(packed[: len(packed) // 2])
    assert call(capsys, "info", path) in (0, 2)


@pytest.mark.parametrize("name", ["S001R01_damaged.edf"])
def test_a_damaged_recording_of_another_format_is_read_or_refused(data, tmp_path, capsys, name):
    path = data / "eeg" / "eegmmidb64" / name
    assert call(capsys, "info", path) in (0, 2)
    assert call(capsys, "replay", path, "--out", tmp_path / "out") in (0, 2)


def test_folders_and_missing_files_are_refused_in_one_line(tmp_path, capsys):
    for command in ("info", "replay"):
        assert call(capsys, command, tmp_path) == 2
        assert call(capsys, command, tmp_path / "no.xdf") == 2


def test_a_file_that_may_not_be_read_is_refused_in_one_line(tmp_path, capsys):
    path = tmp_path / "secret.xdf"
    path.write_bytes(xb.session(n_seconds=2, rate=50))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    assert call(capsys, "info", path) == 2


def test_an_output_folder_that_cannot_be_is_one_line(tmp_path, capsys):
    path, taken = tmp_path / "a.xdf", tmp_path / "taken"
    path.write_bytes(xb.session(n_seconds=4, rate=50))
    taken.write_text("a file")
    assert call(capsys, "replay", path, "--out", taken) in (1, 2)


@pytest.mark.slow
def test_in_a_process_of_its_own_too_nothing_but_the_line_is_said(tmp_path):
    whole = xb.session(n_seconds=12, rate=50)
    for seed, mutation in enumerate(MUTATIONS):
        path = tmp_path / f"{seed}.xdf"
        path.write_bytes(mutation(whole, np.random.default_rng([78, seed])))
        command = [sys.executable, "-m", "app.cli", "info", str(path), "--json"]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        judge(ended.returncode, ended.stderr, ended.stdout)
