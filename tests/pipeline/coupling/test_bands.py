import pytest

from engines.errors import InputError
from pipeline.coupling.bands import CouplingBands, mains_within, widest_hz


@pytest.mark.parametrize(
    ("phase", "amplitude", "sfreq_hz", "said"),
    [
        ((4, 8), (30, 45), 250.0, ""),
        ((4, 8), (30, 45), 100.0, ""),
        ((4, 8), (30, 46), 100.0, "a band ends at 46 Hz; samples at 100 Hz carry 45 Hz"),
        ((4, 8), (80, 150), 250.0, "carry 112.5 Hz"),
        ((4, 13), (30, 45), 250.0, "needs a band 17 Hz wide; 30-45 Hz has 15 Hz in one piece"),
        ((4, 8), (42, 58), 250.0, "needs a band 12 Hz wide; 42-58 Hz has 6 Hz in one piece that the mains leave"),
        ((4, 8), (48.5, 51.5), 250.0, "0 Hz in one piece that the mains leave"),
        ((8, 13), (12, 40), 250.0, "overlap"),
        ((45, 55), (60, 200), 1000.0, "holds the mains"),
        ((13, 30), (80, 200), 1000.0, ""),
    ],
)
def test_a_pair_of_bands_is_refused_with_its_reason(
    phase: tuple[float, float], amplitude: tuple[float, float], sfreq_hz: float, said: str
) -> None:
    bands = CouplingBands(phase, amplitude)
    why = bands.why_not(sfreq_hz)
    assert said in why and bool(said) == bool(why)
    if why:
        with pytest.raises(InputError, match="choose other bands"):
            bands.require(sfreq_hz)
    else:
        bands.require(sfreq_hz)


def test_without_mains_the_whole_band_counts() -> None:
    assert CouplingBands((4, 8), (42, 58), mains_hz=None).why_not(250.0) == ""


@pytest.mark.parametrize("band", [(8.0, 4.0), (0.0, 4.0), (-1.0, 4.0), (4.0, 4.0), (4.0, float("nan"))])
def test_a_band_that_is_none_is_refused_at_once(band: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="goes up from above 0 Hz"):
        CouplingBands(phase_hz=band)


def test_the_mains_leave_pieces_around_every_harmonic() -> None:
    assert mains_within((30, 120), 50.0) == [(48.0, 52.0), (98.0, 102.0)]
    assert mains_within((30, 45), 50.0) == []
    assert widest_hz((30, 120), 50.0) == 46.0
    assert widest_hz((30, 49), 50.0) == 18.0
