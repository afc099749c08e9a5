"""What may stand after --source and --markers."""

from pathlib import Path
from unittest.mock import sentinel

import pytest

from engines.errors import InputError
from pipeline.sources.brainflow import BrainFlowSource
from pipeline.sources.lsl import LslSource
from pipeline.sources.mne_file import MneSource
from pipeline.sources.select import open_source, selector
from pipeline.sources.xdf import XdfSource


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("lsl:name=EEG,hostname=lab-pc", {"name": "EEG", "hostname": "lab-pc"}),
        ("name=stim,type=Markers", {"name": "stim", "type": "Markers"}),
        ("lsl:source_id=a,b,type=EEG", {"source_id": "a,b", "type": "EEG"}),
        ("id=3", {"id": "3"}),
        ("UnityMarkerStream", {"name": "UnityMarkerStream"}),
        ("lsl:g.USBamp, rack 2", {"name": "g.USBamp, rack 2"}),
    ],
)
def test_a_stream_is_named_by_keys_or_by_its_bare_name(text: str, meant: dict[str, str]) -> None:
    assert selector(text) == meant


@pytest.mark.parametrize("text", ["lsl:", "", "colour=red", "name=", "name=a,name=b"])
def test_a_selector_that_means_nothing_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match="write"):
        selector(text)


def test_each_text_makes_its_source(tmp_path: Path) -> None:
    for name in ("a.xdf", "a.edf"):
        (tmp_path / name).touch()
    assert isinstance(open_source("lsl:name=EEG", ["stim"]), LslSource)
    assert isinstance(open_source("brainflow:SYNTHETIC_BOARD"), BrainFlowSource)
    assert isinstance(open_source(str(tmp_path / "a.xdf"), ["id=3"], stream="id=2"), XdfSource)
    assert isinstance(open_source(str(tmp_path / "a.edf"), ["annotations"]), MneSource)
    assert open_source("sim", simulated=lambda: sentinel.participant) is sentinel.participant


@pytest.mark.parametrize(
    ("source", "markers", "told"),
    [
        ("no-such-file.xdf", None, "neither a file nor a source"),
        ("brainflow:SYNTHETIC_BOARD?serial_port", None, "KEY=VALUE&KEY=VALUE"),
        ("brainflow:SYNTHETIC_BOARD", ["stim"], "marker row"),
        ("sim", ["stim"], "own markers"),
        ("sim", None, "cannot be used here"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_an_example(source: str, markers: list[str] | None, told: str) -> None:
    with pytest.raises(InputError, match=told) as raised:
        open_source(source, markers)
    assert "write" in str(raised.value)
