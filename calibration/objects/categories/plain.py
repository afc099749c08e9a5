"""Plain things of house and table, and the example that every other theme follows.

A maker sets what a person names the object by, and draws what may differ: proportions, counts, kinds of parts.
"""

from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import box, joined, rod


def chair(draw: Draw) -> Parts:
    """A seat at knee height on legs, with a back."""
    width, depth, height, tall = (
        draw.between(0.8, 1.2),
        draw.between(0.8, 1.1),
        draw.between(0.7, 1.1),
        draw.between(0.8, 1.4),
    )
    x, y, thick = width / 2 - 0.07, depth / 2 - 0.07, draw.between(0.05, 0.09)
    taper = draw.one_of(None, 0.07)
    legs = joined(*(rod(0.045, height, at=(sx * x, sy * y, height / 2), top=taper) for sx in (-1, 1) for sy in (-1, 1)))
    posts = joined(*(rod(0.045, tall, at=(sx * x, y, height + tall / 2)) for sx in (-1, 1)))
    n_slats = draw.whole(1, 4)
    slats = [
        box((width - 0.1, 0.05, 0.6 * tall / n_slats), at=(0, y, height + tall * (0.3 + 0.65 * (i + 0.5) / n_slats)))
        for i in range(n_slats)
    ]
    return {
        "seat": box((width, depth, 2 * thick), at=(0, 0, height)),
        "back": joined(*slats),
        "posts": posts,
        "legs": legs,
    }


MAKERS = {"chair": chair}
