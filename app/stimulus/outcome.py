"""What a shown run came to, as it stands in the report."""

from collections import Counter
from typing import Any

import numpy as np

from app.stimulus.flips import Refresh
from app.stimulus.show import Shown
from calibration.protocols.flicker import frames_per_cycle
from calibration.protocols.steps import Step

LIGHT_UNMEASURED = (
    "the delay from marker to light was never measured with a photodiode: what the screen itself adds is in no stamp"
)

UNHEARD = "nobody received the marker stream when the run began: its first markers may be in no recording"


def outcome(
    shown: Shown, steps: tuple[Step, ...], refresh: Refresh, screen: dict[str, Any], heard: bool
) -> dict[str, Any]:
    """Plain fields. Times are seconds from the first onset, which is `started_s` on the LSL clock.

    `heard` says whether anyone received the marker stream when the run began.
    """
    start_s = shown.onsets[0].at_s if shown.onsets else 0.0
    trials = [
        {
            "trial": onset.step.trial,
            "marker": onset.step.markers[-1] if onset.step.markers else "",
            "onset_s": onset.at_s - start_s,
            "error_ms": onset.error_s * 1000,
        }
        for onset in shown.onsets
        if onset.step.trial is not None
    ]
    errors_ms = np.array([1000 * abs(onset.error_s) for onset in shown.onsets])
    return {
        "ended": "aborted" if shown.aborted else "finished",
        "started_s": start_s,
        "screen": {
            **screen,
            "refresh_declared_hz": refresh.declared_hz,
            "refresh_measured_hz": refresh.measured_hz,
            "vertical_sync": refresh.synced,
        },
        "flips": shown.log.summary(),
        "late_s": [at_s - start_s for at_s in shown.late],
        "onset_error_ms": {
            "median": float(np.median(errors_ms)) if len(errors_ms) else None,
            "max": float(errors_ms.max()) if len(errors_ms) else None,
        },
        "flicker_hz": {f"{hz:g}": refresh.hz / frames_per_cycle(hz, refresh.hz) for hz in _flickers(steps)},
        "markers": dict(Counter(m.label for m in shown.markers)),
        "trials": trials,
        "warnings": _warnings(shown, refresh, heard),
    }


def _flickers(steps: tuple[Step, ...]) -> list[float]:
    return sorted({step.hz for step in steps if step.hz})


def _warnings(shown: Shown, refresh: Refresh, heard: bool) -> list[str]:
    told = [] if heard else [UNHEARD]
    if not refresh.synced:
        told.append(
            f"this display has no real vertical sync: its flips came {refresh.measured_hz:.0f} times a second unasked, "
            f"the declared {refresh.declared_hz:.4g} Hz are kept by the program, and no stamp says when it was seen"
        )
    if shown.log.n_late:
        told.append(f"{shown.log.n_late} of {shown.log.n} flips came late, {shown.log.n_missed} frames were missed")
    return [*told, LIGHT_UNMEASURED]
