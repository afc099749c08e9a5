"""The pocket encoder as a measure looks through it: two stages of its trunk and its embedding.

It was trained on built-in objects 00 to 06. Numbers taken through it say how like two pictures are to this small
network, and are compared with nothing outside the built-in set.
"""

from engines.vision.base import Floats, Pictures
from engines.vision.features.trunk import POCKET_EARLY, POCKET_LATE, POCKET_LEVELS, pocket_trunk
from engines.vision.pocket import PocketVision

_NAMES = {"pocket early": POCKET_LEVELS[POCKET_EARLY], "pocket late": POCKET_LEVELS[POCKET_LATE]}


class PocketFeatures:
    """Gives "pocket early" (32 x 24 x 24), "pocket late" (128 x 6 x 6) and "pocket", the embedding.

    Thread: any, one at a time.
    """

    name, pocket = "pocket", True

    def __init__(self, encoder: PocketVision | None = None) -> None:
        self._encoder = PocketVision.load() if encoder is None else encoder
        self._trunk = pocket_trunk(self._encoder, _NAMES)

    def features(self, pictures: Pictures) -> dict[str, Floats]:
        """Each of the three by name, (n, d).

        Raises:
            InputError: not (n, height, width, 3) uint8.
        """
        return {**self._trunk.features(pictures), self.name: self._encoder.embed(pictures)}
