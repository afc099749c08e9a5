"""Instruments."""

import numpy as np

from calibration.objects.categories.forms import both, placed, posed, smooth, symmetric
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import Pair, Triple, ball, box, hoop, joined, lathe, rod, slab, tube

_UPRIGHT = (90.0, 0.0, 0.0)
_ALONG_X = (0.0, 90.0, 0.0)


def guitar(draw: Draw) -> Parts:
    """A waisted body with a sound hole, a long neck, and a head with pegs."""
    lower, upper, waist = draw.between(0.48, 0.64), draw.between(0.34, 0.5), draw.between(0.2, 0.42)
    high, deep, long = draw.between(0.95, 1.2), draw.between(0.22, 0.36), draw.between(0.75, 1.1)
    half, front = _bouts(lower, upper, waist, high), -deep / 2
    neck, head, pegs, top = draw.between(0.08, 0.11), draw.between(0.12, 0.18), draw.whole(2, 3), high + long
    crest, saddle = 0.15 * pegs + 0.1, high * draw.between(0.2, 0.28)
    peg = joined(
        rod(0.04, head + 0.14, at=(head / 2 + 0.07, 0, 0), turned=_ALONG_X), ball(0.07, at=(head + 0.14, 0, 0))
    )
    tuners = joined(*(placed(peg, at=(0, front - 0.04, top + 0.1 + 0.15 * i)) for i in range(pegs)))
    plate = slab(symmetric([(1.06 * x, 1.05 * z - 0.025 * high) for x, z in half]), 0.08, turned=_UPRIGHT)
    stem = high * 0.3 + long
    crown = [(-neck, 0.0), (neck, 0.0), (head, crest), (-head, crest)]
    return {
        "body": slab(symmetric(half), deep, turned=_UPRIGHT),
        "plates": joined(*(placed(plate, at=(0, y, 0)) for y in (front, -front))),
        "neck": box((2 * neck, 0.14, stem), at=(0, front - 0.05, top - stem / 2)),
        "hole": rod(draw.between(0.13, 0.19), 0.06, at=(0, front - 0.05, high * 0.6), turned=_UPRIGHT),
        "bridge": box((lower * draw.between(0.7, 1.0), 0.14, 0.1), at=(0, front - 0.06, saddle)),
        "head": slab(crown, 0.14, at=(0, front - 0.04, top - 0.02), turned=_UPRIGHT),
        "pegs": both(tuners),
        "strings": box((neck * 0.9, 0.06, top - saddle), at=(0, front - 0.12, (top + saddle) / 2)),
    }


def drum(draw: Draw) -> Parts:
    """A shell between two hoops, cords zigzagging about it, and two sticks across the skin."""
    wide, high, belly = draw.between(0.5, 0.8), draw.between(0.45, 1.25), draw.between(0.75, 1.2)
    n, ring, low = draw.whole(4, 9), draw.between(0.07, 0.11), wide * draw.between(0.65, 1.1)
    middle = (wide + low) / 2 * belly
    ends = (
        _ring(low + 0.04, n, 0.05),
        _ring(max(middle, (wide + low) / 2) + 0.03, n, high / 2),
        _ring(wide + 0.04, n, high - 0.05),
    )
    cords = [
        tube([at[i % len(at)] for at, i in zip(ends, (2 * k, 2 * k + s, 2 * k + 2 * s), strict=True)], 0.05)
        for k in range(n)
        for s in (-1, 1)
    ]
    cross, long, knob = draw.between(20, 45), draw.between(0.6, 0.8), draw.between(0.1, 0.15)
    stick = joined(tube([(-long, 0, 0), (long, 0, 0)], 0.06), ball(knob, at=(long, 0, 0)))
    return {
        "shell": lathe(smooth([(low, 0), (middle, high / 2), (wide, high)], n=12)),
        "hoops": joined(hoop(low, ring), hoop(wide, ring, at=(0, 0, high))),
        "skin": rod(wide, 0.08, at=(0, 0, high + 0.02)),
        "cords": joined(*cords),
        "sticks": joined(
            placed(stick, at=(0.1, 0, high + 0.12), turned=(0, 0, cross)),
            placed(stick, at=(-0.1, 0, high + 0.22), turned=(0, 0, 180 - cross)),
        ),
    }


def piano(draw: Draw) -> Parts:
    """A grand: a curved case on legs, keys in front, the lid raised."""
    wide, long, deep = draw.between(1.3, 1.6), draw.between(1.2, 2.0), draw.between(0.2, 0.35)
    leg, rise, thick = draw.between(0.35, 0.65), draw.between(25, 50), draw.between(0.07, 0.13)
    plan, n, shelf, top = _grand(wide, long, draw.between(0.35, 0.6)), draw.whole(5, 8), -0.14, leg + deep
    lid = slab([(x + wide / 2, y) for x, y in plan], 0.08)
    reach, gap = wide * 0.75 * np.exp(1j * np.radians(rise)), wide * 0.86 / n
    blacks = [box((gap * 0.5, 0.16, 0.07), at=((i - n / 2) * gap, 0, leg + 0.17)) for i in range(1, n)]
    cheek = box((0.12, 0.34, 0.24), at=(wide / 2 - 0.06, shelf, leg + 0.12))
    feet = ((-0.42 * wide, 0.1), (0.42 * wide, 0.1), (-0.2 * wide, long * 0.85))
    parts = {
        "case": joined(
            slab(plan, deep, at=(0, 0, leg + deep / 2)), box((wide, 0.34, 0.1), at=(0, shelf, leg + 0.05)), both(cheek)
        ),
        "lid": placed(lid, at=(-wide / 2, 0, top + 0.05), turned=(0, -rise, 0)),
        "prop": tube([(wide * 0.3, long * 0.35, top), (reach.real - wide / 2, long * 0.35, top + reach.imag)], 0.05),
        "keys": box((wide - 0.2, 0.28, 0.08), at=(0, shelf, leg + 0.11)),
        "sharps": joined(*blacks),
        "legs": joined(*(rod(thick * 0.8, leg + 0.05, at=(x, y, leg / 2), top=thick * 1.2) for x, y in feet)),
    }
    if draw.yes(0.6):
        seat, high = draw.between(0.5, 0.7), leg * 0.65
        post = box((0.1, 0.1, high), at=(seat / 2 - 0.06, 0.1, high / 2))
        stool = joined(box((seat, 0.3, 0.1), at=(0, 0, high)), both(both(post), axis=1))
        parts["bench"] = placed(stool, at=(0, -0.6, 0))
    return posed(parts, turned=(0, 0, draw.between(20, 40)))


def _bouts(lower: float, upper: float, waist: float, high: float) -> list[Pair]:
    """Half the outline of a guitar's body: two bulges, and between them a dent of the share `waist`."""
    t = (1 - np.cos(np.linspace(0, np.pi, 30))) / 2
    bulge = (lower + (upper - lower) * t) * np.sin(np.pi * t) ** 0.45
    wide = bulge * (1 - waist * np.exp(-(((t - 0.6) / 0.13) ** 2)))
    return [(float(x), float(z)) for x, z in zip(np.maximum(wide, 0.02), high * t, strict=True)]


def _ring(radius: float, n: int, z: float) -> list[Triple]:
    """Points at `2 n` even angles."""
    angles = np.pi / n * np.arange(2 * n)
    return [(float(radius * np.cos(a)), float(radius * np.sin(a)), z) for a in angles]


def _grand(wide: float, long: float, tail: float) -> list[Pair]:
    """A grand piano from above: straight on the left, a double bend on the right, the keys' side on the x axis."""
    knots = [
        (0.5, 0.0),
        (0.5, 0.3),
        (0.6 * tail / wide - 0.1, 0.65),
        (tail / wide - 0.5, 0.9),
        (tail / wide / 2 - 0.5, 1.0),
    ]
    bend = smooth([(wide * x, long * y) for x, y in knots], n=18)
    return [(-wide / 2, 0.0), *bend, (-wide / 2, long * 0.95)]


MAKERS = {"guitar": guitar, "drum": drum, "piano": piano}
