"""Which pairs of bands say anything at all; whatever does not is refused with the reason.

- A band ends at 0.45 times the sampling rate: above that nothing is left of the amplifier's own filter.
- The mains and their harmonics are left out, 2 Hz on both sides: their amplitude is not the brain's.
- The amplitude band is at least twice as wide as the phase frequency, in one piece: an amplitude that goes up and down
  f times a second is a carrier with sidebands f above and below it, and a filter that cuts the sidebands off leaves a
  constant amplitude (Dvorak & Fenton 2014, J Neurosci Methods 225:42; Aru et al. 2015, Curr Opin Neurobiol 31:51).
- The bands do not overlap: the phase of a band would be that of the amplitude's own carrier.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engines.errors import InputError

# Edges end here, as a fraction of the sampling rate.
BAND_LIMIT = 0.45
MAINS_MARGIN_HZ = 2.0

Band = tuple[float, float]


@dataclass(frozen=True)
class CouplingBands:
    """The phase of one band with the amplitude of another; `mains_hz` None where there are none.

    Raises:
        InputError: an edge is no positive number, or a band does not go up.
    """

    phase_hz: Band = (4.0, 8.0)
    amplitude_hz: Band = (30.0, 45.0)
    mains_hz: float | None = 50.0

    def __post_init__(self) -> None:
        for name, (low, high) in (("phase", self.phase_hz), ("amplitude", self.amplitude_hz)):
            if not 0 < low < high < float("inf"):
                raise InputError(
                    f"expected a {name} band that goes up from above 0 Hz, such as 4-8; got {low:g}-{high:g}"
                )

    @property
    def phase_centre_hz(self) -> float:
        """The frequency that the amplitude must be able to follow."""
        return sum(self.phase_hz) / 2

    @property
    def carried_hz(self) -> float:
        """The fastest rhythm that the amplitude band can follow: half its widest piece free of mains."""
        return widest_hz(self.amplitude_hz, self.mains_hz) / 2

    def why_not(self, sfreq_hz: float) -> str:
        """Why nothing can be said with these bands at this rate; "" when it can. For a greyed cell or panel."""
        limit_hz = BAND_LIMIT * sfreq_hz
        slow, fast = _told(self.phase_hz), _told(self.amplitude_hz)
        top_hz = max(self.amplitude_hz[1], self.phase_hz[1])
        if top_hz > limit_hz:
            return (
                f"a band ends at {top_hz:g} Hz; samples at {sfreq_hz:g} Hz carry {limit_hz:g} Hz ({BAND_LIMIT} of it)"
            )
        if self.amplitude_hz[0] < self.phase_hz[1]:
            return f"phase {slow} and amplitude {fast} overlap"
        if mains_within(self.phase_hz, self.mains_hz):
            return f"the phase band {slow} holds the mains at {self.mains_hz:g} Hz"
        if self.carried_hz < self.phase_centre_hz:
            mains = " that the mains leave" if mains_within(self.amplitude_hz, self.mains_hz) else ""
            return (
                f"an amplitude that follows {self.phase_centre_hz:g} Hz needs a band {2 * self.phase_centre_hz:g} Hz "
                f"wide; {fast} has {2 * self.carried_hz:g} Hz in one piece{mains}"
            )
        return ""

    def require(self, sfreq_hz: float) -> None:
        """Raise where `why_not` has a reason.

        Raises:
            InputError: with that reason, and what to do.
        """
        if why := self.why_not(sfreq_hz):
            raise InputError(f"{why}; choose other bands with --phase and --amplitude")


def mains_within(band: Band, mains_hz: float | None) -> list[Band]:
    """The stretches of mains, fundamental and harmonics with their margin, that touch the band."""
    if mains_hz is None:
        return []
    low_hz, high_hz = band
    harmonics = np.arange(1, int((high_hz + MAINS_MARGIN_HZ) // mains_hz) + 1) * mains_hz
    return [(f - MAINS_MARGIN_HZ, f + MAINS_MARGIN_HZ) for f in harmonics.tolist() if f + MAINS_MARGIN_HZ > low_hz]


def widest_hz(band: Band, mains_hz: float | None) -> float:
    """Width of the widest piece of a band that the mains leave."""
    return max((high - low for low, high in _pieces(band, mains_hz)), default=0.0)


def _pieces(band: Band, mains_hz: float | None) -> Iterator[Band]:
    low_hz, high_hz = band
    for mains_low_hz, mains_high_hz in mains_within(band, mains_hz):
        if mains_low_hz > low_hz:
            yield low_hz, mains_low_hz
        low_hz = max(low_hz, mains_high_hz)
    if high_hz > low_hz:
        yield low_hz, high_hz


def _told(band: Band) -> str:
    return f"{band[0]:g}-{band[1]:g} Hz"
