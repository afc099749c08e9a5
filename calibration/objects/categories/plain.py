"""Plain things, and the example that every other theme follows.

A maker gives an object what people know it by, and draws what may differ: proportions, counts, kinds of parts. "Front"
(-y) is the side that it is known from, so that a car shows its length. Lengths are in whatever unit suits.
"""

import numpy as np
import trimesh

from calibration.objects.categories.forms import both
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import ball, box, hoop, joined, lathe, rod, slab, tube

UPRIGHT = (90.0, 0.0, 0.0)
"""Turns an outline of (x, y) into one of (x, z), thick along y; a rod along z into one along y."""
SIDES = (-1, 1)


def four_legs(x: float, y: float, height: float, foot: float, top: float) -> trimesh.Trimesh:
    """Legs under the corners (+-x, +-y), from the ground up."""
    return joined(*(rod(foot, height, at=(i * x, j * y, height / 2), top=top) for i in SIDES for j in SIDES))


def car(draw: Draw) -> Parts:
    """A long body on four wheels under a cabin with windows: saloons, estates, vans, pick-ups."""
    long, wide = draw.between(3.4, 4.6), draw.between(1.5, 1.9)
    high, wheel = draw.between(0.6, 0.8), draw.between(0.32, 0.45)
    rear, roof = draw.one_of(-0.48, -0.32, -0.12), draw.between(0.45, 0.75)
    x, y, low = long / 2, wide / 2, wheel * 0.8
    belt = low + high
    cabin = [
        (rear * long, belt),
        (0.27 * long, belt),
        (0.1 * long, belt + roof),
        (max(rear + 0.07, -0.45) * long, belt + roof),
    ]
    body = [(-x, low), (x, low), (x, low + 0.55 * high), (0.25 * long, belt), (-x + 0.1, belt), (-x, low + 0.6 * high)]
    middle, centre = np.mean(cabin, axis=0), (0.0, 0.0, 0.0)
    panes = [tuple(middle + 0.78 * (np.array(corner) - middle)) for corner in cabin]
    wheels = [(i * 0.31 * long, j * (y - 0.05), wheel) for i in SIDES for j in SIDES]
    return {
        "body": slab(body, wide, at=centre, turned=UPRIGHT),
        "cabin": slab(cabin, 0.86 * wide, turned=UPRIGHT),
        "windows": slab(panes, 0.9 * wide, turned=UPRIGHT),
        "wheels": joined(*(rod(wheel, 0.28, at=at, turned=UPRIGHT) for at in wheels)),
        "hubs": joined(*(rod(0.5 * wheel, 0.34, at=at, turned=UPRIGHT) for at in wheels)),
        "lamps": joined(*(ball(0.13, at=(x, j * 0.7 * y, low + 0.4 * high)) for j in SIDES)),
    }


def chair(draw: Draw) -> Parts:
    """A seat on legs, with a back of rails, spindles or a board, and arms to some."""
    wide, deep = draw.between(0.8, 1.2), draw.between(0.8, 1.1)
    high, tall = draw.between(0.7, 1.1), draw.between(0.7, 1.3)
    x, y, thick, n = wide / 2 - 0.06, deep / 2 - 0.06, draw.between(0.1, 0.2), draw.whole(2, 4)
    rail = box((wide, 0.08, 0.16), at=(0, y, high + tall))
    level = box((wide - 0.1, 0.06, 0.4 * tall / n))
    back = {
        "rails": [level.copy().apply_translation((0, y, high + tall * (i + 0.5) / (n + 0.5))) for i in range(1, n)],
        "spindles": [rod(0.035, tall, at=(0.8 * x * i / n, y, high + tall / 2)) for i in range(-n, n + 1)],
        "board": [box((wide - 0.1, 0.07, 0.75 * tall), at=(0, y, high + 0.6 * tall))],
    }[draw.one_of("rails", "spindles", "board")]
    posts = [rod(0.055, tall, at=(i * x, y, high + tall / 2)) for i in SIDES]
    parts = {"seat": box((wide, deep, thick), at=(0, 0, high)), "back": joined(rail, *back), "posts": joined(*posts)}
    if draw.yes(0.4):
        parts["arms"] = joined(
            *(tube([(i * x, y, high + 0.4), (i * x, -y, high + 0.4), (i * x, -y, high)], 0.05) for i in SIDES)
        )
    return parts | {"legs": four_legs(x, y, high, draw.between(0.03, 0.06), 0.06)}


def house(draw: Draw) -> Parts:
    """Walls under a gabled roof, with a door, windows on each floor and a chimney."""
    wide, deep, floors, rise = draw.between(1.8, 2.8), draw.between(1.4, 2.0), draw.whole(1, 2), draw.between(0.7, 1.3)
    n, eaves, door_at = draw.whole(2, 3), 1.1 * floors, draw.one_of(-1, 0, 1)
    front, pitch = -deep / 2, 0.62 * wide if (gable := draw.yes()) else 0.62 * deep
    roof = slab(
        [(-pitch, 0), (pitch, 0), (0, rise)], 1.15 * (deep if gable else wide), at=(0, 0, eaves), turned=UPRIGHT
    )
    if not gable:
        roof.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, (0, 0, 1)))
    columns = [(i - (n - 1) / 2) * wide / n for i in range(n)]
    doorway = columns[n // 2 if door_at == 0 else (0 if door_at < 0 else n - 1)]
    holes = [(x, 1.1 * k + 0.62) for k in range(floors) for x in columns if k or x != doorway]
    parts = {
        "walls": box((wide, deep, eaves), at=(0, 0, eaves / 2)),
        "roof": roof,
        "door": box((0.4, 0.1, 0.8), at=(doorway, front, 0.4)),
        "windows": joined(*(box((0.38, deep + 0.08, draw.between(0.38, 0.5)), at=(x, 0, z)) for x, z in holes)),
    }
    chimney = box(
        (0.28, 0.28, rise + 0.2), at=(0.3 * wide * draw.one_of(*SIDES), 0.15 * deep, eaves + 0.5 * rise + 0.2)
    )
    return parts | {"chimney": chimney} if draw.yes(0.8) else parts


def ladder(draw: Draw) -> Parts:
    """Two long rails with rungs between; some stand on a second pair of legs."""
    n, half, taper = draw.whole(4, 8), draw.between(0.3, 0.55), draw.between(0.6, 1.0)
    high, thick, spread = 0.42 * n + 0.5, draw.between(0.05, 0.08), draw.between(0.5, 0.9)
    folding = draw.yes()
    lean = spread if folding else 0.25 * spread
    ends = [((i * half, -lean, 0), (i * half * taper, 0, high)) for i in SIDES]
    levels = (np.arange(n) + 0.7) / n * 0.95
    flat = draw.yes()
    rungs = []
    for t in levels:
        wide, at = 2 * half * (1 - t + taper * t), (0, -lean * (1 - t), high * t)
        rungs.append(box((wide, 0.22, 0.07), at=at) if flat else rod(0.6 * thick, wide, at=at, turned=(0, 90, 0)))
    parts = {"rails": joined(*(tube(end, thick) for end in ends)), "rungs": joined(*rungs)}
    parts["feet"] = joined(*(ball(1.8 * thick, at=foot) for foot, _ in ends))
    if folding:
        back = [tube([(i * half, lean, 0), (i * half * taper, 0, high)], 0.8 * thick) for i in SIDES]
        bars = [rod(0.6 * thick, 1.9 * half, at=(0, lean * (1 - t), high * t), turned=(0, 90, 0)) for t in (0.25, 0.6)]
        parts |= {"back": joined(*back, *bars), "cap": box((2.4 * half * taper, 0.4, 0.1), at=(0, 0, high))}
    return parts


def snowman(draw: Draw) -> Parts:
    """Balls of snow on top of each other with a carrot nose, eyes, buttons, arms of twigs, a hat and a scarf."""
    n, shrink, base = draw.whole(2, 3), draw.between(0.68, 0.8), 1.0
    radii = [base * shrink**i for i in range(n)]
    heights = [radii[0] * 0.9 + 0.85 * sum(radii[i] + radii[i + 1] for i in range(k)) for k in range(n)]
    (r, top), (chest, middle) = (radii[-1], heights[-1]), (radii[-2], heights[-2])
    eyes = [ball(0.13 * r, at=(i * 0.35 * r, -0.88 * r, top + 0.3 * r)) for i in SIDES]
    tilt = np.radians(np.linspace(-25, 40, draw.whole(2, 4)))
    buttons = [ball(0.1, at=(0, -0.98 * chest * np.cos(a), middle + 0.98 * chest * np.sin(a))) for a in tilt]
    nose = draw.between(0.5, 0.9) * r
    lift, reach = draw.between(-0.2, 0.7), draw.between(0.6, 1.0)
    twig = [
        (0.8 * chest, 0, middle + 0.2),
        (chest + 0.5 * reach, 0, middle + 0.3 + lift / 2),
        (chest + reach, 0, middle + lift),
    ]
    arm = tube(twig, [0.08, 0.06, 0.03])
    brim, crown, tall = 1.05 * r, 0.7 * r, draw.between(0.6, 1.1) * r
    hat = {
        "top hat": [(brim, 0.0), (brim, 0.1), (crown, 0.1), (1.05 * crown, tall)],
        "cap": [(0.95 * r, -0.1), (0.95 * r, 0.15), (0.8 * r, 0.5 * r), (0.3 * r, 0.75 * r)],
        "bucket": [(0.85 * r, 0.0), (0.55 * r, tall)],
    }[draw.one_of("top hat", "cap", "bucket")]
    parts = {
        "body": joined(*(ball(radius, at=(0, 0, z)) for radius, z in zip(radii, heights, strict=True))),
        "nose": rod(0.16 * r, nose, at=(0, -0.9 * r - nose / 2, top), turned=(90, 0, 0), top=0),
        "coals": joined(*eyes, *buttons),
        "arms": both(arm),
        "hat": lathe(hat, at=(0, 0, top + 0.6 * r)),
    }
    if draw.yes(0.6):
        parts["scarf"] = hoop(0.72 * r, 0.22 * r, at=(0, 0, top - 0.75 * r))
    return parts


def table(draw: Draw) -> Parts:
    """A round or square top on four legs or one foot, with a shelf or drawers below to some."""
    wide, deep, high = draw.between(1.4, 2.6), draw.between(1.1, 1.5), draw.between(0.8, 1.3)
    thick, leg = draw.between(0.08, 0.16), draw.between(0.05, 0.1)
    if draw.yes(0.4):
        top = rod(wide / 2, thick, at=(0, 0, high))
        foot = lathe(
            [
                (0.5 * wide / 2, 0),
                (0.45 * wide / 2, 0.08),
                (leg, 0.2),
                (2 * leg, high / 2),
                (leg, 0.8 * high),
                (0.4, high),
            ]
        )
        legs = foot if draw.yes() else four_legs(0.3 * wide, 0.3 * wide, high, leg, 0.9 * leg)
        return {"top": top, "legs": legs, "edge": hoop(wide / 2, 0.5 * thick, at=(0, 0, high))}
    parts = {
        "top": box((wide, deep, thick), at=(0, 0, high)),
        "legs": four_legs(wide / 2 - 0.15, deep / 2 - 0.15, high, leg, 1.4 * leg),
    }
    if draw.yes():
        return parts | {"shelf": box((wide - 0.3, deep - 0.3, 0.06), at=(0, 0, draw.between(0.2, 0.4)))}
    n, low = draw.whole(1, 3), high - 0.17
    knobs = [ball(0.06, at=((i - (n - 1) / 2) * 0.8 * wide / n, -deep / 2 + 0.05, low)) for i in range(n)]
    return parts | {"frame": box((wide - 0.2, deep - 0.2, 0.25), at=(0, 0, low)), "knobs": joined(*knobs)}


MAKERS = {
    "car": car,
    "chair": chair,
    "house": house,
    "ladder": ladder,
    "snowman": snowman,
    "table": table,
}
