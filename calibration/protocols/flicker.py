"""Which flicker a screen can show: whole frames per cycle, or none (Wang et al. 2010, EMBC, p. 6000)."""

from engines.errors import InputError

TOLERANCE = 0.005  # a screen said to run at 60 Hz may run at 59.94


def frames_per_cycle(hz: float, refresh_hz: float) -> int:
    """How many frames one cycle of the flicker takes.

    Raises:
        InputError: no whole number of frames comes within half a per cent; the message names the nearest that do.
    """
    frames = round(refresh_hz / hz)
    if frames >= 2 and abs(refresh_hz / frames / hz - 1) <= TOLERANCE:
        return frames
    nearest = sorted({max(2, int(refresh_hz // hz)), max(2, int(refresh_hz // hz) + 1)})
    offered = " or ".join(f"{refresh_hz / n:.3f}".rstrip("0").rstrip(".") for n in reversed(nearest))
    raise InputError(
        f"a flicker of {hz:g} Hz cannot be shown on a screen of {refresh_hz:g} Hz, where a cycle must last whole "
        f"frames; take {offered} Hz (frequencies_hz), or another refresh rate"
    )


def lit(frame: int, frames: int) -> bool:
    """Whether the picture is on in frame number `frame` of a flicker with that many frames per cycle."""
    return frame % frames < (frames + 1) // 2
