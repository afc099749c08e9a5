"""Fruit, a carrot and a cake."""

import numpy as np

from calibration.objects.categories.arranged import balls, bar, leaf
from calibration.objects.categories.forms import around, placed, posed
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import Pair, ball, joined, lathe, rod, slab, tube


def banana(draw: Draw) -> Parts:
    """A hand of curved fruit on one stalk."""
    n, thick, out = draw.whole(2, 5), draw.between(0.17, 0.24), draw.between(0.45, 0.75)
    long, spread = draw.between(1.3, 1.8), draw.between(28, 40)
    path = [(0.0, 0.08), (0.55 * out, -0.2 * long), (out, -0.5 * long), (0.9 * out, -0.8 * long), (0.5 * out, -long)]
    fruit = tube([(x, 0, z) for x, z in path], [0.09, 0.9 * thick, thick, 0.85 * thick, 0.08])
    end = ball(0.11, at=(0.48 * out, 0, -long))
    turns = [(i - (n - 1) / 2) * spread + 25 for i in range(n)]
    parts = {
        "fruit": joined(*(placed(fruit, turned=(0, 0, a)) for a in turns[::2])),
        "more fruit": joined(*(placed(fruit, turned=(0, 0, a)) for a in turns[1::2])),
        "ends": joined(*(placed(end, turned=(0, 0, a)) for a in turns)),
        "stalk": joined(ball(0.16), rod(0.11, draw.between(0.25, 0.4), at=(-0.03, 0, 0.15))),
    }
    return posed(parts, turned=(0, draw.between(-50, -15), 0))


def carrot(draw: Draw) -> Parts:
    """A tapering root, lying, with a tuft of leaves."""
    thick, long, shoulder = draw.between(0.26, 0.42), draw.between(1.3, 1.9), draw.between(0.12, 0.25)
    profile = [
        (0.03, -long),
        (0.3 * thick, -0.8 * long),
        (0.75 * thick, -0.4 * long),
        (thick, -shoulder),
        (0.8 * thick, 0),
        (0.2 * thick, 0.06),
    ]
    heights = -long * np.linspace(0.2, 0.75, draw.whole(3, 5))
    widths = 1.03 * np.interp(heights, [z for _, z in profile], [r for r, _ in profile])
    n, tuft, flare = draw.whole(4, 6), draw.between(0.55, 0.9), draw.between(12, 30)
    frond = joined(bar((0, 0, 0), (0, 0, tuft), 0.06), ball((0.12, 0.12, 0.3 * tuft), at=(0, 0, 0.85 * tuft)))
    parts = {
        "root": lathe(profile),
        "rings": joined(*(rod(r, 0.06, at=(0, 0, z)) for r, z in zip(widths, heights, strict=True))),
        "leaves": joined(frond, around(placed(frond, turned=(0, flare, 0)), n)),
    }
    return posed(parts, turned=(0, draw.between(30, 52) * draw.one_of(-1, 1), draw.between(-25, 25)))


def cake(draw: Draw) -> Parts:
    """Iced tiers on a plate, with candles or cherries; a slice may be gone."""
    n, wide, high = draw.whole(1, 3), draw.between(0.75, 1.0), draw.between(0.3, 0.48)
    gap = draw.between(35, 60) if draw.yes(0.4) else 0.0
    step = draw.between(0.62, 0.75)
    sizes = [(wide * step**i, high * i) for i in range(n)]
    tiers = [slab(_disc(r, gap), high, at=(0, 0, z + high / 2)) for r, z in sizes]
    icing = [slab(_disc(r + 0.05, gap), 0.12, at=(0, 0, z + high)) for r, z in sizes]
    drips = [
        placed(ball((0.08, 0.1, draw.between(0.1, 0.16)), at=(r + 0.01, 0, z + high - 0.1)), turned=(0, 0, a))
        for r, z in sizes
        for a in range(-70 + int(gap), 280, 30)
    ]
    top = n * high + 0.06
    candle, m = rod(0.055, 0.35, at=(0.6 * sizes[-1][0], 0, top + 0.15)), draw.whole(4, 7)
    parts = {
        "tiers": joined(*tiers),
        "icing": joined(*icing, *drips),
        "plate": lathe([(0.5 * wide, -0.14), (1.3 * wide, -0.04), (1.3 * wide, 0.02)]),
    }
    turned = (0.0, 0.0, -60.0 + gap)
    share = 330 - gap
    if draw.yes(0.65):
        parts["candles"] = joined(*(placed(candle, turned=(0, 0, turned[2] + share * i / m)) for i in range(m)))
        parts["flames"] = joined(
            *(
                placed(
                    ball((0.07, 0.07, 0.12), at=(0.6 * sizes[-1][0], 0, top + 0.4)),
                    turned=(0, 0, turned[2] + share * i / m),
                )
                for i in range(m)
            )
        )
    else:
        parts["cherries"] = joined(
            *(
                placed(ball(0.17, at=(0.66 * sizes[-1][0], 0, top + 0.07)), turned=(0, 0, turned[2] + share * i / m))
                for i in range(m)
            )
        )
    return parts


def grapes(draw: Draw) -> Parts:
    """A hanging bunch of berries under a leaf."""
    berry, n, wide = draw.between(0.17, 0.23), draw.whole(5, 7), draw.between(0.42, 0.62)
    long, bulge = draw.between(1.0, 1.25), draw.between(0.7, 1.1)
    rows = [(wide * (1 - i / n) ** bulge + 0.02, -1.5 * berry * i * long) for i in range(n)]
    counts = [max(1, round(2 * np.pi * r / (1.9 * berry))) if r > 0.6 * berry else 1 for r, _ in rows]
    places = [
        (float(r * np.cos(a)), float(r * np.sin(a)), z)
        for i, ((r, z), m) in enumerate(zip(rows, counts, strict=True))
        for a in 2 * np.pi * (np.arange(m) / m) + i
    ]
    core = lathe([(max(r - 0.3 * berry, 0.03), z) for r, z in rows[::-1]])
    blade = slab(
        leaf(draw.between(0.6, 0.85), draw.between(0.45, 0.65), widest=0.4),
        0.1,
        at=(0.05, 0, 0.3),
        turned=(0, draw.between(-15, 25), 0),
    )
    parts = {
        "berries": joined(core, balls((berry, berry, berry * draw.between(1.0, 1.3)), places)),
        "stem": tube([(0, 0, -0.1), (0, 0, 0.3), (draw.between(-0.25, 0.25), 0, 0.6)], 0.075),
        "leaves": joined(*(placed(blade, turned=(0, 0, a)) for a in (-40, 150, 55)[: draw.whole(1, 3)])),
    }
    return parts


def _disc(radius: float, gap_deg: float) -> list[Pair]:
    """The outline of a disc about the origin that lacks a slice to the right of its front."""
    angles = np.radians(np.linspace(-80 + gap_deg, 280, 40, endpoint=gap_deg > 0))
    rim = [(float(radius * np.cos(a)), float(radius * np.sin(a))) for a in angles]
    return [*rim, (0.0, 0.0)] if gap_deg else rim


MAKERS = {"banana": banana, "carrot": carrot, "cake": cake, "grapes": grapes}
