"""Instruments."""

import numpy as np

from calibration.objects.categories.forms import both, placed, posed, smooth, symmetric
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import Pair, ball, box, hoop, joined, lathe, rod, slab, tube

_UPRIGHT = (90.0, 0.0, 0.0)


def guitar(draw: Draw) -> Parts:
    """A waisted body with a sound hole, a long neck, and a head with pegs."""
    lower, upper, waist = draw.between(0.48, 0.62), draw.between(0.32, 0.48), draw.between(0.22, 0.32)
    high, deep, neck, long = (
        draw.between(0.95, 1.15),
        draw.between(0.2, 0.34),
        draw.between(0.08, 0.11),
        draw.between(0.75, 1.1),
    )
    half = smooth(
        [
            (0.02, 0.0),
            (lower * 0.75, 0.06),
            (lower, high * 0.27),
            (waist, high * 0.6),
            (upper, high * 0.82),
            (upper * 0.55, high),
            (0.02, high),
        ],
        n=28,
    )
    front, hole = -deep / 2, draw.between(0.13, 0.18)
    top, pegs = high + long, draw.whole(2, 3)
    head = draw.between(0.12, 0.16)
    peg = [
        joined(tube([(0, 0.02, z), (head + 0.14, 0.02, z)], 0.035), ball(0.06, at=(head + 0.14, 0.02, z)))
        for z in top + 0.1 + 0.15 * np.arange(pegs)
    ]
    crest = 0.15 * pegs + 0.1
    parts = {
        "body": slab(symmetric(half), deep, turned=_UPRIGHT),
        "rim": joined(
            *(
                slab(
                    symmetric([(x * 1.05 + 0.01 * (x > 0.03), z * 1.04 - 0.02) for x, z in half]),
                    0.07,
                    at=(0, y, 0),
                    turned=_UPRIGHT,
                )
                for y in (front, -front)
            )
        ),
        "neck": box((2 * neck, 0.12, long + high * 0.3), at=(0, front - 0.05, high * 0.7 + (long + high * 0.3) / 2)),
        "hole": rod(hole, 0.06, at=(0, front - 0.05, high * 0.6), turned=_UPRIGHT),
        "bridge": box((lower * draw.between(0.7, 1.0), 0.14, 0.1), at=(0, front - 0.06, high * 0.24)),
        "head": slab(
            [(-neck, 0), (neck, 0), (head, crest), (-head, crest)],
            0.13,
            at=(0, front - 0.04, top - 0.02),
            turned=_UPRIGHT,
        ),
        "pegs": placed(both(joined(*peg)), at=(0, front - 0.06, 0)),
        "strings": box((neck * 0.9, 0.06, top - high * 0.24), at=(0, front - 0.1, (top + high * 0.24) / 2)),
    }
    return posed(parts, turned=(0, draw.between(-30, 30), 0))


def drum(draw: Draw) -> Parts:
    """A shell between two hoops, cords zigzagging about it, and two sticks across the skin."""
    wide, high, belly = draw.between(0.55, 0.8), draw.between(0.6, 1.1), draw.between(0.85, 1.15)
    n, ring, foot = draw.whole(5, 9), draw.between(0.07, 0.11), draw.between(0.75, 1.0)
    low = wide * foot
    shell = smooth([(low, 0), ((wide + low) / 2 * belly, high / 2), (wide, high)], n=12)
    out = max(1.0, belly) * (wide + low) / 2 + 0.05
    cords = []
    for i in range(n):
        a, b, c = (2 * np.pi * (i + k) / n for k in (0, 0.5, 1))
        cords.append(
            tube(
                [_ring(low + 0.04, a, 0.05), _ring(out, (a + b) / 2, high / 2), _ring(wide + 0.04, b, high - 0.05)],
                0.045,
            )
        )
        cords.append(
            tube(
                [_ring(wide + 0.04, b, high - 0.05), _ring(out, (b + c) / 2, high / 2), _ring(low + 0.04, c, 0.05)],
                0.045,
            )
        )
    cross, long = draw.between(20, 45), draw.between(0.6, 0.8)
    stick = joined(tube([(-long, 0, 0), (long, 0, 0)], [0.06, 0.05]), ball(draw.between(0.1, 0.14), at=(long, 0, 0)))
    return {
        "shell": lathe(shell),
        "hoops": joined(hoop(low, ring, at=(0, 0, 0)), hoop(wide, ring, at=(0, 0, high))),
        "skin": rod(wide, 0.08, at=(0, 0, high + 0.02)),
        "cords": joined(*cords),
        "sticks": joined(
            placed(stick, at=(0.1, 0, high + 0.15), turned=(0, 0, cross)),
            placed(stick, at=(-0.1, 0, high + 0.22), turned=(0, 0, 180 - cross)),
        ),
    }


def piano(draw: Draw) -> Parts:
    """A grand: a curved case on legs, keys in front, the lid raised."""
    wide, long, deep = draw.between(1.3, 1.6), draw.between(1.3, 1.9), draw.between(0.2, 0.3)
    tail, leg, open_ = draw.between(0.35, 0.55), draw.between(0.4, 0.6), draw.between(25, 50)
    plan = _grand(wide, long, tail)
    thick, hinge = draw.between(0.07, 0.11), -wide / 2
    lid = placed(
        slab([(x + wide / 2, y) for x, y in plan if True], 0.07),
        at=(hinge, 0, leg + deep + 0.06),
        turned=(0, -open_, 0),
    )
    prop = [
        (wide * 0.3, long * 0.45, leg + deep),
        (
            hinge + (wide * 0.75) * np.cos(np.radians(open_)),
            long * 0.45,
            leg + deep + wide * 0.75 * np.sin(np.radians(open_)),
        ),
    ]
    n = draw.whole(5, 8)
    gap = wide * 0.86 / n
    blacks = [box((gap * 0.5, 0.16, 0.07), at=((i - n / 2) * gap, 0.0, leg + 0.17)) for i in range(1, n)]
    feet = [(-wide * 0.42, 0.1), (wide * 0.42, 0.1), (-wide * 0.2, long * 0.85)]
    parts = {
        "case": joined(
            slab(plan, deep, at=(0, 0, leg + deep / 2)),
            *(box((0.1, 0.34, 0.22), at=(x * (wide / 2 - 0.05), -0.14, leg + 0.11)) for x in (-1, 1)),
            box((wide, 0.34, 0.09), at=(0, -0.14, leg + 0.045)),
        ),
        "lid": lid,
        "prop": tube(prop, 0.045),
        "white keys": box((wide - 0.2, 0.28, 0.08), at=(0, -0.14, leg + 0.11)),
        "black keys": joined(*blacks),
        "legs": joined(*(rod(thick * 0.8, leg + 0.05, at=(x, y, leg / 2), top=thick * 1.2) for x, y in feet)),
    }
    if draw.yes(0.6):
        seat = draw.between(0.5, 0.7)
        parts["bench"] = joined(
            box((seat, 0.3, 0.1), at=(0, -0.6, leg * 0.65)),
            *(
                box((0.09, 0.09, leg * 0.65), at=(x, y, leg * 0.325))
                for x in (-seat / 2 + 0.06, seat / 2 - 0.06)
                for y in (-0.7, -0.5)
            ),
        )
    return posed(parts, turned=(0, 0, draw.between(20, 40)))


def _ring(radius: float, angle: float, z: float) -> tuple[float, float, float]:
    return (radius * float(np.cos(angle)), radius * float(np.sin(angle)), z)


def _grand(wide: float, long: float, tail: float) -> list[Pair]:
    """A grand piano from above: straight on the left, a double bend on the right, the keys' side on the x axis."""
    bend = smooth(
        [
            (wide / 2, 0.0),
            (wide / 2, long * 0.3),
            (wide / 2 - (wide - tail) * 0.6, long * 0.65),
            (tail - wide / 2, long * 0.9),
            (tail * 0.5 - wide / 2, long),
        ],
        n=18,
    )
    return [(-wide / 2, 0.0), *bend, (-wide / 2, long * 0.95)]


MAKERS = {"guitar": guitar, "drum": drum, "piano": piano}
