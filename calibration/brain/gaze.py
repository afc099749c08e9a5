"""Where the eyes go while an object turns: pursuit of the silhouette's centre, and saccades that catch up."""

import numpy as np

from calibration.brain import cited
from calibration.descriptors import MOVING_HZ
from pipeline.types import Array


def followed(centre: Array, n: int, rate_hz: float) -> Array:
    """(2, n) degrees right and up on a grid of `rate_hz`, from `centre` (n_frames, 2) in picture widths.

    The eyes are on the object when it starts to turn. Pursuit lags and falls short; when the error passes
    `CATCH_UP_DEG` a saccade of two samples makes up for it.
    """
    frame_s, times_s = np.arange(len(centre)) / MOVING_HZ, np.arange(n) / rate_hz - cited.PURSUIT_LAG_S
    wanted = cited.PICTURE_DEG * cited.ATTRACTED * (centre - centre[0])
    target = np.array([np.interp(times_s, frame_s, column) for column in wanted.T])
    moved = cited.PURSUIT_GAIN * np.diff(target, axis=1, prepend=target[:, :1])
    gaze = np.zeros((2, n))
    for k in range(1, n):
        gaze[:, k] = gaze[:, k - 1] + moved[:, k]
        error = target[:, k] - gaze[:, k]
        if np.hypot(*error) > cited.CATCH_UP_DEG:
            gaze[:, k] += error
    return gaze
