import json

import pytest

from app.cli import main
from engines.parts import PARTS


@pytest.fixture(autouse=True)
def empty_home(tmp_path, monkeypatch):
    for name in ("HF_HUB_CACHE", "TORCH_HOME", "U2NET_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


def report(capsys, *words):
    assert main(["weights", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_list_names_every_part_with_its_terms_and_whether_it_is_here(capsys):
    parts = {row["name"]: row for row in report(capsys, "list")["parts"]}
    assert set(parts) == {one.name for one in PARTS}
    assert (parts["pocket-vision"]["here"], parts["sdxl-turbo"]["here"]) == (True, False)
    assert (parts["pocket-vision"]["size"], parts["sdxl-turbo"]["size"]) == ("3.8 MB", "7 GB in half precision")
    assert [len(known["sha256"]) for known in parts["pocket-vision"]["hashes"]] == [64]
    assert parts["sdxl-turbo"]["hashes"] == []
    assert "no commercial use" in parts["sdxl-turbo"]["restriction"]
    assert "huggingface.co" in parts["sdxl-turbo"]["how_to_get"]
    assert main(["weights", "list"]) == 0
    told = capsys.readouterr().out
    assert "absent  swav: the measure SwAV; CC BY-NC 4.0: no commercial use" in told
    assert "unused  shikra" in told
    assert "pocket.safetensors: SHA-256 " in told and "few MB" not in told


def test_where_prints_the_places_looked_at(capsys, tmp_path):
    assert main(["weights", "where", "git"]) == 0
    told = capsys.readouterr().out
    assert str(tmp_path / "hf_hub_cache" / "models--microsoft--git-large-coco") in told


def test_where_looks_where_the_configuration_says(capsys, tmp_path):
    (tmp_path / "mine.toml").write_text(f'[reconstruction]\ngit = "{(tmp_path / "git").as_posix()}"\n')
    parts = report(capsys, "where", "git", "--config", str(tmp_path / "mine.toml"))["parts"]
    assert parts[0]["looked"] == [str(tmp_path / "git")]


def test_check_ends_well_where_all_that_is_here_is_right(capsys):
    files = report(capsys, "check", "pocket-vision")["files"]
    assert [(row["part"], row["right"]) for row in files] == [("pocket-vision", True)]


def test_check_ends_with_status_1_where_a_file_is_damaged(capsys, tmp_path):
    cache = tmp_path / "torch_home" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    (cache / "alexnet-owt-7be5be79.pth").write_bytes(b"no AlexNet")
    assert main(["weights", "check", "alexnet"]) == 1
    said = capsys.readouterr()
    assert "DAMAGED  alexnet" in said.out and "fetch it again" in said.err


def test_a_part_that_is_unknown_is_an_error_of_the_call(capsys):
    assert main(["weights", "list", "dall-e"]) == 2
    assert "sdxl-turbo" in capsys.readouterr().err


def test_the_doctor_names_what_reconstructs_and_what_never_ran_with_real_weights(capsys, tmp_path):
    (tmp_path / "mine.toml").write_text(f'[reconstruction]\nadapter = "{(tmp_path / "mine.toml").as_posix()}"\n')
    main(["doctor", "--json", "--config", str(tmp_path / "mine.toml")])
    report = json.loads(capsys.readouterr().out)
    findings = {finding["part"]: finding for finding in report["findings"]}
    assert findings["weights sdxl-turbo"]["ok"] is None
    assert "huggingface.co" in findings["weights sdxl-turbo"]["text"]
    assert findings["weights ip-adapter"]["ok"] is True  # where the configuration says
    assert any("SDXL-Turbo" in text for text in report["never_run"])
