"""A castle and a windmill; and what else stands upright: a robot, an umbrella."""

from itertools import pairwise

import numpy as np
import trimesh

from calibration.objects.categories.arranged import bar, in_row, on, wrapped
from calibration.objects.categories.forms import arched, around, both, placed
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import Triple, ball, box, hoop, joined, lathe, rod, slab, tube

_FACING = (90.0, 0.0, 0.0)
"""Turns an outline of (x, y) into one of (x, z), to be seen from the front."""


def castle(draw: Draw) -> Parts:
    """Walls between towers, with a gate and battlements."""
    n, wall, tower = draw.one_of(4, 4, 5, 6), draw.between(0.5, 0.8), draw.between(0.2, 0.3)
    high, pointed = wall + draw.between(0.25, 0.7), draw.yes(0.6)
    inner = float(np.cos(np.pi / n))
    side, first = 2 * float(np.sin(np.pi / n)), -90 + 180 / n
    merlons = in_row(box((0.13, 0.14, 0.16), at=(0, -inner, wall + 0.06)), round(side / 0.26), (0.26, 0, 0))
    crown = joined(rod(1.2 * tower, 0.12), around(box((0.14, 0.16, 0.2), at=(tower, 0, 0.12)), 6))
    roof = lathe([(1.3 * tower, 0), (0.04, draw.between(0.45, 0.9))])
    towers = placed(rod(tower, high, at=(1, 0, high / 2)), turned=(0, 0, first))
    keep = (draw.between(0.28, 0.38), high + draw.between(0.2, 0.5)) if draw.yes(0.65) else None
    top = placed(roof if pointed else crown, at=(1, 0, high))
    parts = {
        "hill": rod(draw.between(1.4, 1.7), 0.25, top=1.3, at=(0, 0, -0.12)),
        "walls": around(box((side, 0.16, wall), at=(0, -inner, wall / 2)), n),
        "battlements": around(merlons, n),
        "towers": around(towers, n),
        "roofs" if pointed else "crowns": around(placed(top, turned=(0, 0, first)), n),
        "gate": slab(arched(0.42, 0.24, 0.18), 0.24, at=(0, -inner, 0), turned=_FACING),
        "windows": around(
            placed(box((0.1, 0.13, 0.22), at=(1 + tower - 0.02, 0, 0.7 * high)), turned=(0, 0, first)), n
        ),
    }
    if keep:
        parts["keep"] = box((2 * keep[0], 2 * keep[0], keep[1]), at=(0, 0.15, keep[1] / 2))
        parts["keep roof"] = lathe([(1.5 * keep[0], 0), (0.04, draw.between(0.4, 0.8))], at=(0, 0.15, keep[1]))
    return parts


def windmill(draw: Draw) -> Parts:
    """A tapering tower with a cap and large sails."""
    wide, tall, taper = draw.between(0.45, 0.65), draw.between(1.4, 1.9), draw.between(0.55, 0.8)
    n, reach, phase = draw.one_of(4, 4, 4, 6), draw.between(0.95, 1.25), draw.between(0, 90)
    width, upper = draw.between(0.28, 0.42), wide * taper
    hub = (0.0, -upper - 0.22, tall + 0.02)
    shifted = draw.one_of(0.0, 0.35 * width)
    sail = joined(
        bar((0, 0, 0), (reach, 0, 0), 0.055),
        *(box((0.05, width, 0.09), at=(x * reach, shifted, 0.02)) for x in (0.34, 0.56, 0.78, 0.98)),
    )
    cloth = box((0.7 * reach, width, 0.05), at=(0.65 * reach, shifted, -0.03))
    turned = (90.0, phase, 0.0)
    cap = draw.one_of(
        ball((1.1 * upper, 1.15 * upper, draw.between(0.3, 0.45))),
        lathe([(1.15 * upper, -0.05), (0.04, draw.between(0.4, 0.7))]),
    )
    parts = {
        "tower": rod(wide, tall, top=upper, at=(0, 0, tall / 2)),
        "cap": placed(cap, at=(0, 0, tall)),
        "arms": placed(around(sail, n), at=hub, turned=turned),
        "sails": placed(around(cloth, n), at=hub, turned=turned),
        "hub": joined(ball(0.13, at=hub), bar(hub, (0, 0, tall), 0.09)),
        "door": slab(arched(0.3, 0.3, 0.14), 0.2, at=(0, -wide + 0.07, 0), turned=_FACING),
        "windows": joined(
            *(
                box((0.2, 0.2, 0.2), at=on((r := wide - (wide - upper) * z, r, 0), a, 0, at=(0, 0, z * tall)))
                for a, z in ((0, 0.52), (90, 0.4), (180, 0.55), (270, 0.4))
            )
        ),
    }
    if draw.yes(0.4):
        z = draw.between(0.3, 0.42)
        parts["gallery"] = rod(1.35 * (wide - (wide - upper) * z), 0.1, at=(0, 0, z * tall))
    return parts


def robot(draw: Draw) -> Parts:
    """A head with eyes and antenna on a square trunk with jointed arms."""
    wide, deep, tall = draw.between(0.38, 0.6), draw.between(0.26, 0.4), draw.between(0.42, 0.62)
    head, high, neck = draw.between(0.3, 0.42), draw.between(0.24, 0.34), draw.between(0.08, 0.18)
    stride, leg, arm = 0.6 * wide, draw.between(0.5, 0.75), draw.between(0.35, 0.55)
    z, raised = tall + neck + high, draw.between(-0.25, 0.3)
    hand = (wide + arm, -0.35, 0.5 * tall + raised - 0.5)
    joints = [(wide + 0.05, 0.0, 0.7 * tall), (wide + 0.75 * arm, 0.0, 0.55 * tall + 0.4 * raised - 0.2), hand]
    legs = draw.one_of(
        both(
            joined(
                rod(0.12, leg, at=(stride, 0, -tall - leg / 2)), box((0.3, 0.46, 0.16), at=(stride, -0.08, -tall - leg))
            )
        ),
        both(
            joined(
                box((0.26, 0.3, leg), at=(stride, 0, -tall - leg / 2)),
                box((0.34, 0.5, 0.14), at=(stride, -0.08, -tall - leg)),
            )
        ),
        both(joined(rod(0.1, 0.2, at=(stride, 0, -tall - 0.08)), box((0.28, 1.0, 0.3), at=(stride, 0, -tall - 0.26)))),
    )
    square = draw.yes(0.6)
    front = 0.9 * deep if square else 0.87 * head
    return {
        "trunk": box((2 * wide, 2 * deep, 2 * tall)),
        "head": box((2 * head, 1.8 * deep, 2 * high), at=(0, 0, z)) if square else rod(head, 2 * high, at=(0, 0, z)),
        "eyes": both(ball(0.1, at=(0.45 * head, -front, z + 0.05))),
        "neck": rod(0.13, neck + 0.2, at=(0, 0, tall + neck / 2)),
        "antennae": _antennae(draw.whole(1, 2), 0.5 * head, z + high, draw.between(0.2, 0.4)),
        "arms": both(joined(*(bar(a, b, 0.09) for a, b in pairwise(joints)))),
        "joints": both(joined(*(ball(0.14, at=j) for j in joints[:2]))),
        "hands": both(placed(hoop(0.16, 0.07), at=hand, turned=(60, 0, 0))),
        "legs": legs,
        "panel": box((1.2 * wide, 0.1, 0.7 * tall), at=(0, -deep, draw.between(-0.2, 0.2))),
    }


def umbrella(draw: Draw) -> Parts:
    """Open: a ribbed canopy over a stick with a handle."""
    n, deep, wide = 2 * draw.whole(3, 5), draw.between(0.3, 0.75), draw.between(0.9, 1.15)
    stick, tilt = draw.between(1.2, 1.7), draw.between(0, 22) * draw.one_of(-1, 1)
    gore = wrapped(_wedge(n, wide, deep, draw.between(1.5, 2.6)))
    hook, low = draw.between(0.16, 0.26), -stick
    crook = tube(
        [
            (0, 0, low),
            (0, 0, low - 0.2),
            (hook, 0, low - 0.2 - hook),
            (2 * hook, 0, low - 0.2),
            (2 * hook, 0, low - 0.05),
        ],
        0.09,
    )
    grip = joined(rod(0.1, 0.45, at=(0, 0, low)), ball(0.13, at=(0, 0, low - 0.22)))
    parts = {
        "canopy": around(gore, n // 2),
        "panels": placed(around(gore, n // 2), turned=(0, 0, 360 / n)),
        "stick": bar((0, 0, deep - 0.1), (0, 0, low), 0.055),
        "handle": crook if draw.yes(0.75) else grip,
        "tip": rod(0.08, draw.between(0.2, 0.35), top=0.03, at=(0, 0, deep + 0.08)),
        "rib ends": around(ball(0.07, at=(wide, 0, 0)), n),
    }
    return {name: placed(mesh, turned=(0, tilt, 0)) for name, mesh in parts.items()}


def _antennae(n: int, x: float, z: float, length: float) -> trimesh.Trimesh:
    """One antenna in the middle or two at `x`."""
    one = joined(rod(0.05, length + 0.05, at=(0, 0, z + length / 2)), ball(0.11, at=(0, 0, z + length)))
    return one if n == 1 else both(placed(one, at=(x, 0, 0)))


def _wedge(n: int, wide: float, deep: float, bulge: float) -> list[Triple]:
    """Corners of one of `n` gores of a canopy that falls by `deep`, evenly (`bulge` 1) or ever more steeply."""
    rim = [(wide * s, deep * (1 - s**bulge)) for s in (0.0, 0.3, 0.6, 0.85, 1.0)]
    edges = [(float(np.cos(a)), float(np.sin(a))) for a in (0.0, 2 * np.pi / n)]
    return [(r * c, r * s, z + drop) for r, z in rim for c, s in edges for drop in (0.0, -0.08)]


MAKERS = {"castle": castle, "windmill": windmill, "robot": robot, "umbrella": umbrella}
