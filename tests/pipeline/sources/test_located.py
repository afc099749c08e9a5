import pytest

from engines.errors import InputError
from pipeline.sources.located import LocatedSource
from tests.scripted import EEG, ScriptedSource

PLACES = {name: (0.0, i / 100, 0.1) for i, name in enumerate(("fz", "CZ", "Pz", "Oz", "Nz"))}


def test_every_eeg_channel_stands_where_the_file_says() -> None:
    source = LocatedSource(ScriptedSource(EEG, []), PLACES)
    source.open()
    assert [c.position_m for c in source.info.channels] == [(0.0, i / 100, 0.1) for i in range(4)]


def test_a_file_that_lacks_an_electrode_is_refused_with_its_name() -> None:
    inner = ScriptedSource(EEG, [])
    source = LocatedSource(inner, {k: v for k, v in PLACES.items() if k != "Oz"})
    with pytest.raises(InputError, match="no place for Oz"):
        source.open()
    assert inner.closed
