"""The `[coupling]` and `[reconstruction]` sections: what of them reaches the workers."""

from pathlib import Path

import pytest

from app.config import Config, load, save
from engines.errors import InputError
from engines.generators.config import GeneratorsConfig
from pipeline.coupling.values import CouplingConfig


def written(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "afterimage.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def test_the_window_has_coupling_and_other_commands_have_it_when_asked(tmp_path: Path) -> None:
    assert Config().live_coupling(by_default=True) == CouplingConfig()
    assert Config().live_coupling(by_default=False) is None
    assert written(tmp_path, "[coupling]\nrun = true").live_coupling(by_default=False) == CouplingConfig()
    assert written(tmp_path, "[coupling]\nrun = false").live_coupling(by_default=True) is None


def test_keys_are_laid_over_the_defaults_and_the_mains_are_those_of_the_chain(tmp_path: Path) -> None:
    text = """
    [coupling]
    phase_hz = [8, 13]
    amplitude_hz = [62.0, 98.0]
    window_s = 3.0
    n_surrogates = 0
    [chain]
    mains_hz = 60
    """
    made = written(tmp_path, text).live_coupling(by_default=True)
    assert (made.bands.phase_hz, made.bands.amplitude_hz, made.bands.mains_hz) == ((8.0, 13.0), (62.0, 98.0), 60)
    assert (made.window_s, made.n_surrogates, made.updates_hz) == (3.0, 0, CouplingConfig().updates_hz)
    without = written(tmp_path, "[chain]\nmains_hz = 0").live_coupling(by_default=True)
    assert without.bands.mains_hz is None


@pytest.mark.parametrize("line", ["phase_hz = [8, 4]", "phase_hz = [0, 4]", "window_s = -1", "windows = 3"])
def test_what_makes_no_map_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError):
        written(tmp_path, f"[coupling]\n{line}").live_coupling(by_default=True)


def test_the_runtimes_of_networks_are_a_list_in_order(tmp_path: Path) -> None:
    decoding = written(tmp_path, '[decoding]\nruntimes = ["onnx", "torch"]\nthreads = 2').decoding
    assert (decoding.runtimes, decoding.threads) == (("onnx", "torch"), 2)
    assert Config().decoding.runtimes[0] == "tensorrt"


@pytest.mark.parametrize("line", ["runtimes = []", "threads = 0"])
def test_decoding_without_any_runtime_or_thread_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError):
        written(tmp_path, f"[decoding]\n{line}")


def test_the_generators_of_the_configuration_are_those_there_are() -> None:
    assert Config().reconstruction.generators() == GeneratorsConfig()


def test_folders_of_weights_survive_the_resolved_copy(tmp_path: Path) -> None:
    given = tmp_path / "given.toml"
    given.write_text(
        '[reconstruction]\nsdxl_turbo = "weights/sdxl"\nshapes = []\nskip_cosine = 0.9\nvgg19 = "vgg.pth"\n'
    )
    config = load(given)
    assert config.reconstruction.generators().sdxl_turbo == Path("weights/sdxl")
    assert config.reconstruction.generators().vgg19 == Path("vgg.pth")
    save(config, tmp_path, {})
    assert load(tmp_path / "config.toml") == config
