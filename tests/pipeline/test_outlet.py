import pylsl
import pytest

from pipeline.outlet import lsl_info
from pipeline.stream_xml import parse_info
from pipeline.types import Channel, Kind, StreamInfo


def test_lsl_carries_the_same_description():
    info = StreamInfo(
        name="amp",
        type="EEG",
        n_channels=2,
        sfreq_hz=250.0,
        dtype="float32",
        source_id="amp-1",
        channels=(Channel("Oz", Kind.EEG, "microvolts", (0.0, -0.11, 0.01)), Channel("VEOG", Kind.EOG, "microvolts")),
        simulated=True,
    )
    outlet = pylsl.StreamOutlet(lsl_info(info))
    read = parse_info(outlet.get_info().as_xml())
    assert (read.name, read.source_id, read.sfreq_hz, read.dtype) == ("amp", "amp-1", 250.0, "float32")
    assert read.simulated and [c.name for c in read.channels] == ["Oz", "VEOG"]
    assert read.channels[0].position_m == pytest.approx((0.0, -0.11, 0.01))
    assert read.channels[1].kind is Kind.EOG


def test_a_stream_without_a_lasting_identity_is_refused():
    with pytest.raises(ValueError, match="source_id"):
        lsl_info(StreamInfo("amp", "EEG", 1, 250.0))
