"""Whether there is anything new to make: of one trial, only what moved since it was made last."""

import numpy as np
from numpy.typing import NDArray


class Gate:
    """Compares with the last one made, by the direction of embeddings seen from `centre` (None: from zero).

    Raw embeddings share most of their length and direction; seen from the mean embedding of known pictures their
    cosine tells what they differ in. Thread: one at a time.
    """

    def __init__(self, cosine: float, centre: NDArray[np.floating] | None = None) -> None:
        self._cosine = cosine
        self._centre = centre
        self._trial: int | None = None
        self._said: tuple[str, ...] = ()
        self._direction = np.zeros(0)

    def moved(self, trial: int, embedding: NDArray[np.floating], said: tuple[str, ...] = ()) -> bool:
        """False for the trial that was made last, when it says the same and its cosine to that is above the limit."""
        if trial != self._trial or said != self._said:
            return True
        return float(self._towards(embedding) @ self._direction) <= self._cosine

    def made(self, trial: int, embedding: NDArray[np.floating], said: tuple[str, ...] = ()) -> None:
        """From now on compare with this one."""
        self._trial, self._said, self._direction = trial, said, self._towards(embedding)

    def _towards(self, embedding: NDArray[np.floating]) -> NDArray[np.float64]:
        seen = np.asarray(embedding, np.float64) - (0.0 if self._centre is None else self._centre)
        length = float(np.linalg.norm(seen))
        return seen / length if length else seen
