"""Furniture and devices."""

import numpy as np
import trimesh

from calibration.objects.categories.forms import arched, around, both, placed, posed, smooth, stretched
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import Triple, ball, box, hoop, joined, lathe, rod, slab, tube

_UPRIGHT = (90.0, 0.0, 0.0)
_ALONG_X = (0.0, 90.0, 0.0)
_PROFILE = (90.0, 0.0, 90.0)  # an outline of (y, z), drawn out along x


def bed(draw: Draw) -> Parts:
    """A mattress in a frame with pillows at a headboard and a blanket at the feet."""
    wide, long, leg = draw.between(0.8, 1.6), draw.between(1.7, 2.1), draw.between(0.12, 0.4)
    soft, head = draw.between(0.16, 0.3), draw.between(0.45, 0.9)
    floor, top = leg + 0.14, leg + 0.14 + soft
    n, pillow = (2 if wide > 1.1 else 1), draw.between(0.8, 1.0)
    boards = [placed(_board(draw, wide + 0.1, top + head), at=(0, long / 2, 0))]
    if draw.yes():
        boards.append(box((wide + 0.1, 0.1, top + 0.12), at=(0, -long / 2, (top + 0.12) / 2)))
    spread, blanket = wide / n, draw.between(0.45, 0.7) * long
    pillows = [
        ball((spread * 0.4 * pillow, 0.2, 0.11), at=((i - (n - 1) / 2) * spread, long * 0.36, top + 0.08))
        for i in range(n)
    ]
    parts = {
        "boards": joined(*boards),
        "frame": box((wide, long, 0.14), at=(0, 0, leg + 0.07)),
        "legs": _legs(draw.between(0.05, 0.09), leg + 0.07, wide - 0.2, long - 0.2),
        "mattress": box((wide - 0.04, long - 0.06, soft), at=(0, 0, floor + soft / 2)),
        "pillows": joined(*pillows),
        "blanket": box(
            (wide + 0.06, blanket, soft + 0.06), at=(0, -long / 2 + 0.03 + blanket / 2, floor + soft / 2 + 0.03)
        ),
    }
    return posed(parts, turned=(0, 0, 50))


def sofa(draw: Draw) -> Parts:
    """Cushions in a row between two arms before a long back."""
    n, seat, deep = draw.whole(2, 4), draw.between(0.45, 0.6), draw.between(0.7, 0.95)
    wide, low, back = n * seat, draw.between(0.1, 0.25), draw.between(0.5, 0.8)
    arm, arm_high, roll = draw.between(0.14, 0.3), draw.between(0.28, 0.45), draw.yes()
    side = box((arm, deep, arm_high + 0.2), at=(wide / 2 + arm / 2, 0, low + arm_high / 2 + 0.1))
    if roll:
        side = joined(
            side, rod(arm * 0.7, deep + 0.04, at=(wide / 2 + arm * 0.6, 0, low + arm_high + 0.2), turned=_UPRIGHT)
        )
    places = [(i - (n - 1) / 2) * seat for i in range(n)]
    rest, backs = draw.between(0.3, 0.45), draw.yes(0.7)
    return {
        "base": joined(
            box((wide, deep, 0.22), at=(0, 0, low + 0.11)),
            box((wide, 0.18, back), at=(0, deep / 2 - 0.09, low + back / 2)),
        ),
        "arms": both(side),
        "seats": joined(*(box((seat - 0.03, deep - 0.1, 0.16), at=(x, -0.08, low + 0.28)) for x in places)),
        "cushions": joined(
            *(
                ball((rest * (0.5 if backs else 0.4), 0.14, rest * 0.5), at=(x, deep / 2 - 0.26, low + 0.5))
                for x in places
            )
        ),
        "feet": _legs(draw.between(0.05, 0.08), low + 0.05, wide + arm, deep - 0.2, splay=1.2),
    }


def lamp(draw: Draw) -> Parts:
    """A shade open below, with the bulb in it, on a stem with a broad foot."""
    high, foot = draw.between(0.8, 1.6), draw.between(0.3, 0.45)
    low, top, tall = draw.between(0.45, 0.65), draw.between(0.15, 0.42), draw.between(0.45, 0.7)
    neck, beads = high - tall * 0.3, draw.whole(0, 3)
    stem = [rod(draw.between(0.05, 0.08), neck, at=(0, 0, neck / 2))]
    stem += [ball(draw.between(0.12, 0.19), at=(0, 0, neck * (i + 0.7) / (beads + 1))) for i in range(beads)]
    base = draw.one_of(
        rod(foot, 0.1, at=(0, 0, 0.05)),
        box((1.7 * foot, 1.7 * foot, 0.14), at=(0, 0, 0.07)),
        lathe(smooth([(foot, 0.0), (foot * 0.9, 0.12), (0.12, 0.3)])),
    )
    waist = (low + top) / 2 - draw.one_of(0.0, 0.12)
    outer = smooth([(low, high - tall / 2), (waist, high), (top, high + tall / 2)])
    inner = [(r - 0.05, z) for r, z in reversed(outer)]
    return {
        "shade": lathe([*outer, *inner, outer[0]]),
        "stem": joined(*stem),
        "foot": base,
        "bulb": joined(
            ball((0.14, 0.14, 0.18), at=(0, 0, neck + 0.1)), rod(0.05, tall * 0.8, at=(0, 0, neck + tall * 0.1))
        ),
        "spokes": around(tube([(0.0, 0, high + tall * 0.4), (top / 2 + 0.1, 0, high + tall * 0.4)], 0.045), 3),
    }


def clock(draw: Draw) -> Parts:
    """An alarm clock: a dial with two hands, two feet, and bells with a bow above."""
    deep, rim, bell = draw.between(0.3, 0.6), draw.between(0.06, 0.12), draw.between(0.22, 0.34)
    sides, marks = draw.one_of(8, 6, 48, 48), draw.one_of(4, 8, 12)
    hours, minutes = draw.between(0, 360), draw.between(0, 360)
    turn = 180 / sides
    front = -deep / 2
    case = placed(_prism(0.85, deep, sides), turned=(0, 0, turn))
    edge = joined(
        *(placed(_prism(0.85 + rim, 0.12, sides), turned=(0, 0, turn), at=(0, 0, z)) for z in (front, -front))
    )
    mark = joined(*(box((0.07, 0.14, 0.06), at=(0, 0.6, z)) for z in (front - 0.07, -front + 0.07)))
    hand = [_hand(hours, 0.4, -front + 0.1), _hand(minutes, 0.6, -front + 0.1)]
    dial = joined(*(_prism(0.74, 0.08, 48, at=z) for z in (front - 0.04, -front + 0.04)))
    out = draw.between(28, 45)
    high = 0.85 + rim
    round_, stalk = _over(out, high + 0.08), tube([_over(out, 0.7), _over(out, high + 0.2)], 0.06)
    bells = joined(
        lathe(
            [(bell, 0), (bell * 0.9, bell * 0.5), (bell * 0.5, bell * 0.85), (0.07, bell)],
            at=round_,
            turned=(0, out, 0),
        )
    )
    feet = tube([_over(out, -0.7), _over(out, -high - draw.between(0.15, 0.3))], [0.08, 0.11])
    bow = tube([_over(out, high + bell), (0, 0, high + bell + draw.between(0.15, 0.4)), _over(-out, high + bell)], 0.06)
    upright = posed(
        {
            "case": case,
            "rim": edge,
            "dial": dial,
            "marks": around(mark, marks),
            "hands": joined(*hand, placed(joined(*hand), turned=(0, 180, 0))),
        },
        turned=_UPRIGHT,
    )
    return {**upright, "bells": both(joined(bells, stalk)), "bow": bow, "feet": both(feet)}


def door(draw: Draw) -> Parts:
    """A panelled leaf with a knob, ajar in its frame above a step."""
    wide, high, beam = draw.between(0.8, 1.1), draw.between(1.6, 2.0), draw.between(0.12, 0.2)
    rise, rows, columns = draw.one_of(0.0, 0.0, 0.2, wide / 2), draw.whole(1, 4), draw.whole(1, 2)
    doorway = arched(wide, high, rise)
    frame = slab([*arched(wide + 2 * beam, high + beam, rise), *reversed(doorway)], 0.24, turned=_UPRIGHT)
    cell, tall = wide * 0.8 / columns, (high - 0.25) / rows
    panels = [
        box((cell - 0.09, 0.16, tall - 0.1), at=(wide * 0.1 + (i + 0.5) * cell, 0, 0.15 + (j + 0.5) * tall))
        for i in range(columns)
        for j in range(rows)
    ]
    reach = wide * 0.92
    knob = draw.one_of(ball(0.08), box((0.2, 0.08, 0.07)), hoop(0.09, 0.03, turned=_UPRIGHT))
    leaf = {
        "leaf": slab([(x + wide / 2, y) for x, y in arched(wide - 0.02, high - 0.01, rise)], 0.1, turned=_UPRIGHT),
        "panels": joined(*panels),
        "knob": joined(
            rod(0.04, 0.3, at=(reach, 0, high * 0.48), turned=_UPRIGHT),
            *(placed(knob, at=(reach, y, high * 0.48)) for y in (-0.15, 0.15)),
        ),
    }
    step = draw.between(0.5, 0.8)
    return {
        "frame": frame,
        **posed(leaf, at=(-wide / 2, 0, 0), turned=(0, 0, -draw.between(15, 40))),
        "step": box((wide + 2 * beam + 0.2, step, 0.12), at=(0, -step * 0.2, -0.06)),
    }


def fan(draw: Draw) -> Parts:
    """Blades in a round cage before a motor, on a stand."""
    n, wide, pitch = draw.whole(3, 6), draw.between(0.14, 0.26), draw.between(15, 35)
    tall, spokes, rings = draw.between(0.9, 1.7), draw.whole(6, 12), draw.whole(1, 2)
    blade = slab(
        smooth([(0.05, -0.05), (0.3, -wide), (0.55, -wide * 0.7), (0.58, wide * 0.3), (0.3, wide * 0.6), (0.05, 0.05)]),
        0.06,
    )
    deep = draw.between(0.16, 0.24)
    wire = tube([(0.08, 0, deep), (0.4, 0, deep * 0.9), (0.68, 0, 0)], 0.03)
    cage = [hoop(0.7, draw.between(0.045, 0.07)), around(both(wire, axis=2), spokes)]
    cage += [
        hoop(0.62 * (i + 1) / (rings + 1), 0.03, at=(0, 0, z))
        for i in range(rings)
        for z in (-deep * 0.95, deep * 0.95)
    ]
    head = {
        "blades": around(placed(blade, turned=(pitch, 0, 0)), n),
        "cage": joined(*cage),
        "hub": rod(0.13, 2 * deep + 0.08),
        "motor": lathe(smooth([(0.22, -deep - 0.35), (0.26, -deep - 0.2), (0.24, -deep)])),
    }
    foot = draw.between(0.4, 0.6)
    base = draw.one_of(
        rod(foot, 0.14, at=(0, 0, 0.07), top=foot * 0.8),
        box((1.6 * foot, 1.3 * foot, 0.14), at=(0, 0, 0.07)),
        around(tube([(0, 0, 0.25), (foot * 0.5, 0, 0.12), (foot * 1.1, 0, 0.06)], 0.07), 4),
    )
    return {
        **posed(head, at=(0, -0.3, tall), turned=(90 - draw.between(0, 15), 0, 0)),
        "stand": rod(0.08, tall, at=(0, 0.05, tall / 2), top=0.06),
        "base": base,
    }


def television(draw: Draw) -> Parts:
    """A deep box with a screen, knobs and two aerials, on legs."""
    wide, high, deep, bezel = (
        draw.between(1.2, 1.8),
        draw.between(0.85, 1.15),
        draw.between(0.4, 0.8),
        draw.between(0.08, 0.14),
    )
    panel, leg, knobs = draw.between(0.24, 0.36), draw.between(0.14, 0.45), draw.whole(2, 3)
    glass, front, lean = wide - panel - 2 * bezel, -deep / 2, draw.between(18, 42)
    x = wide / 2 - bezel / 2 - panel / 2
    long = draw.between(0.5, 0.9)
    tip = (long * np.sin(np.radians(lean)), 0.0, high + long * np.cos(np.radians(lean)))
    slots = [
        box((panel * 0.75, 0.05, 0.05), at=(x, front - 0.02, high * (0.14 + 0.11 * i))) for i in range(draw.whole(1, 3))
    ]
    return posed(
        {
            "body": joined(box((wide, deep, high), at=(0, 0, high / 2)), _hump(wide * 0.35, deep / 2 + 0.28, high / 2)),
            "screen": joined(_pane(glass, high - 2 * bezel, at=(-panel / 2, front, high / 2)), *slots),
            "knobs": joined(
                *(
                    rod(
                        panel * 0.3, 0.14, at=(x, front - 0.05, high * 0.88 - panel * (0.2 + 0.72 * i)), turned=_UPRIGHT
                    )
                    for i in range(knobs)
                )
            ),
            "aerials": joined(
                both(joined(tube([(0.05, 0, high), tip], 0.035), ball(0.075, at=tip))),
                ball((0.2, 0.16, 0.1), at=(0, 0, high)),
            ),
            "legs": _legs(0.06, 0.03, wide * 0.7, deep * 0.6, low=-leg, splay=1.3),
        },
        at=(0, 0, leg),
    )


def telephone(draw: Draw) -> Parts:
    """A handset across the cradle of a wedge with a dial or keys."""
    wide, deep, high, low = (
        draw.between(0.9, 1.3),
        draw.between(0.8, 1.1),
        draw.between(0.4, 0.7),
        draw.between(0.14, 0.25),
    )
    shelf, cup, long = deep * 0.35, draw.between(0.17, 0.24), draw.between(1.3, 1.6)
    slope = float(np.degrees(np.arctan2(high - low, deep - shelf)))
    face: Triple = (0.0, -shelf / 2, (high + low) / 2)
    top = high + draw.between(0.16, 0.24)
    reach = long / 2 - cup
    grip = tube(
        [(-reach, 0, top + 0.05), (-reach * 0.5, 0, top + 0.2), (reach * 0.5, 0, top + 0.2), (reach, 0, top + 0.05)],
        draw.between(0.08, 0.12),
    )
    coil = [
        (-reach - 0.05 - 0.02 * a + 0.07 * np.cos(a * 2), -0.1 + 0.07 * np.sin(a * 2), top - 0.1 - (top - 0.15) * a / 9)
        for a in np.linspace(0, 9, 37)
    ]
    size = min(wide, deep - shelf) * draw.between(0.36, 0.42)
    dial = _dial(size) if draw.yes() else _keys(size)
    return {
        "body": slab(
            [(-deep / 2, 0), (deep / 2, 0), (deep / 2, high), (deep / 2 - shelf, high), (-deep / 2, low)],
            wide,
            turned=_PROFILE,
        ),
        **posed(dial, at=face, turned=(slope, 0, 0)),
        "cradle": both(
            joined(
                *(box((0.1, 0.1, 0.3), at=(wide * 0.28, deep / 2 - shelf / 2 + y, high + 0.08)) for y in (-0.16, 0.16))
            )
        ),
        "handset": placed(
            joined(grip, both(rod(cup, 0.18, at=(reach, 0, top), top=cup * 0.75))), at=(0, deep / 2 - shelf / 2, 0)
        ),
        "cord": placed(tube(coil, 0.04), at=(0, deep / 2 - shelf / 2, 0)),
    }


def camera(draw: Draw) -> Parts:
    """A body with a stepped lens, a finder and a release above."""
    wide, high, deep = draw.between(1.3, 1.8), draw.between(0.8, 1.1), draw.between(0.35, 0.55)
    lens, barrel, steps = draw.between(0.3, 0.42), draw.between(0.15, 0.35), draw.whole(1, 3)
    hump, shift = draw.between(0.35, 0.55), draw.one_of(0.0, 0.0, -0.3, 0.3) * wide
    front, x = -deep / 2, draw.one_of(0.0, 0.0, -0.12) * wide
    tip = front - barrel * steps
    return {
        "body": joined(
            slab(arched(wide, high, 0.0), deep, turned=_UPRIGHT), both(rod(deep / 2, high, at=(wide / 2, 0, high / 2)))
        ),
        "band": box((wide * 0.99, deep + 0.05, high * draw.between(0.4, 0.65)), at=(0, 0, high * 0.45)),
        "lens": joined(
            *(
                rod(
                    lens * (1 - 0.12 * i),
                    barrel + 0.04,
                    at=(x, front - barrel * (i + 0.5), high * 0.47),
                    turned=_UPRIGHT,
                )
                for i in range(steps)
            )
        ),
        "glass": ball(
            (lens * (1.12 - 0.12 * steps) * 0.8, 0.09, lens * (1.12 - 0.12 * steps) * 0.8), at=(x, tip, high * 0.47)
        ),
        "finder": joined(
            slab(arched(hump, 0.2, draw.between(0.02, 0.15)), deep * 0.9, at=(shift, 0, high - 0.01), turned=_UPRIGHT)
        ),
        "window": box((hump * 0.55, deep + 0.02, 0.13), at=(shift, 0, high + 0.12)),
        "buttons": joined(
            rod(0.1, 0.16, at=(wide * 0.42, 0, high + 0.04)), rod(0.15, 0.12, at=(-wide * 0.42, 0, high + 0.03))
        ),
    }


def globe(draw: Draw) -> Parts:
    """A ball with lands on a tilted axis in a half ring, on a foot."""
    tilt, ring, stem, foot = (
        draw.between(10, 35),
        draw.between(0.05, 0.08),
        draw.between(0.15, 0.6),
        draw.between(0.4, 0.65),
    )
    lands = []
    for _ in range(draw.whole(4, 7)):
        turn, lift = draw.between(0, 360), draw.between(-55, 55)
        patch = ball((0.12, draw.between(0.2, 0.42), draw.between(0.18, 0.36)), at=(0.66, 0, 0))
        lands.append(placed(patch, turned=(0, lift, turn)))
    bow = [(0.86 * np.sin(a), 0, 0.86 * np.cos(a)) for a in np.linspace(0, np.pi, 9)]
    full = draw.yes(0.4)
    arm = joined(hoop(0.86, ring, turned=_UPRIGHT)) if full else tube(bow, ring)
    turning = {"ball": ball(0.72), "lands": joined(*lands), "ring": arm, "axis": rod(0.05, 1.84)}
    bottom = -0.84 - stem
    base = draw.one_of(
        rod(foot, 0.14, at=(0, 0, bottom), top=foot * 0.7),
        box((1.5 * foot, 1.5 * foot, 0.16), at=(0, 0, bottom)),
        around(tube([(0, 0, bottom + 0.15), (foot * 0.6, 0, bottom + 0.08), (foot, 0, bottom - 0.06)], 0.07), 3),
    )
    return {
        **posed(turning, turned=(0, tilt, 0)),
        "stem": rod(0.1, stem + 0.1, at=(0, 0, bottom + stem / 2), top=0.08),
        "base": base,
    }


def _legs(
    radius: float, high: float, wide: float, deep: float, *, low: float = 0.0, splay: float = 1.0
) -> trimesh.Trimesh:
    """Four round legs from `low` up to `high`, `splay` times farther apart below."""
    x, y = wide / 2, deep / 2
    leg = tube([(x * splay, y * splay, low), (x, y, high)], radius)
    return both(both(leg), axis=1)


def _board(draw: Draw, wide: float, high: float) -> trimesh.Trimesh:
    """A headboard: plain, arched or barred."""
    posts = both(rod(0.07, high, at=(wide / 2 - 0.07, 0, high / 2)))
    rail = box((wide, 0.09, 0.12), at=(0, 0, high - 0.1))
    bars = [rod(0.05, high - 0.1, at=(x, 0, high / 2 - 0.05)) for x in np.linspace(-wide / 2, wide / 2, 7)[1:-1]]
    return draw.one_of(
        slab(arched(wide, high, 0.0), 0.12, turned=_UPRIGHT),
        slab(arched(wide, high - 0.2, 0.3), 0.12, turned=_UPRIGHT),
        joined(posts, rail, *bars),
    )


def _prism(radius: float, high: float, sides: int, *, at: float = 0.0) -> trimesh.Trimesh:
    """A disc with `sides` corners at height `at`."""
    angles = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    return slab([(radius * np.cos(a), radius * np.sin(a)) for a in angles], high, at=(0, 0, at))


def _hand(degrees: float, long: float, z: float) -> trimesh.Trimesh:
    return placed(box((0.09, long, 0.06), at=(0, long / 2 - 0.08, z)), turned=(0, 0, degrees))


def _over(degrees: float, distance: float) -> Triple:
    """The point at this distance and angle from straight up, towards +x."""
    return (distance * float(np.sin(np.radians(degrees))), 0.0, distance * float(np.cos(np.radians(degrees))))


def _hump(radius: float, y: float, z: float) -> trimesh.Trimesh:
    """The picture tube's end at the back of a television."""
    return lathe([(radius, -0.3), (radius * 0.8, 0.0)], at=(0, y - 0.1, z), turned=(-90, 0, 0))


def _pane(wide: float, high: float, *, at: Triple) -> trimesh.Trimesh:
    """A screen that bulges a little."""
    return (
        stretched(ball(1.0), (1, 1, 1))
        if wide < 0
        else joined(box((wide, 0.06, high), at=at), ball((wide * 0.46, 0.09, high * 0.46), at=at))
    )


def _dial(size: float) -> Parts:
    """A round dial with finger holes, in the xy plane."""
    holes = [
        rod(size * 0.16, 0.05, at=(size * 0.7 * np.cos(a), size * 0.7 * np.sin(a), 0.07))
        for a in np.radians(np.arange(-30, 271, 37.5))
    ]
    return {"dial": rod(size, 0.12), "holes": joined(*holes, rod(size * 0.3, 0.06, at=(0, 0, 0.07)))}


def _keys(size: float) -> Parts:
    """A plate with rows of keys, in the xy plane."""
    step = size * 0.5
    keys = [
        box((step * 0.7, step * 0.62, 0.1), at=(x * step, y * step * 0.9, 0.08))
        for x in (-1, 0, 1)
        for y in (-1.5, -0.5, 0.5, 1.5)
    ]
    return {"dial": box((size * 1.8, size * 2, 0.1)), "keys": joined(*keys)}


MAKERS = {
    "bed": bed,
    "sofa": sofa,
    "lamp": lamp,
    "clock": clock,
    "door": door,
    "fan": fan,
    "television": television,
    "telephone": telephone,
    "camera": camera,
    "globe": globe,
}
