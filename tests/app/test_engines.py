import json
import shutil
from pathlib import Path

import pytest

from app.cli import main
from tests.engines.runtime.test_check import tamper

ACTIONS = ("build", "check", "bench")


pytestmark = pytest.mark.usefixtures("no_tensorrt")


def reported(capsys: pytest.CaptureFixture[str]) -> dict:
    """The JSON on standard output, which holds nothing else."""
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_explains_itself(action, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["engines", action, "--help"])
    assert exit_.value.code == 0
    assert "--runtime" in capsys.readouterr().out


def test_check_says_which_runtimes_agree_and_what_to_install_for_the_others(exported, capsys):
    assert main(["engines", "check", str(exported.folder), "--json"]) == 0
    report = reported(capsys)
    assert (report["command"], report["network"], report["about"]) == (
        "engines check",
        "Small",
        {"trained on": "nothing"},
    )
    first, *others = report["runtimes"]
    assert (first["runtime"], first["refused"]) == ("onnx", "")
    assert {a["output"] for a in first["agreement"]} == {"embedding", "category"}
    absent = {other["runtime"]: other["absent"] for other in others}
    assert all("on a machine with an NVIDIA GPU" in absent[name] for name in ("tensorrt", "onnx-cuda"))
    assert "holds the graph alone" in absent["torch"]
    assert [text.split(":")[0] for text in report["never_run"]] == ["tensorrt", "onnx-cuda", "torch-cuda"]


def test_check_refuses_a_tampered_graph_with_its_numbers(copied, tmp_path, capsys):
    tamper(copied.folder, trust_again=True)
    assert main(["engines", "check", str(copied.folder), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert "REFUSED  onnx float32" in said.out
    assert "embedding:" in said.err
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert "against eager torch" in report["runtimes"][0]["refused"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert 'class="card verdict bad">onnx (onnxruntime' in page
    assert "largest difference" in page


def test_build_writes_the_half_precision_graph_and_checks_it(copied, capsys):
    assert main(["engines", "build", str(copied.folder), "--half", "--keep", "norm", "--json"]) == 0
    report = reported(capsys)
    assert {(r["runtime"], r["precision"]) for r in report["runtimes"] if not r["absent"]} == {
        ("onnx", "float32"),
        ("onnx", "float16"),
    }
    assert "norm" in report["graphs"]["float16"]["kept_float32"]
    assert (copied.folder / "model.float16.onnx").is_file()


def test_a_runtime_that_was_named_and_is_not_here_is_an_error_that_says_what_to_install(exported, capsys):
    assert main(["engines", "build", str(exported.folder), "--runtime", "tensorrt"]) == 2
    assert 'pip install -e ".[tensorrt]"' in capsys.readouterr().err


def test_bench_times_what_is_here(exported, capsys):
    assert main(["engines", "bench", str(exported.folder), "--calls", "5", "--json"]) == 0
    (timing,) = reported(capsys)["timings"]
    assert (timing["runtime"], timing["n"], timing["batch"]) == ("onnx", 5, 1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--keep", "norm"], "add --half"),
        (["--threads", "0"], "above 0"),
        (["--runtime", "tensorflow"], "tensorrt, onnx-cuda, onnx"),
    ],
)
def test_calls_that_make_no_sense_are_told_so(exported, capsys, arguments, told):
    assert main(["engines", "build", str(exported.folder), *arguments]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("action", ACTIONS)
def test_the_folder_of_a_subject_stands_for_the_network_in_it(exported, tmp_path, capsys, action):
    shutil.copytree(exported.folder, tmp_path / "subject" / "model")
    (tmp_path / "subject" / "manifest.json").write_text("{}")
    calls = ["--calls", "2"] if action == "bench" else []
    assert main(["engines", action, str(tmp_path / "subject"), "--json", *calls]) == 0
    assert reported(capsys)["network"] == "Small"


def test_a_trained_model_is_no_network_that_runs_and_says_how_to_get_one(tmp_path, capsys):
    (tmp_path / "model.json").write_text("{}")
    assert main(["engines", "check", str(tmp_path)]) == 2
    assert "afterimage calibrate FILE... --system" in capsys.readouterr().err


def test_a_folder_without_a_network_is_told_as_such(tmp_path: Path, capsys):
    assert main(["engines", "check", str(tmp_path)]) == 2
    assert "export one into it first" in capsys.readouterr().err


def test_the_doctor_names_the_runtimes_what_to_install_and_what_never_ran(capsys):
    assert main(["doctor", "--json"]) == 0
    report = reported(capsys)
    findings = {finding["part"]: finding for finding in report["findings"]}
    assert findings["runtime onnx"]["ok"] is True
    assert "it ran where Afterimage was made" in findings["runtime onnx"]["text"]
    for name in ("tensorrt", "onnx-cuda", "torch-cuda"):
        assert findings[f"runtime {name}"]["ok"] is None
        assert "it never ran where Afterimage was made" in findings[f"runtime {name}"]["text"]
    assert 'pip install -e ".[tensorrt]"' in findings["runtime tensorrt"]["text"]
    assert any("tensorrt, onnx-cuda, torch-cuda" in text for text in report["never_run"])
