from dataclasses import replace

import pytest

from pipeline.errors import FileUnreadable
from pipeline.stream_xml import HEADER_WARNING, SIMULATED_MANUFACTURER, info_xml, parse_info
from pipeline.types import OFFLINE_REASON, Channel, Kind, StreamInfo

CORE = (
    "<name>amp</name><type>EEG</type><channel_count>{n}</channel_count><nominal_srate>250</nominal_srate>"
    "<channel_format>float32</channel_format><source_id> abc </source_id><hostname>lab</hostname><uid>u-1</uid>"
)


def xml(n=2, desc="", core=CORE):
    return f"<?xml version='1.0'?><info>{core.format(n=n)}<desc>{desc}</desc></info>"


def channels(*inner):
    return "<channels>" + "".join(f"<channel>{text}</channel>" for text in inner) + "</channels>"


def test_what_is_written_reads_back_the_same():
    info = StreamInfo(
        name="Kopf & <Hut>",
        type="EEG",
        n_channels=3,
        sfreq_hz=512.5,
        dtype="float64",
        source_id="s",
        stream_id="",
        channels=(
            Channel("Cz", Kind.EEG, "microvolts", (0.0, 0.01, 0.09)),
            Channel("left eye", Kind.EOG, "\u00b5V"),
            Channel("trigger", Kind.STIM, None),
        ),
        hostname="h",
        manufacturer="m",
        simulated=True,
        extra={"model": "x", "serial_number": "7", "session_id": "d"},
    )
    assert parse_info(info_xml(info)) == info


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "float32", "float64", "string"])
def test_every_type_survives(dtype):
    kind = Kind.MISC if dtype == "string" else Kind.EEG
    info = StreamInfo("a", "EEG", 1, 0.0, dtype, channels=(Channel("ch1", kind),))
    assert parse_info(info_xml(info)) == info


def test_characters_that_xml_cannot_hold_are_left_out():
    info = StreamInfo("a\x00b\x1b", "EEG", 1, 100.0)
    assert parse_info(info_xml(info)).name == "ab"


def test_the_header_fields_are_read_and_stripped():
    info = parse_info(xml())
    assert (info.name, info.type, info.n_channels, info.sfreq_hz) == ("amp", "EEG", 2, 250.0)
    assert (info.source_id, info.hostname, info.stream_id, info.dtype) == ("abc", "lab", "u-1", "float32")


def test_labels_units_and_kinds_come_from_the_description():
    desc = channels("<label> Fc5. </label><unit>microvolts</unit><type>eeg</type>", "<label>x</label><type>ECG</type>")
    first, second = parse_info(xml(2, desc)).channels
    assert first == Channel("Fc5.", Kind.EEG, "microvolts")
    assert (second.kind, second.unit) == (Kind.ECG, None)


def test_a_trigger_channel_that_is_declared_eeg_is_known_by_its_label():
    desc = channels("<label>F4</label><type>EEG</type>", "<label>TRG</label><type>EEG</type>")
    assert [c.kind for c in parse_info(xml(2, desc)).channels] == [Kind.EEG, Kind.STIM]


def test_missing_labels_are_numbered():
    assert [c.name for c in parse_info(xml(3)).channels] == ["ch1", "ch2", "ch3"]
    assert HEADER_WARNING not in parse_info(xml(3)).extra


@pytest.mark.parametrize(("n", "names"), [(3, ["A1", "A2", "ch3"]), (1, ["A1"])])
def test_labels_that_disagree_with_the_channel_count_are_padded_or_cut_and_told(n, names):
    info = parse_info(xml(n, channels("<label>A1</label>", "<label>A2</label>")))
    assert [c.name for c in info.channels] == names
    assert "describes 2 channels" in info.extra[HEADER_WARNING]


@pytest.mark.parametrize(
    ("xyz", "expected"),
    [((0, 10, 90), (0.0, 0.01, 0.09)), ((0, 0.01, 0.09), (0.0, 0.01, 0.09)), ((0, 0, 0), None), ((0, 0, 1), None)],
)
def test_positions_in_millimetres_or_metres_become_metres_and_others_none(xyz, expected):
    place = "".join(f"<{a}>{v}</{a}>" for a, v in zip("XYZ", xyz, strict=True))
    got = parse_info(xml(1, channels(f"<label>Cz</label><location>{place}</location>"))).channels[0].position_m
    assert got == (None if expected is None else pytest.approx(expected))


def test_a_simulated_participant_is_known_by_its_flag_or_its_manufacturer():
    assert parse_info(xml(desc="<acquisition><simulated>true</simulated></acquisition>")).simulated
    maker = f"<acquisition><manufacturer>{SIMULATED_MANUFACTURER}</manufacturer></acquisition>"
    assert parse_info(xml(desc=maker)).simulated
    assert not parse_info(xml(desc="<acquisition><manufacturer>g.tec</manufacturer></acquisition>")).simulated


def test_why_a_stream_is_for_offline_use_alone_travels_with_it():
    told = parse_info(info_xml(replace(parse_info(xml()), extra={OFFLINE_REASON: "filtered backwards"})))
    assert told.offline_reason == "filtered backwards"
    assert parse_info(xml()).offline_reason == ""


@pytest.mark.parametrize("rate", ["-5", "fast", "nan", "inf", ""])
def test_a_rate_that_is_none_makes_the_stream_irregular_and_is_told(rate):
    info = parse_info(xml(core=CORE.replace("250", rate)))
    assert info.sfreq_hz == 0.0
    assert "nominal_srate" in info.extra[HEADER_WARNING]


@pytest.mark.parametrize("count", ["", "0", "-3", "many", "99999999999", "70000"])
def test_a_channel_count_that_cannot_be_is_refused(count):
    with pytest.raises(FileUnreadable, match="channel_count"):
        parse_info(xml(count))


def test_an_unknown_format_is_refused():
    with pytest.raises(FileUnreadable, match="complex64"):
        parse_info(xml(core=CORE.replace("float32", "complex64")))


@pytest.mark.parametrize("cut", [-5, -40, -100])
def test_a_cut_header_is_read_as_far_as_it_goes(cut):
    text = xml(2, channels("<label>Cz</label>", "<label>Pz</label>"))[:cut]
    info = parse_info(text)
    assert (info.name, info.n_channels, len(info.channels)) == ("amp", 2, 2)
    assert "not well-formed" in info.extra[HEADER_WARNING]


def test_an_entity_bomb_is_not_expanded():
    bomb = "<!DOCTYPE info [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
        f"<!ENTITY {chr(98 + k)} '{f'&{chr(97 + k)};' * 10}'>" for k in range(9)
    )
    info = parse_info(bomb + "]><info>" + CORE.format(n=1).replace("amp", "&j;") + "</info>")
    assert len(info.name) < 100
