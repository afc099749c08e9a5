"""What counts as the same stream come back."""

from dataclasses import replace

import pytest

from pipeline.sources.lsl_find import differences
from pipeline.types import Channel, StreamInfo

BEFORE = StreamInfo("amp", "EEG", 2, 250.0, channels=(Channel("Cz", unit="uV"), Channel("Pz", unit="uV")))


def test_an_equal_description_differs_in_nothing() -> None:
    assert differences(BEFORE, replace(BEFORE, stream_id="another uid", hostname="another host")) == []


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (replace(BEFORE, sfreq_hz=500.0), "rate in Hz: 250.0 before, 500.0 now"),
        (replace(BEFORE, dtype="int32"), "number type: float32 before, int32 now"),
        (replace(BEFORE, channels=BEFORE.channels[::-1]), "channel names: number 0 was Cz, is Pz"),
        (BEFORE.with_unit("V"), "channel units: number 0 was uV, is V"),
        (replace(BEFORE, n_channels=1, channels=BEFORE.channels[:1]), "number of channels: 2 before, 1 now"),
    ],
)
def test_what_the_pipeline_relies_on_is_told_when_it_differs(now: StreamInfo, told: str) -> None:
    assert differences(BEFORE, now) == [told]
