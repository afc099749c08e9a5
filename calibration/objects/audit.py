"""Can a category be told by colour or size alone? Simple classifiers try, on the pictures as shipped.

They learn from objects 00 to 07 and are asked about 08 and 09. A colour here is hue and saturation: brightness shows
how surfaces lie to the light, which is shape. Area and diagonal are asked about one at a time: their ratio is shape.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion
from scipy.stats import binom
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from calibration.objects.catalogue import CATEGORIES, HELD_OUT, N_OBJECTS
from calibration.objects.render import BACKGROUND
from calibration.stimuli import Picture
from pipeline.types import Array

_OPAQUE = 10
_RIM_PX = 2
_HUES, _SATURATIONS = 12, 3
_COARSE_PX = 16


def foreground(picture: Picture) -> NDArray[np.bool_]:
    """(H, W) where the picture is not its background."""
    return np.asarray(np.abs(picture.astype(int) - BACKGROUND).max(axis=2) > _OPAQUE)


def area(picture: Picture) -> Array:
    """(1,) log of the share of the picture that the object covers."""
    return np.log([foreground(picture).mean()])


def diagonal(picture: Picture) -> Array:
    """(1,) log of the diagonal of the object's bounding box, as a share of the picture's."""
    mask = foreground(picture)
    height, width = (np.ptp(np.flatnonzero(mask.any(axis=axis))) + 1 for axis in (1, 0))
    return np.log([np.hypot(height, width) / np.hypot(*mask.shape)])


def colour(picture: Picture) -> Array:
    """(36,) histogram of hue by saturation within the object, without its rim, which mixes with the background."""
    mask = foreground(picture)
    inner = binary_erosion(mask, iterations=_RIM_PX)
    pixels = picture[inner if inner.any() else mask] / 255
    highest, lowest = pixels.max(axis=1), pixels.min(axis=1)
    spread = highest - lowest
    saturation = spread / np.maximum(highest, 1e-9)
    red, green, blue = pixels.T
    alpha, beta = red - (green + blue) / 2, np.sqrt(0.75) * (green - blue)
    hue = np.arctan2(beta, alpha) / (2 * np.pi) % 1
    counts = np.histogram2d(hue, saturation, bins=(_HUES, _SATURATIONS), range=((0, 1), (0, 1)))[0]
    return np.asarray(counts.ravel() / len(pixels))


def silhouette(picture: Picture) -> Array:
    """(256,) the foreground, coarsely: what shape a classifier can see that has learned nothing before."""
    mask = foreground(picture)
    step = mask.shape[0] // _COARSE_PX
    return np.asarray(mask.reshape(_COARSE_PX, step, _COARSE_PX, step).mean(axis=(1, 3)).ravel())


def accuracies(features: Array) -> dict[str, float]:
    """How often each classifier names the category of objects 08 and 09 from `features` (720, n), in set order."""
    labels = np.repeat(np.arange(len(CATEGORIES)), N_OBJECTS)
    asked = np.isin(np.tile(np.arange(N_OBJECTS), len(CATEGORIES)), HELD_OUT)
    found = {}
    for name, classifier in (
        ("Gaussian", GaussianNB()),
        ("nearest neighbour", KNeighborsClassifier(1)),
        ("random forest", RandomForestClassifier(100, random_state=0)),
    ):
        fitted = make_pipeline(StandardScaler(), classifier).fit(features[~asked], labels[~asked])
        found[name] = float(fitted.score(features[asked], labels[asked]))
    return found


def chance_bound(n_asked: int = 1, confidence: float = 0.95) -> float:
    """The accuracy that `n_asked` guessers all stay at or below with probability `confidence` (Bonferroni)."""
    n = len(CATEGORIES) * len(HELD_OUT)
    return float(binom.ppf(1 - (1 - confidence) / n_asked, n, 1 / len(CATEGORIES)) / n)
