import pytest

from pipeline.units import microvolts_per


@pytest.mark.parametrize(
    "unit", ["uV", "\u00b5V", "\u03bcV", "uv", " uV ", "microvolt", "microvolts", "Microvolts", "MICROVOLTS"]
)
def test_every_spelling_of_microvolt_is_one(unit):
    assert microvolts_per(unit) == 1.0


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("V", 1e6),
        ("volts", 1e6),
        ("Volt", 1e6),
        ("mV", 1e3),
        ("millivolts", 1e3),
        ("mv", 1e3),
        ("nV", 1e-3),
        ("nanovolt", 1e-3),
        ("0", 1e6),
        ("-6", 1.0),
    ],
)
def test_larger_and_smaller_units_scale(unit, factor):
    assert microvolts_per(unit) == factor


@pytest.mark.parametrize("unit", [None, "", "  ", "MV", "counts", "g", "mmHg", "kOhm", "s", "n/a", "uV^2"])
def test_what_is_no_known_voltage_is_none(unit):
    assert microvolts_per(unit) is None
