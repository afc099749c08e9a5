"""Vessels and cutlery."""

import numpy as np
import trimesh

from calibration.objects.categories.forms import around, both, oval, placed, posed, smooth, stretched, symmetric
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import Pair, ball, box, hoop, joined, lathe, rod, slab, tube

_UPRIGHT = (90.0, 0.0, 0.0)


def bottle(draw: Draw) -> Parts:
    """A tall body with shoulders, a narrow neck and a stopper, and a label about it."""
    wide, body, slope = draw.between(0.26, 0.42), draw.between(0.75, 1.2), draw.between(0.08, 0.45)
    neck, long, waist = draw.between(0.09, 0.14), draw.between(0.35, 0.65), draw.between(0.8, 1.12)
    shoulder = smooth([(wide, body), (wide * 0.85, body + slope * 0.5), (neck, body + slope)], n=10)
    sides = smooth([(wide, 0.06), (wide * waist, body * 0.5), (wide, body)], n=12)
    top, cap = body + slope + long, draw.between(0.12, 0.22)
    low, high = body * draw.between(0.15, 0.3), body * draw.between(0.65, 0.85)
    stopper = draw.one_of(
        rod(neck + 0.05, cap, at=(0, 0, top)),
        ball(neck * 1.5, at=(0, 0, top + 0.1)),
        rod(neck, cap + 0.05, at=(0, 0, top), top=neck * 1.4),
    )
    return {
        "body": lathe([(wide * 0.9, 0.0), *sides, *shoulder[1:], (neck, top)]),
        "label": lathe([(r + 0.03, z) for r, z in sides if low <= z <= high]),
        "collar": rod(neck + 0.05, 0.09, at=(0, 0, top - long * draw.between(0.2, 0.5))),
        "stopper": stopper,
    }


def fork(draw: Draw) -> Parts:
    """A row of tines, the outer ones before the middle, on broad shoulders above a slim handle."""
    n, wide, long = draw.whole(2, 4), draw.between(0.6, 0.8), draw.between(0.5, 0.85)
    neck, handle, thick = draw.between(0.07, 0.1), draw.between(0.9, 1.2), draw.between(0.06, 0.08)
    root, bend, trough = draw.between(0.2, 0.35), draw.between(0.1, 0.25), draw.between(0.2, 0.3)
    half = smooth([(neck, -0.15), (neck * 1.2, 0.0), (wide * 0.5, root * 0.6), (wide * 0.5, root)], n=14)
    tines = []
    for x in np.linspace(thick - wide / 2, wide / 2 - thick, n):
        y = -trough * (2 * x / wide) ** 2
        line = [(x, 0, root - 0.08), (x, y + bend * 0.5, root + long * 0.5), (x, y, root + long)]
        tines.append(tube(line, [1.2 * thick, thick, 0.7 * thick]))
    shoulders = slab(symmetric(half), 0.13, turned=_UPRIGHT)
    return {"tines": joined(*tines), "shoulders": shoulders, **_handle(draw, neck, handle)}


def kettle(draw: Draw) -> Parts:
    """A squat round body with a lid, a slanted spout and a bow to carry it by."""
    wide, high, belly = draw.between(0.6, 0.8), draw.between(0.55, 0.95), draw.between(0.25, 0.6)
    mouth, bow, thick = draw.between(0.28, 0.38), draw.between(0.45, 0.75), draw.between(0.06, 0.09)
    out, up, lip = wide + draw.between(0.3, 0.45), high * draw.between(0.95, 1.25), draw.between(0.08, 0.12)
    root, grip, roof, square = high * 0.35, wide * 0.75, high + 0.16, draw.between(0.65, 1.0)
    carry = [(grip, 0, high * 0.75), (grip * square, 0, high + bow * 0.7), (0, 0, high + bow)]
    carry += [(-x, 0, z) for x, _, z in carry[-2::-1]]
    knob = draw.one_of(ball(0.11), rod(0.13, 0.12), rod(0.07, 0.2, top=0.14))
    parts = {
        "body": lathe(smooth([(wide * 0.8, 0.0), (wide, high * belly), (mouth, high)], n=18)),
        "base": rod(wide * 0.86, 0.12, at=(0, 0, 0.02)),
        "spout": tube([(-wide * 0.6, 0, root), (-wide - 0.1, 0, root + 0.12), (-out, 0, up)], [0.2, 0.15, lip]),
        "lid": lathe(smooth([(mouth + 0.05, high - 0.02), (mouth * 0.7, high + 0.08), (0.05, high + 0.13)], n=8)),
        "knob": placed(knob, at=(0, 0, roof)),
        "handle": tube(carry, thick),
    }
    return posed(parts, turned=(0, 0, 15))


def pan(draw: Draw) -> Parts:
    """A flat round dish with one long handle, and what fries in it."""
    wide, deep, flare = draw.between(0.6, 0.85), draw.between(0.16, 0.45), draw.between(0.8, 1.0)
    long, thick, rise = draw.between(0.7, 1.2), draw.between(0.07, 0.1), draw.between(0.0, 0.3)
    floor, start, end = wide * flare - 0.06, deep * 0.75, wide + long
    dish = [(floor, 0), (wide, deep), (wide - 0.07, deep), (floor - 0.06, 0.06), (0, 0.06)]
    egg = joined(ball((0.26, 0.22, 0.07)), ball(0.11, at=(0, 0, 0.05)))
    grip = [(wide, 0, start), (wide + long * 0.5, 0, start + rise * 0.6), (end, 0, start + rise)]
    parts = {
        "dish": lathe(dish),
        "rim": hoop(wide, 0.05, at=(0, 0, deep)),
        "bracket": box((0.3, 0.24, 0.14), at=(wide + 0.08, 0, start)),
        "handle": tube(grip, [thick * 0.8, thick * 1.2, thick]),
        "eye": hoop(0.11, 0.05, at=(end + 0.1, 0, start + rise)),
        "eggs": around(placed(egg, at=(wide * 0.42, 0, 0.09)), draw.whole(1, 3)),
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
    wide, bowl, mouth = draw.between(0.24, 0.5), draw.between(0.45, 0.95), draw.between(0.75, 1.2)
    stem, foot, belly = draw.between(0.65, 1.0), draw.between(0.3, 0.42), draw.between(0.35, 0.6)
    thick, knot, top = draw.between(0.05, 0.065), draw.between(0.1, 0.13), stem + bowl
    full, knots = stem + bowl * draw.between(0.75, 0.92), draw.whole(0, 2)
    swell = [(wide * 0.85, stem + bowl * belly * 0.5), (wide, stem + bowl * belly), (wide * mouth, top)]
    outer = smooth([(0.08, stem), *swell], n=18)
    inner = [(r - 0.05, z + 0.02) for r, z in reversed(outer) if r > 0.15]
    balls = [ball(knot, at=(0, 0, stem * (i + 1.3) / (knots + 1))) for i in range(knots)]
    return {
        "bowl": lathe([*outer, *inner, (0.0, inner[-1][1])]),
        "wine": lathe([(r - 0.04, z) for r, z in outer if r > 0.15 and z < full]),
        "stem": joined(rod(thick, stem, at=(0, 0, stem / 2 + 0.05)), *balls),
        "foot": lathe([(foot, 0.0), (foot, 0.05), (0.15, 0.1), (thick, 0.2)]),
    }


def trophy(draw: Draw) -> Parts:
    """A cup with two great ears on a stepped plinth with a plate."""
    wide, high, flare = draw.between(0.38, 0.56), draw.between(0.55, 0.95), draw.between(0.55, 0.85)
    steps, block, tread = draw.whole(1, 3), draw.between(0.7, 0.9), draw.between(0.15, 0.25)
    floor, stem, ear, lift = steps * tread, draw.between(0.2, 0.45), draw.between(0.25, 0.42), draw.between(0.45, 0.75)
    low, top = floor + stem, floor + stem + high
    stairs = [block * (1 - 0.2 * i) for i in range(steps)]
    plinth = joined(*(box((w, w, tread + 0.01), at=(0, 0, tread * (i + 0.5))) for i, w in enumerate(stairs)))
    bend = np.array(
        [(0.6 * wide, 0, 0.3), (wide + ear, 0, lift), (0.95 * (wide + ear), 0, 0.95), (0.9 * wide, 0, 0.85)]
    )
    crown = draw.one_of(ball(0.15), _star(0.28), rod(0.13, 0.3, top=0.0))
    return {
        "plinth": plinth,
        "plate": box((block * 0.6, block + 0.07, tread * 0.65), at=(0, 0, tread * 0.5)),
        "stem": joined(
            rod(0.22, stem, at=(0, 0, floor + stem / 2), top=0.09), ball(0.15, at=(0, 0, low - stem * 0.25))
        ),
        "cup": lathe(smooth([(0.12, low), (wide * flare, low + high * 0.35), (wide, top)], n=14)),
        "ears": both(tube(bend * (1, 1, high) + (0, 0, low), draw.between(0.055, 0.085))),
        "lid": lathe([(wide + 0.06, top - 0.04), (wide + 0.06, top + 0.04), (0.1, top + 0.2)]),
        "crown": placed(crown, at=(0, 0, top + 0.3)),
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


def _star(radius: float) -> trimesh.Trimesh:
    """A star with five points that stands upright."""
    angles = np.pi / 2 + np.arange(10) * np.pi / 5
    reach = radius * np.tile([1, 0.45], 5)
    points = np.column_stack([reach * np.cos(angles), reach * np.sin(angles)])
    return slab([(float(x), float(z)) for x, z in points], 0.16, turned=_UPRIGHT)


MAKERS = {
    "bottle": bottle,
    "fork": fork,
    "kettle": kettle,
    "pan": pan,
    "spoon": spoon,
    "wineglass": wineglass,
    "trophy": trophy,
}
