"""Devices of the house."""

import numpy as np
import trimesh

from calibration.objects.categories.arranged import bar, in_row
from calibration.objects.categories.forms import arched, around, both, oval, placed, posed, smooth
from calibration.objects.categories.household import four_legs
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import Triple, ball, box, hoop, joined, lathe, rod, slab, tube

_UPRIGHT = (90.0, 0.0, 0.0)
_PROFILE = (90.0, 0.0, 90.0)  # an outline of (y, z), drawn out along x


def clock(draw: Draw) -> Parts:
    """An alarm clock: a dial with two hands to either side, on two feet, with bells and a bow above."""
    deep, rim, sides = draw.between(0.3, 0.6), 0.85 + draw.between(0.06, 0.12), draw.one_of(8, 6, 48, 48)
    bell, out, bow = draw.between(0.22, 0.34), draw.between(28, 45), draw.between(0.15, 0.4)
    face, turn = deep / 2, (0.0, 0.0, 180 / sides)
    hands = joined(
        *(placed(box((0.1, r, 0.06), at=(0, r / 2, 0)), turned=(0, 0, draw.between(0, 360))) for r in (0.4, 0.6))
    )
    # As seen from above a dial that lies; the other dial is the same turned over.
    dial = {
        "rim": placed(_prism(rim, 0.12, sides), at=(0, 0, face), turned=turn),
        "dial": _prism(0.74, 0.08, 48, at=(0, 0, face + 0.04)),
        "marks": around(box((0.09, 0.14, 0.06), at=(0, 0.6, face + 0.08)), draw.one_of(4, 8, 12)),
        "hands": placed(hands, at=(0, 0, face + 0.1)),
    }
    dials = {name: joined(mesh, placed(mesh, turned=(0, 180, 0))) for name, mesh in dial.items()}
    case = placed(_prism(0.85, deep, sides), turned=turn)
    dome = lathe([(bell, 0), (bell * 0.9, bell * 0.5), (bell * 0.5, bell * 0.85), (0.07, bell)])
    foot = rim + draw.between(0.15, 0.3)
    arch = [_over(out, rim + bell), (0.0, 0.0, rim + bell + bow), _over(-out, rim + bell)]
    return {
        **posed({"case": case, **dials}, turned=_UPRIGHT),
        "bells": both(
            joined(
                placed(dome, at=_over(out, rim + 0.08), turned=(0, out, 0)),
                bar(_over(out, 0.7), _over(out, rim + 0.2), 0.06),
            )
        ),
        "bow": tube(arch, 0.06),
        "feet": both(tube([_over(out, -0.7), _over(out, -foot)], [0.08, 0.11])),
    }


def fan(draw: Draw) -> Parts:
    """Blades in a round cage before a motor, on a stand."""
    n, wide, pitch = draw.whole(3, 6), draw.between(0.14, 0.28), draw.between(15, 35)
    tall, deep, foot = draw.between(0.9, 1.8), draw.between(0.16, 0.26), draw.between(0.4, 0.6)
    petal = [(0.05, -0.05), (0.3, -wide), (0.55, -wide * 0.7), (0.58, wide * 0.3), (0.3, wide * 0.6), (0.05, 0.05)]
    blade = placed(slab(smooth(petal), 0.07), turned=(pitch, 0, 0))
    wire = tube([(0.08, 0, deep), (0.4, 0, deep * 0.9), (0.68, 0, 0)], 0.035)
    ring = hoop(draw.between(0.3, 0.5), 0.035, at=(0, 0, deep * 0.9))
    cage = around(both(wire, axis=2), draw.whole(5, 9))
    head = {
        "blades": around(blade, n),
        "cage": joined(hoop(0.7, draw.between(0.05, 0.08)), both(ring, axis=2), cage),
        "hub": rod(0.15, 2 * deep + 0.08),
        "motor": lathe(smooth([(0.22, -deep - 0.35), (0.26, -deep - 0.2), (0.24, -deep)])),
    }
    return {
        **posed(head, at=(0, -0.3, tall), turned=(90 - draw.between(0, 15), 0, 0)),
        "stand": rod(0.08, tall, at=(0, 0.05, tall / 2), top=0.06),
        "base": _base(draw, foot),
    }


def television(draw: Draw) -> Parts:
    """A deep box with a screen, knobs and two aerials, on legs."""
    wide, high, deep = draw.between(1.2, 1.8), draw.between(0.85, 1.15), draw.between(0.4, 0.8)
    bezel, panel, leg = draw.between(0.08, 0.14), draw.between(0.24, 0.36), draw.between(0.14, 0.5)
    lean, reach, front, knobs = draw.between(18, 42), draw.between(0.5, 0.9), -deep / 2, draw.whole(1, 3)
    x, glass = (wide - bezel - panel) / 2, (wide - panel - 2 * bezel, high - 2 * bezel)
    out, _, up = _over(lean, reach)
    tip = (out, 0.0, high + up)
    pane: Triple = (-panel / 2, front, high / 2)
    bulge = ball((glass[0] * 0.46, 0.09, glass[1] * 0.46), at=pane)
    knob = rod(panel * 0.3, 0.16, at=(x, front - 0.05, high * 0.75 - panel * 0.2), turned=_UPRIGHT)
    slot = box((panel * 0.75, 0.06, 0.06), at=(x, front - 0.02, high * 0.22))
    tube_end = rod(wide * 0.35, 0.3, at=(0, deep / 2 + 0.1, high / 2), turned=(-90, 0, 0), top=wide * 0.28)
    return {
        "body": joined(box((wide, deep, high), at=(0, 0, high / 2)), tube_end),
        "screen": joined(box((glass[0], 0.06, glass[1]), at=pane), bulge),
        "knobs": in_row(knob, knobs, (0, 0, panel * 0.68)),
        "slots": in_row(slot, draw.whole(1, 3), (0, 0, 0.1)),
        "aerials": joined(
            both(joined(tube([(0.05, 0, high), tip], 0.045), ball(0.085, at=tip))),
            ball((0.2, 0.16, 0.1), at=(0, 0, high)),
        ),
        "legs": four_legs(0.06, 0.03, wide * 0.7, deep * 0.6, low=-leg, splay=1.3),
    }


def telephone(draw: Draw) -> Parts:
    """A handset across the cradle of a wedge with a dial or keys."""
    wide, deep, low = draw.between(0.8, 1.3), draw.between(0.8, 1.1), draw.between(0.14, 0.25)
    high, cup, reach = draw.between(0.4, 0.75), draw.between(0.17, 0.24), draw.between(0.46, 0.58)
    shelf, lift, thick = deep * 0.35, draw.between(0.16, 0.24), draw.between(0.08, 0.12)
    slope = float(np.degrees(np.arctan2(high - low, deep - shelf)))
    wedge = [(-deep / 2, 0), (deep / 2, 0), (deep / 2, high), (deep / 2 - shelf, high), (-deep / 2, low)]
    size = min(wide, deep - shelf) * draw.between(0.36, 0.42)
    ear = rod(cup, 0.18, at=(reach, 0, 0), top=cup * 0.75)
    grip = tube([(-reach, 0, 0.05), (-reach / 2, 0, 0.2), (reach / 2, 0, 0.2), (reach, 0, 0.05)], thick)
    a = np.linspace(0, 9, 37)
    drop = (high + lift - 0.1) / 9
    coil = [-reach - 0.05 - 0.02 * a + 0.07 * np.cos(2 * a), 0.07 * np.sin(2 * a) - 0.1, -0.05 - drop * a]
    prong = box((0.1, 0.1, 0.3), at=(wide * 0.28, 0, -lift + 0.1))
    above = {
        "cradle": both(in_row(prong, 2, (0, 0.32, 0))),
        "handset": joined(grip, both(ear)),
        "cord": tube(np.column_stack(coil), 0.045),
    }
    return {
        "body": slab(wedge, wide, turned=_PROFILE),
        **posed(draw.one_of(_dial, _keys)(size), at=(0, -shelf / 2, (high + low) / 2), turned=(slope, 0, 0)),
        **posed(above, at=(0, (deep - shelf) / 2, high + lift)),
    }


def camera(draw: Draw) -> Parts:
    """A body with a stepped lens, a finder and a release above."""
    wide, high, deep = draw.between(1.2, 1.8), draw.between(0.8, 1.1), draw.between(0.35, 0.55)
    lens, step, n = draw.between(0.3, 0.42), draw.between(0.15, 0.35), draw.whole(1, 3)
    hump, shift, x = draw.between(0.35, 0.55), draw.one_of(0.0, 0.0, -0.3, 0.3) * wide, draw.one_of(0, 0, -0.12) * wide
    front, glass, z = -deep / 2, lens * (0.9 - 0.1 * n), high * 0.47
    barrels = [
        rod(lens * (1 - 0.12 * i), step + 0.04, at=(x, front - step * (i + 0.5), z), turned=_UPRIGHT) for i in range(n)
    ]
    roof = arched(hump, 0.2, draw.between(0.02, 0.15))
    return {
        "body": joined(
            box((wide, deep, high), at=(0, 0, high / 2)), both(rod(deep / 2, high, at=(wide / 2, 0, high / 2)))
        ),
        "band": box((wide * 0.99, deep + 0.06, high * draw.between(0.4, 0.65)), at=(0, 0, high * 0.45)),
        "lens": joined(*barrels),
        "glass": ball((glass, 0.09, glass), at=(x, front - step * n, z)),
        "finder": slab(roof, deep * 0.9, at=(shift, 0, high - 0.01), turned=_UPRIGHT),
        "window": box((hump * 0.55, deep + 0.02, 0.13), at=(shift, 0, high + 0.12)),
        "buttons": joined(
            rod(0.1, 0.16, at=(wide * 0.42, 0, high + 0.04)), rod(0.15, 0.12, at=(-wide * 0.42, 0, high + 0.03))
        ),
    }


def globe(draw: Draw) -> Parts:
    """A ball with lands on a tilted axis in a ring, on a foot."""
    tilt, ring, stem = draw.between(10, 35), draw.between(0.05, 0.09), draw.between(0.15, 0.7)
    foot, bottom = draw.between(0.4, 0.65), -0.91 - stem
    lands = []
    for _ in range(draw.whole(5, 8)):
        land = ball((0.12, draw.between(0.2, 0.38), draw.between(0.18, 0.34)), at=(0.66, 0, 0))
        lands.append(placed(land, turned=(0, draw.between(-55, 55), draw.between(0, 360))))
    half = tube([_over(a, 0.86) for a in np.linspace(0, 180, 9)], ring)
    turning = {
        "ball": ball(0.72),
        "lands": joined(*lands),
        "ring": draw.one_of(half, half, hoop(0.86, ring, turned=_UPRIGHT)),
        "axis": rod(0.05, 1.84),
    }
    return {
        **posed(turning, turned=(0, tilt, 0)),
        "stem": rod(0.1, stem + 0.15, at=(0, 0, bottom + stem / 2), top=0.08),
        "base": placed(_base(draw, foot), at=(0, 0, bottom)),
    }


def _base(draw: Draw, radius: float) -> trimesh.Trimesh:
    """A foot to stand a stem on: round, square or spread like a star."""
    toe = tube([(0, 0, 0.24), (radius * 0.5, 0, 0.13), (radius * 1.1, 0, 0.06)], 0.07)
    return draw.one_of(
        rod(radius, 0.14, at=(0, 0, 0.07), top=radius * 0.75),
        box((1.6 * radius, 1.4 * radius, 0.15), at=(0, 0, 0.07)),
        around(toe, draw.whole(3, 5)),
    )


def _prism(radius: float, high: float, sides: int, *, at: Triple = (0.0, 0.0, 0.0)) -> trimesh.Trimesh:
    """A disc with `sides` corners."""
    return slab(oval(radius, radius, n=sides), high, at=at)


def _over(degrees: float, distance: float) -> Triple:
    """The point at this distance and angle from straight up, towards +x."""
    return (distance * float(np.sin(np.radians(degrees))), 0.0, distance * float(np.cos(np.radians(degrees))))


def _dial(size: float) -> Parts:
    """A round dial with finger holes, in the xy plane."""
    hole = rod(size * 0.17, 0.06, at=(size * 0.7, 0, 0.07))
    return {"dial": rod(size, 0.12), "holes": joined(around(hole, 9), rod(size * 0.3, 0.06, at=(0, 0, 0.07)))}


def _keys(size: float) -> Parts:
    """A plate with rows of keys, in the xy plane."""
    key = box((size * 0.36, size * 0.32, 0.1), at=(0, 0, 0.08))
    keys = in_row(in_row(key, 3, (size * 0.54, 0, 0)), 4, (0, size * 0.46, 0))
    return {"dial": box((size * 1.8, size * 2, 0.1)), "keys": keys}


MAKERS = {
    "clock": clock,
    "fan": fan,
    "television": television,
    "telephone": telephone,
    "camera": camera,
    "globe": globe,
}
