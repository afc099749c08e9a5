"""Vessels and cutlery."""

import numpy as np
import trimesh

from calibration.objects.categories.forms import both, oval, placed, posed, smooth, stretched, symmetric
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import Pair, ball, box, hoop, joined, lathe, rod, slab, tube

_UPRIGHT = (90.0, 0.0, 0.0)


def bottle(draw: Draw) -> Parts:
    """A tall body with shoulders, a narrow neck and a stopper, and a label about it."""
    wide, body, slope = draw.between(0.28, 0.5), draw.between(0.7, 1.1), draw.between(0.1, 0.4)
    neck, long, waist = draw.between(0.1, 0.16), draw.between(0.25, 0.5), draw.between(0.85, 1.1)
    shoulder = smooth([(wide, body), (wide * 0.85, body + slope * 0.5), (neck, body + slope)], n=10)
    sides = smooth([(wide, 0.06), (wide * waist, body * 0.5), (wide, body)], n=12)
    top, cap = body + slope + long, draw.between(0.12, 0.22)
    low, high = body * draw.between(0.15, 0.3), body * draw.between(0.65, 0.85)
    band = [(r + 0.03, z) for r, z in sides if low <= z <= high]
    stopper = draw.one_of(
        rod(neck + 0.05, cap, at=(0, 0, top)),
        ball(neck * 1.5, at=(0, 0, top + 0.1)),
        rod(neck, cap + 0.05, at=(0, 0, top), top=neck * 1.4),
    )
    return {
        "body": lathe([(wide * 0.9, 0.0), *sides, *shoulder[1:], (neck, top)]),
        "label": lathe(band),
        "collar": rod(neck + 0.05, 0.09, at=(0, 0, top - long * draw.between(0.2, 0.5))),
        "stopper": stopper,
    }


def fork(draw: Draw) -> Parts:
    """A row of tines on broad shoulders above a slim handle."""
    n, wide, long = draw.whole(2, 5), draw.between(0.5, 0.75), draw.between(0.5, 0.8)
    neck, handle, thick = draw.between(0.07, 0.1), draw.between(0.9, 1.2), draw.between(0.055, 0.07)
    root, bend = draw.between(0.2, 0.35), draw.between(0.1, 0.25)
    half = smooth([(neck, -0.15), (neck * 1.2, 0.0), (wide * 0.5, root * 0.6), (wide * 0.5, root)], n=14)
    places = np.linspace(-wide / 2 + thick, wide / 2 - thick, n)
    tines = [
        tube(
            [(x, 0, root - 0.08), (x, bend * 0.5, root + long * 0.5), (x, 0, root + long)],
            [1.2 * thick, thick, 0.6 * thick],
        )
        for x in places
    ]
    return {
        "tines": joined(*tines),
        "shoulders": slab(symmetric(half), 0.13, turned=_UPRIGHT),
        **_handle(draw, neck, handle),
    }


def kettle(draw: Draw) -> Parts:
    """A squat round body with a lid, a slanted spout and a bow to carry it by."""
    wide, high, belly = draw.between(0.6, 0.8), draw.between(0.55, 0.95), draw.between(0.25, 0.6)
    mouth, bow, thick = draw.between(0.28, 0.38), draw.between(0.45, 0.75), draw.between(0.06, 0.09)
    body = smooth([(wide * 0.8, 0.0), (wide, high * belly), (mouth, high)], n=18)
    out, up = wide + draw.between(0.3, 0.45), high * draw.between(0.95, 1.25)
    root = high * 0.35
    spout = tube(
        [(-wide * 0.6, 0, root), (-wide - 0.1, 0, root + 0.12), (-out, 0, up)], [0.2, 0.15, draw.between(0.08, 0.12)]
    )
    grip = wide * 0.75
    carry = [
        (-grip, 0, high * 0.75),
        (-grip * 0.8, 0, high + bow * 0.7),
        (0, 0, high + bow),
        (grip * 0.8, 0, high + bow * 0.7),
        (grip, 0, high * 0.75),
    ]
    side = [
        (wide * 0.8, 0, high * 0.2),
        (wide + 0.4, 0, high * 0.25),
        (wide + 0.45, 0, high * 0.85),
        (mouth, 0, high * 0.9),
    ]
    over = draw.yes(0.7)
    knob = draw.one_of(
        ball(0.11, at=(0, 0, high + 0.18)),
        rod(0.13, 0.1, at=(0, 0, high + 0.18)),
        rod(0.07, 0.2, at=(0, 0, high + 0.15), top=0.14),
    )
    parts = {
        "body": lathe(body),
        "base": rod(wide * 0.86, 0.1, at=(0, 0, 0.02)),
        "spout": spout,
        "lid": lathe(smooth([(mouth + 0.05, high - 0.02), (mouth * 0.7, high + 0.08), (0.05, high + 0.13)], n=8)),
        "knob": knob,
        "handle": tube(carry if over else side, thick),
    }
    return posed(parts, turned=(0, 0, 15))


def pan(draw: Draw) -> Parts:
    """A flat round dish with one long handle, and what fries in it."""
    wide, deep, flare = draw.between(0.6, 0.8), draw.between(0.18, 0.4), draw.between(0.85, 1.0)
    long, thick, rise = draw.between(0.8, 1.2), draw.between(0.07, 0.1), draw.between(0.0, 0.25)
    dish = [(wide * flare - 0.06, 0), (wide, deep), (wide - 0.07, deep), (wide * flare - 0.12, 0.06), (0, 0.06)]
    end = wide + long
    food = []
    for i in range(draw.whole(1, 3)):
        spot = placed(
            joined(ball((0.26, 0.22, 0.06)), ball(0.1, at=(0, 0, 0.05))), at=(wide * 0.42, 0, 0.09), turned=(0, 0, 0)
        )
        food.append(placed(spot, turned=(0, 0, 120 * i + 40)))
    parts = {
        "dish": lathe(dish),
        "rim": hoop(wide, 0.05, at=(0, 0, deep)),
        "bracket": box((0.3, 0.24, 0.12), at=(wide + 0.08, 0, deep * 0.75)),
        "handle": tube(
            [(wide, 0, deep * 0.75), (wide + long * 0.5, 0, deep * 0.75 + rise * 0.6), (end, 0, deep * 0.75 + rise)],
            [thick * 0.8, thick * 1.2, thick],
        ),
        "eye": hoop(0.11, 0.05, at=(end + 0.1, 0, deep * 0.75 + rise)),
        "food": joined(*food),
    }
    return posed(parts, turned=(0, 0, -35))


def spoon(draw: Draw) -> Parts:
    """A broad hollow bowl on a slim handle."""
    wide, long, deep = draw.between(0.3, 0.42), draw.between(0.42, 0.58), draw.between(0.2, 0.3)
    neck, handle = draw.between(0.07, 0.1), draw.between(0.9, 1.2)
    hollow = [(np.cos(a), np.sin(a)) for a in np.linspace(-np.pi / 2, 0, 10)]
    shell = lathe([*hollow, (0.8, 0.0), *((0.8 * r, 0.8 * z) for r, z in reversed(hollow[:-1]))])
    bowl = placed(stretched(shell, (wide, long, deep)), at=(0, 0, long), turned=_UPRIGHT)
    rim = tube([(x, 0, y + long) for x, y in oval(wide * 0.93, long * 0.93, n=12)], 0.05, closed=True)
    return {"bowl": bowl, "rim": rim, **_handle(draw, neck, handle)}


def wineglass(draw: Draw) -> Parts:
    """A bowl with wine in it on a long thin stem with a round foot."""
    wide, bowl, mouth = draw.between(0.28, 0.55), draw.between(0.5, 0.9), draw.between(0.7, 1.15)
    stem, foot, thick = draw.between(0.6, 0.9), draw.between(0.3, 0.42), draw.between(0.05, 0.065)
    belly = draw.between(0.35, 0.6)
    outer = smooth(
        [
            (0.08, stem),
            (wide * 0.85, stem + bowl * belly * 0.5),
            (wide, stem + bowl * belly),
            (wide * mouth, stem + bowl),
        ],
        n=18,
    )
    inner = [(r - 0.05, z + 0.02) for r, z in reversed(outer) if r > 0.15]
    level = stem + bowl * draw.between(0.55, 0.8)
    wine = [(r - 0.04, z) for r, z in outer if r > 0.15 and z < level]
    parts = {
        "bowl": lathe([*outer, *inner, (0.0, inner[-1][1])]),
        "wine": lathe(wine),
        "stem": rod(thick, stem, at=(0, 0, stem / 2 + 0.05)),
        "foot": lathe(smooth([(foot, 0.0), (foot * 0.95, 0.06), (thick, 0.16)], n=8)),
    }
    if draw.yes():
        parts["stem"] = joined(parts["stem"], ball(0.11, at=(0, 0, stem * draw.between(0.4, 0.8))))
    return parts


def trophy(draw: Draw) -> Parts:
    """A cup with two great ears on a stepped plinth with a plate."""
    wide, high, flare = draw.between(0.4, 0.55), draw.between(0.6, 0.9), draw.between(0.55, 0.85)
    steps, block, tread = draw.whole(1, 3), draw.between(0.7, 0.9), draw.between(0.15, 0.25)
    floor, stem = steps * tread, draw.between(0.2, 0.4)
    low = floor + stem
    cup = smooth([(0.12, low), (wide * flare, low + high * 0.35), (wide, low + high)], n=14)
    ear, lift = wide + draw.between(0.25, 0.4), draw.between(0.45, 0.75)
    loop = [
        (wide * 0.6, 0, low + high * 0.3),
        (ear, 0, low + high * lift),
        (ear * 0.95, 0, low + high * 0.95),
        (wide * 0.9, 0, low + high * 0.85),
    ]
    plinth = joined(
        *(
            box((block * (1 - 0.2 * i), block * (1 - 0.2 * i), tread + 0.01), at=(0, 0, tread * (i + 0.5)))
            for i in range(steps)
        )
    )
    top = low + high
    crown = draw.one_of(
        ball(0.14, at=(0, 0, top + 0.3)), _star(0.26, top + 0.36), rod(0.12, 0.3, at=(0, 0, top + 0.28), top=0.0)
    )
    return {
        "plinth": plinth,
        "plate": box((block * 0.6, block + 0.07, tread * 0.65), at=(0, 0, tread * 0.5)),
        "stem": joined(
            rod(0.22, stem, at=(0, 0, floor + stem / 2), top=0.09), ball(0.15, at=(0, 0, floor + stem * 0.75))
        ),
        "cup": lathe(cup),
        "ears": both(tube(loop, draw.between(0.055, 0.08))),
        "lid": joined(lathe([(wide + 0.06, top - 0.04), (wide + 0.06, top + 0.04), (0.1, top + 0.2)]), crown),
    }


def _handle(draw: Draw, neck: float, long: float) -> Parts:
    """The stem of a piece of cutlery, from the origin down, and its end."""
    end, thick = draw.between(1.2, 2.0) * neck, draw.between(0.11, 0.15)
    half: list[Pair] = smooth([(end, -long), (neck * 0.9, -long * 0.4), (neck, 0.05)], n=10)
    low = -long * 0.98
    tip = draw.one_of(
        ball((end * 1.2, 0.11, end * 1.2), at=(0, 0, low)),
        box((2.3 * end, 0.2, 0.35), at=(0, 0, low + 0.1)),
        slab(oval(end * 1.15, end * 2), 0.19, at=(0, 0, low), turned=_UPRIGHT),
    )
    return {"handle": slab(symmetric(half), thick, turned=_UPRIGHT), "end": tip}


def _star(radius: float, z: float) -> trimesh.Trimesh:
    angles = np.pi / 2 + np.arange(10) * np.pi / 5
    points = [(r * np.cos(a), r * np.sin(a)) for a, r in zip(angles, [radius, radius * 0.45] * 5, strict=True)]
    return slab(points, 0.14, at=(0, 0, z), turned=_UPRIGHT)


MAKERS = {
    "bottle": bottle,
    "fork": fork,
    "kettle": kettle,
    "pan": pan,
    "spoon": spoon,
    "wineglass": wineglass,
    "trophy": trophy,
}
