"""A stimulus set of a few items that exists only in memory, with everything an item can have."""

import numpy as np

from calibration.stimuli import Item

CATEGORIES = ("face", "car", "house")


class SmallSet:
    """Three categories of ten objects; each picture, turn and point cloud is told from all others by its values."""

    name = "small set"
    items = tuple(Item(category, f"{k:02d}") for category in CATEGORIES for k in range(10))

    def picture(self, item):
        return np.full((16, 16, 3), 8 * self.items.index(item), np.uint8)

    def turn(self, item):
        return np.repeat(self.picture(item)[None], 4, axis=0), 30.0

    def mesh(self, item):
        return None

    def point_cloud(self, item):
        rng = np.random.default_rng(self.items.index(item))
        return np.column_stack([rng.normal(3.0, 2.0, (8192, 3)), rng.random((8192, 3))])

    def colour_label(self, item):
        return self.items.index(item) % 6
