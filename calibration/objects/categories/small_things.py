"""Things that a hand holds."""

import numpy as np

from calibration.objects.categories.forms import around, both, placed, posed, smooth, stretched
from calibration.objects.categories.plain import SIDES, UPRIGHT
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import ball, box, hoop, joined, lathe, rod, slab, tube


def apple(draw: Draw) -> Parts:
    """A fruit broad at its shoulders with a stem in a hollow, and a leaf or two."""
    tall, shoulder, hollow = draw.between(0.8, 1.1), draw.between(0.05, 0.3), draw.between(0.25, 0.45)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 17)
    radius = np.cos(angle) ** 0.8 * (1 + shoulder * np.sin(angle))
    height = tall * np.sin(angle) - np.where(angle > 0, hollow, 0.5 * hollow) * np.sign(angle) * np.exp(
        -((radius / 0.35) ** 2)
    )
    top, lean = tall - hollow, draw.between(-0.25, 0.25)
    stem = tube(
        [(0, 0, top - 0.05), (0.3 * lean, 0, top + 0.3), (lean, 0, top + draw.between(0.45, 0.8))], [0.04, 0.045, 0.07]
    )
    size, leaf_at = draw.between(0.35, 0.6), (0.3 * lean, 0, top + 0.35)
    sides = draw.one_of((1,), (-1,), SIDES)
    leaves = [
        ball((size, 0.5 * size, 0.05), at=(leaf_at[0] + 0.9 * i * size, 0, leaf_at[2] + 0.15), turned=(40, -25 * i, 0))
        for i in sides
    ]
    return {
        "fruit": lathe([(max(r, 0.0), z) for r, z in zip(radius.round(9), height, strict=True)]),
        "stem": stem,
        "leaves": joined(*leaves),
    }


def book(draw: Draw) -> Parts:
    """An open book that leans towards its reader: covers, two swells of pages with lines on them, a ribbon to some."""
    wide, high, thick, n = draw.between(0.9, 1.4), draw.between(1.3, 1.9), draw.between(0.15, 0.35), draw.whole(4, 8)
    opening, lean = draw.between(5, 25), draw.between(40, 60)
    swell = [(wide * t, thick * (0.5 + 0.5 * np.sin(np.pi * t**0.6))) for t in np.linspace(0, 0.95, 9)]
    over = [(x, z + 0.02) for x, z in swell[1:-1]]
    half = {
        "cover": box((wide, high + 0.12, 0.07), at=(wide / 2, 0, 0)),
        "pages": slab([(0, 0), (0.95 * wide, 0), *reversed(swell)], high, turned=UPRIGHT),
        "lines": joined(
            *(
                slab([*swell[1:-1], *reversed(over)], 0.3 * high / n, at=(0, y, 0), turned=UPRIGHT)
                for y in np.linspace(-0.4, 0.4, n) * high
            )
        ),
    }
    open_half = {name: placed(mesh, turned=(0, -opening, 0)) for name, mesh in half.items()}
    parts = {name: placed(both(mesh), turned=(lean, 0, 0)) for name, mesh in open_half.items()}
    if draw.yes():
        ribbon = tube([(0, high / 2, thick / 2), (0.05, 0, thick), (0.1, -0.7 * high, 0.1)], 0.05)
        parts["ribbon"] = placed(ribbon, turned=(lean, 0, 0))
    return parts


def candle(draw: Draw) -> Parts:
    """A column of wax with a wick and a flame, in a dish, a stick or a glass, with runs of wax to some."""
    radius, high, lit = draw.between(0.25, 0.45), draw.between(1.2, 2.2), draw.between(0.35, 0.55)
    flame = [(0, 0), (0.5 * lit, 0.35 * lit), (0.55 * lit, 0.6 * lit), (0.3 * lit, 1.2 * lit), (0, 2 * lit)]
    holder = {
        "dish": joined(
            lathe([(0, -0.1), (0.9, -0.1), (1.15, 0.15), (1.15, 0.22), (0.85, 0), (0, 0)]),
            hoop(0.28, 0.07, at=(1.35, 0, 0.1), turned=UPRIGHT),
        ),
        "stick": lathe(
            [
                (0, -1),
                (0.7, -1),
                (0.6, -0.85),
                (0.15, -0.7),
                (0.12, -0.3),
                (radius + 0.1, -0.1),
                (radius + 0.15, 0.12),
                (0, 0.12),
            ]
        ),
        "block": lathe([(0, -0.4), (radius + 0.35, -0.4), (radius + 0.2, 0.15), (0, 0.15)]),
    }[draw.one_of("dish", "stick", "block")]
    parts = {
        "wax": rod(radius, high, at=(0, 0, high / 2), top=radius * draw.between(0.75, 1)),
        "wick": tube([(0, 0, high - 0.1), (0, 0, high + 0.1), (0.05, 0, high + 0.25)], 0.04),
        "flame": lathe(smooth(flame, n=12), at=(0, 0, high + 0.15)),
        "holder": holder,
    }
    runs = [(draw.between(0, 360), draw.between(0.3, 0.7) * high) for _ in range(draw.whole(0, 4))]
    if runs:
        drops = [ball((0.09, 0.09, long / 2), at=(0.92 * radius, 0, high - long / 2)) for _, long in runs]
        parts["runs"] = joined(*(placed(drop, turned=(0, 0, deg)) for drop, (deg, _) in zip(drops, runs, strict=True)))
    return parts


def cup(draw: Draw) -> Parts:
    """An open vessel with a handle at its side, a drink in it, on a saucer to some."""
    foot, lip = draw.between(0.4, 0.7), draw.between(0.65, 0.95)
    high, belly = draw.between(0.9, 1.6), draw.between(-0.05, 0.2)
    rise = np.linspace(0, 1, 8)
    outside = [(foot + (lip - foot) * z + belly * np.sin(np.pi * z), high * z) for z in rise]
    wall = lathe([(0, 0), *outside, *((r - 0.08, max(z, 0.1)) for r, z in reversed(outside)), (0, 0.1)])
    low, up, out = draw.between(0.15, 0.3), draw.between(0.75, 0.9), draw.between(0.35, 0.6)
    (a, b), reach = np.interp([low, up], rise, [r for r, _ in outside]) - 0.04, lip + out
    loop = [(a, 0, low * high), (reach - 0.1, 0, (low + 0.1) * high), (reach, 0, up * high - 0.1), (b, 0, up * high)]
    level = draw.between(0.75, 0.9)
    drink = rod(np.interp(level, rise, [r for r, _ in outside]) - 0.05, 0.06, at=(0, 0, level * high))
    parts = {"wall": wall, "handle": tube(loop, draw.between(0.06, 0.1)), "drink": drink}
    if draw.yes(0.4):
        rim = draw.between(1.2, 1.5)
        parts["saucer"] = lathe([(0, -0.06), (0.6 * rim, -0.06), (rim, 0.15), (rim, 0.2), (0.6 * rim, 0.02), (0, 0.02)])
    return parts


def donut(draw: Draw) -> Parts:
    """A fat ring of dough that leans to show its hole, iced on its upper side, with sprinkles or stripes."""
    fat, flat, iced = draw.between(0.42, 0.62), draw.between(0.75, 1.0), draw.between(0.2, 0.7)
    angle = np.linspace(iced, np.pi - draw.between(-0.3, 0.3), 11)
    skin = [(1 + 1.04 * fat * np.cos(a), 1.06 * flat * fat * np.sin(a)) for a in angle]
    parts = {"dough": stretched(hoop(1, fat), (1, 1, flat)), "icing": lathe([*skin, (1, 0), skin[0]])}
    if draw.yes(0.7):
        n, size, crumbs = draw.whole(14, 32), draw.between(0.035, 0.05), []
        for about in np.arange(n) / n * 2 * np.pi:
            out, swing = draw.between(0.7, 2.4), np.degrees(about)
            at = (1 + 1.08 * fat * np.cos(out), 0, 1.1 * flat * fat * np.sin(out))
            crumb = rod(size, 4 * size, at=at, turned=(90, 0, draw.between(0, 180)))
            crumbs.append(placed(crumb, turned=(0, 0, swing)))
        parts["sprinkles"] = joined(*crumbs)
    else:
        over = [(1 + 1.06 * fat * np.cos(a), 0, 1.1 * flat * fat * np.sin(a)) for a in np.linspace(0.5, np.pi - 0.5, 5)]
        parts["stripes"] = around(tube(over, 0.05), draw.whole(7, 12))
    return posed(parts, turned=(draw.between(25, 50), draw.between(-12, 12), 0))


def ring(draw: Draw) -> Parts:
    """A thin band standing on its edge with a stone in a setting on top, and small stones beside it to some."""
    thin, broad, size = draw.between(0.06, 0.12), draw.between(1.5, 3), draw.between(0.3, 0.5)
    stone = {
        "brilliant": lathe([(0, -0.7), (1, 0.1), (0.62, 0.5), (0, 0.5)]),
        "pearl": ball(0.85, at=(0, 0, 0.1)),
        "step": box((1.5, 1.1, 0.9), at=(0, 0, 0.1)),
        "dome": lathe([(1, -0.2), (0.95, 0.15), (0.7, 0.5), (0.35, 0.68), (0, 0.74)]),
    }[draw.one_of("brilliant", "pearl", "step", "dome")]
    seat = 1 + thin + 0.55 * size
    prongs = around(rod(0.1, 1.1, at=(0.75, 0, -0.35), turned=(0, 15, 0)), draw.whole(4, 6))
    parts = {
        "band": stretched(hoop(1, thin, turned=(90, 0, 0)), (1, broad, 1)),
        "stone": placed(stretched(stone, (size, size, size)), at=(0, 0, seat)),
        "setting": placed(stretched(prongs, (size, size, size)), at=(0, 0, seat)),
    }
    if n := draw.whole(0, 3):
        side = [
            ball(0.13, at=((1 + thin) * np.sin(a), 0, (1 + thin) * np.cos(a)))
            for a in 0.32 + 0.27 * np.arange(1, n + 1)
        ]
        parts["side stones"] = both(joined(*side))
    return posed(parts, turned=(0, 0, draw.between(-20, 20)))


MAKERS = {
    "apple": apple,
    "book": book,
    "candle": candle,
    "cup": cup,
    "donut": donut,
    "ring": ring,
}
