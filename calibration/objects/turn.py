"""The slow turn in which an object is shown from all sides."""

TURN_S = 6.0


def turn_deg(since_s: float) -> float:
    """How far the object has turned, in degrees, `since_s` seconds after it started: one full turn in TURN_S."""
    return 360.0 * since_s / TURN_S
