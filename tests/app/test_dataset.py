import pytest

from app.cli import build_parser, main
from app.commands.dataset import dataset_from
from app.commands.simulate import config_from
from calibration.datasets.eeg3d import Eeg3d
from calibration.decoding.generate import DatasetConfig
from engines.errors import InputError


def options(*more):
    return build_parser().parse_args(["simulate", *more])


def test_what_is_asked_for_is_made():
    asked = options(
        "--dataset", "set", "--participants", "9-11,20", "--snr", "0.5", "--categories", "3", "--repeats", "2"
    )
    assert dataset_from(asked) == DatasetConfig((9, 10, 11, 20), snr=0.5, n_categories=3, repeats=2)
    assert dataset_from(options("--dataset", "set", "--participants", "9,9")) == DatasetConfig((9,))


@pytest.mark.parametrize("text", ["", "x", "9-", "11-9", "-3", "1,,2"])
def test_participants_are_seeds(text):
    with pytest.raises(InputError, match="9-13 or 9,11"):
        options("--dataset", "set", f"--participants={text}")


def test_a_data_set_needs_participants_and_participants_a_data_set():
    with pytest.raises(InputError, match="--participants"):
        dataset_from(options("--dataset", "set"))
    with pytest.raises(InputError, match="--dataset"):
        config_from(options("--participants", "9"))


@pytest.mark.parametrize(("name", "value"), [("protocol", "quick"), ("minutes", "1"), ("rate", "500"), ("seed", "1")])
def test_what_only_one_run_has_is_refused(name, value):
    with pytest.raises(InputError, match=f"--{name}"):
        dataset_from(options("--dataset", "set", "--participants", "9", f"--{name}", value))


def test_the_command_adds_participants_and_says_which(tmp_path, capsys):
    command = ["simulate", "--dataset", str(tmp_path / "set"), "--categories", "1", "--repeats", "24", "--participants"]
    assert main([*command, "4"]) == 0
    assert "1 participants added: sub04" in capsys.readouterr().out
    assert main([*command, "4"]) == 0
    assert "0 participants added" in capsys.readouterr().out
    assert Eeg3d(tmp_path / "set").subjects == ("sub04",)
