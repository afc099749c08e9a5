"""Named bands of phase and amplitude, and which pairs two streams of given rates can carry.

A pair is refused for the reasons of `CouplingConfig`: it ends above 0.45 x the rate of its stream, the bands overlap,
or the amplitude band is too narrow for the sidebands of the phase. At the published rates, 250 and 100 Hz, the slower
stream ends at 45 Hz. BrainSSD couples "theta-alpha" phase with "gamma" amplitude and prints no edges; literally taken,
4-13 Hz in 30-45 Hz, it is refused, because 15 Hz carry phases up to 7.5 Hz (our reconstruction; measured in
docs/decisions/0110-frames-of-two-streams.md and 0126-which-bands-couple.md). "theta" with "gamma" is what the rates
allow of it, "theta-alpha" with "beta-gamma" what carries the whole phase band.
"""

from types import MappingProxyType

from engines.errors import InputError
from engines.models.frames import ALPHA_HZ, GAMMA_HZ, THETA_HZ, Band, CouplingConfig

PHASE_HZ = MappingProxyType[str, Band](
    {"delta": (2.0, 4.0), "theta": THETA_HZ, "alpha": ALPHA_HZ, "theta-alpha": (4.0, 13.0), "beta": (13.0, 30.0)}
)
AMPLITUDE_HZ = MappingProxyType[str, Band]({"beta-gamma": (19.0, 45.0), "gamma": GAMMA_HZ, "high-gamma": (45.0, 110.0)})

_LONGEST_AMPLITUDE_WINDOW_S = 0.076


def coupling_of(
    phase: str, amplitude: str, phase_sfreq_hz: float, amplitude_sfreq_hz: float, n_channels: int
) -> CouplingConfig:
    """The index of one pair of named bands.

    Raises:
        InputError: an unknown band, or a pair that these rates or its own widths forbid; the message gives the reason.
    """
    for name, known in ((phase, PHASE_HZ), (amplitude, AMPLITUDE_HZ)):
        if name not in known:
            raise InputError(f"expected a band among {', '.join(known)}; got {name!r}")
    return CouplingConfig(
        phase_sfreq_hz,
        amplitude_sfreq_hz,
        n_channels,
        PHASE_HZ[phase],
        AMPLITUDE_HZ[amplitude],
        amplitude_window_s=min(_LONGEST_AMPLITUDE_WINDOW_S, 1 / PHASE_HZ[phase][1]),
    )


def pairs(phase_sfreq_hz: float, amplitude_sfreq_hz: float) -> dict[tuple[str, str], str | None]:
    """Every pair of names, with the reason why it is refused, or None where it is not."""
    reasons: dict[tuple[str, str], str | None] = {}
    for phase in PHASE_HZ:
        for amplitude in AMPLITUDE_HZ:
            try:
                coupling_of(phase, amplitude, phase_sfreq_hz, amplitude_sfreq_hz, 1)
            except InputError as refused:
                reasons[phase, amplitude] = str(refused)
            else:
                reasons[phase, amplitude] = None
    return reasons
