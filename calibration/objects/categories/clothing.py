"""Things to wear."""

import numpy as np
import trimesh

from calibration.objects.categories.forms import both, placed, posed, smooth, stretched
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import ball, box, hoop, joined, lathe, rod, slab, tube

_UPRIGHT = (90.0, 0.0, 0.0)
_ALONG_X = (0.0, 90.0, 0.0)


def shoe(draw: Draw) -> Parts:
    """A sole with a heel, an upper that rises from the toe to an open collar, and laces."""
    toe, tall, high = draw.between(0.28, 0.36), draw.between(0.3, 0.5), draw.between(0.25, 0.9)
    sole, heel, point = draw.between(0.09, 0.16), draw.between(0.05, 0.25), draw.between(0.85, 1.15)
    n = draw.whole(3, 5)
    line = [
        (-0.95 * point, 0, toe * 0.4),
        (-0.65 * point, 0, toe * 0.62),
        (-0.2, 0, tall * 0.75),
        (0.3, 0, tall),
        (0.72, 0, tall * 0.8),
    ]
    foot = _grounded(tube(line, [toe * 0.6, toe, toe * 1.02, 0.34, 0.24]))
    neck, ankle = draw.between(0.3, 0.36), (0.5, 0.0)
    shaft = rod(0.33, high + tall, at=(ankle[0], 0, (high + tall) / 2), top=neck)
    print_ = smooth(
        [
            (-1.0 * point - 0.06, 0.0),
            (-0.75 * point, -toe - 0.03),
            (-0.2, -toe * 0.85),
            (0.3, -0.33),
            (0.75, -0.33),
            (0.95, 0.0),
        ],
        n=20,
    )
    outline = [*print_, *((x, -y) for x, y in reversed(print_[1:-1]))]
    lace = []
    for i in range(n):
        t = (i + 0.5) / n
        x, z = -0.42 + 0.5 * t, tall * 0.78 + toe * 0.75 + t * (0.12 + 0.15 * high)
        lace.append(tube([(x, -toe * 0.55, z - 0.14), (x, 0, z + 0.03), (x, toe * 0.55, z - 0.14)], 0.045))
    top = high + tall
    parts = {
        "upper": joined(foot, shaft),
        "sole": slab(outline, sole, at=(0, 0, -sole / 2 + 0.02)),
        "heel": joined(
            slab([(x, y) for x, y in outline if x > 0.25], heel, at=(0, 0, -sole - heel / 2 + 0.03)),
            slab([(x, y) for x, y in outline if x < -0.1], 0.09, at=(0, 0, -sole - 0.01)),
        ),
        "cap": _grounded(placed(ball((0.42, toe * 1.02, toe * 1.1)), at=(-0.68 * point, 0, toe * 0.5))),
        "laces": joined(*lace),
        "collar": hoop(neck, 0.07, at=(ankle[0], 0, top)),
        "opening": rod(neck - 0.02, 0.06, at=(ankle[0], 0, top)),
    }
    return posed(parts, turned=(0, 0, 25))


def hat(draw: Draw) -> Parts:
    """A brim all round, a crown above it and a band between the two."""
    wide, high, brim = draw.between(0.42, 0.55), draw.between(0.4, 1.0), draw.between(0.3, 0.5)
    top, dome, curl, roll = (
        draw.between(0.55, 1.1) * wide,
        draw.between(0.0, 0.3),
        draw.between(0.0, 0.2),
        draw.between(-0.25, 0.35),
    )
    edge = wide + brim
    lower = smooth([(wide * 0.9, 0.0), (wide + brim * 0.6, 0.0), (edge, curl)], n=10)
    rim = lathe([*lower, *((r, z + 0.09) for r, z in reversed(lower)), lower[0]])
    crown = [
        *smooth([(wide, 0.0), ((wide + top) / 2, high * 0.5), (top, high)], n=8),
        *smooth([(top * 0.97, high + 0.03), (top * 0.6, high + dome * 0.8 + 0.04), (0.02, high + dome + 0.05)], n=8),
    ]
    bow = joined(both(ball((0.16, 0.07, 0.12), at=(0.14, 0, 0))), ball(0.09))
    feather = tube([(0, 0, 0), (0.1, 0.05, 0.3), (0.28, 0.2, 0.55)], [0.05, 0.11, 0.04])
    buckle = tube(
        [(x * 0.15, 0, z * 0.12) for x, z in ((-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0))],
        0.045,
        closed=True,
    )
    band = draw.between(0.14, 0.22)
    slope = (top - wide) / high
    return {
        "brim": _rolled(rim, roll),
        "crown": lathe(crown),
        "band": lathe([(wide + 0.05, 0.04), (wide + 0.05 + slope * band, 0.04 + band)]),
        "trim": placed(draw.one_of(bow, feather, buckle), at=(wide * 0.5, -wide * 0.87, 0.16), turned=(0, 0, 30)),
    }


def glasses(draw: Draw) -> Parts:
    """Two lenses in frames, a bridge between them and two arms hooked at the ends."""
    wide, high, wire = draw.between(0.38, 0.5), draw.between(0.28, 0.42), draw.between(0.055, 0.09)
    power, slant, gap = draw.one_of(2.0, 2.0, 4.0, 6.0), draw.between(-0.15, 0.3), draw.between(0.14, 0.26)
    arm, x = draw.between(1.0, 1.3), gap / 2 + wide
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    round_ = [
        (np.sign(np.cos(a)) * abs(np.cos(a)) ** (2 / power), np.sign(np.sin(a)) * abs(np.sin(a)) ** (2 / power))
        for a in angles
    ]
    edge = [(x + wide * u, high * (v + slant * u * (v > -0.2))) for u, v in round_]
    side, hinge = x + wide, high * 0.3
    ear = tube(
        [
            (side, 0, hinge),
            (side + 0.06, arm * 0.5, hinge + 0.02),
            (side, arm, hinge - 0.02),
            (side - 0.03, arm + 0.25, hinge - draw.between(0.25, 0.4)),
        ],
        wire * draw.between(0.8, 1.1),
    )
    parts = {
        "frames": both(tube([(u, 0, v) for u, v in edge], wire, closed=True)),
        "lenses": both(slab(edge, 0.06, turned=_UPRIGHT)),
        "bridge": tube(
            [
                (-gap / 2 - 0.05, 0, high * 0.2),
                (0, -0.05, high * draw.between(0.3, 0.55)),
                (gap / 2 + 0.05, 0, high * 0.2),
            ],
            wire * 0.9,
        ),
        "arms": both(ear),
        "hinges": both(box((0.16, 0.16, 0.16), at=(side + 0.02, 0.02, hinge))),
    }
    return posed(parts, turned=(0, 0, draw.between(-25, 25)))


def trousers(draw: Draw) -> Parts:
    """Two legs from one waist with a belt, cuffs and pockets."""
    waist, thigh, hem = draw.between(0.4, 0.5), draw.between(0.26, 0.31), draw.between(0.17, 0.36)
    long, stance, rise = draw.between(0.7, 1.5), draw.between(3, 14), draw.between(0.4, 0.55)
    hips, cuff = waist * draw.between(1.05, 1.2), draw.between(0.1, 0.22)
    top, x = rise, hips - thigh * 0.95
    turned = (0.0, -stance, 0.0)
    leg = lathe(
        smooth([(hem, -long), ((hem + thigh) / 2 * 0.95, -long * 0.5), (thigh, 0.0), (thigh * 0.9, 0.12)], n=12)
    )
    patch = box((0.26, 0.12, 0.28), at=(0, -thigh * 0.85, -long * 0.5))
    seat = lathe(smooth([(hips * 0.75, -0.12), (hips, 0.02), ((hips + waist) / 2, top * 0.5), (waist, top)], n=10))
    pockets = joined(*(box((0.24, 0.1, 0.24), at=(0.22, y, top * 0.38)) for y in (-hips * 0.64, hips * 0.64)))
    parts = {
        "hips": stretched(seat, (1, 0.66, 1)),
        "legs": both(placed(leg, at=(x, 0, 0), turned=turned)),
        "belt": stretched(rod(waist + 0.05, 0.14, at=(0, 0, top)), (1, 0.7, 1)),
        "buckle": box((0.2, 0.12, 0.2), at=(0, -waist * 0.7 - 0.03, top)),
        "cuffs": both(placed(rod(hem + 0.045, cuff, at=(0, 0, -long + cuff / 2)), at=(x, 0, 0), turned=turned)),
        "pockets": both(pockets),
    }
    if draw.yes(0.4):
        parts["patches"] = both(placed(patch, at=(x, 0, 0), turned=turned))
    return parts


def _grounded(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """`mesh` with what lies below the ground pressed flat on it."""
    return trimesh.Trimesh(
        mesh.vertices * [1, 1, 1] + np.outer(np.maximum(-mesh.vertices[:, 2], 0), [0, 0, 1]), mesh.faces, process=False
    )


def _rolled(mesh: trimesh.Trimesh, height: float) -> trimesh.Trimesh:
    """`mesh` bent up (or down) on its left and right."""
    lift = height * mesh.vertices[:, 0] ** 2
    return trimesh.Trimesh(mesh.vertices + np.outer(lift, [0, 0, 1]), mesh.faces, process=False)


MAKERS = {"shoe": shoe, "hat": hat, "glasses": glasses, "trousers": trousers}
