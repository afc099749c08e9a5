"""Things to wear."""

import numpy as np
import trimesh

from calibration.objects.categories.forms import both, placed, posed, smooth, stretched
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import Pair, ball, box, hoop, joined, lathe, rod, slab, tube

_UPRIGHT = (90.0, 0.0, 0.0)


def shoe(draw: Draw) -> Parts:
    """A sole with a heel, an upper that rises from the toe to an open collar, and laces."""
    toe, tall, shaft = draw.between(0.28, 0.36), draw.between(0.3, 0.45), draw.between(0.12, 0.8)
    sole, heel, point, n = draw.between(0.1, 0.18), draw.between(0.05, 0.25), draw.between(0.85, 1.15), draw.whole(3, 5)
    line = [(-0.95 * point, 0, toe * 0.4), (-0.65 * point, 0, toe * 0.62), (-0.2, 0, tall * 0.75), (0.3, 0, tall)]
    foot = tube([*line, (0.72, 0, tall * 0.8)], [toe * 0.6, toe, toe * 1.02, 0.35, 0.26])
    neck, top, ankle = draw.between(0.32, 0.38), tall + 0.2 + shaft, 0.44
    ball_ = [(-point - 0.06, 0.0), (-0.75 * point, -toe - 0.03), (-0.2, -toe * 0.85)]
    side = smooth([*ball_, (0.3, -0.36), (0.75, -0.36), (0.97, 0.0)], n=20)
    outline = [*side, *((x, -y) for x, y in reversed(side[1:-1]))]
    laces = []
    for t in (np.arange(n) + 0.5) / n:
        x, z = -0.45 + 0.5 * t, tall * 0.78 + toe * 0.8 + t * (0.1 + 0.15 * shaft)
        laces.append(tube([(x, -toe * 0.55, z - 0.16), (x, 0, z), (x, toe * 0.55, z - 0.16)], 0.055))
    parts = {
        "upper": joined(_grounded(foot), rod(0.36, top, at=(ankle, 0, top / 2), top=neck)),
        "sole": slab(outline, sole, at=(0, 0, 0.02 - sole / 2)),
        "heel": slab([(x, y) for x, y in outline if x > 0.25], heel, at=(0, 0, 0.03 - sole - heel / 2)),
        "cap": _grounded(ball((0.42, toe * 1.02, toe * 1.1), at=(-0.68 * point, 0, toe * 0.5))),
        "laces": joined(*laces),
        "collar": hoop(neck, 0.07, at=(ankle, 0, top)),
        "opening": rod(neck - 0.02, 0.06, at=(ankle, 0, top)),
    }
    return posed(parts, turned=(0, 0, 25))


def hat(draw: Draw) -> Parts:
    """A brim all round, a crown above it and a band between the two."""
    wide, brim = draw.between(0.42, 0.6), draw.between(0.22, 0.38)
    high, top = wide * draw.between(1.3, 2.1), wide * draw.between(0.6, 1.1)
    dome, curl = draw.between(0.0, 0.25), draw.between(0.0, 0.15)
    lower = smooth([(wide * 0.9, 0.0), (wide + brim * 0.6, 0.0), (wide + brim, curl)], n=10)
    rim = lathe([*lower, *((r, z + 0.09) for r, z in reversed(lower)), lower[0]])
    roof = [(top * 0.97, high + 0.03), (top * 0.6, high + dome * 0.8 + 0.04), (0.02, high + dome + 0.05)]
    wall = [(wide, 0.0), ((wide + top) / 2, high * 0.5), (top, high)]
    band, slope = draw.between(0.14, 0.24), (top - wide) / high
    frame = ((-0.16, -0.13), (0.16, -0.13), (0.16, 0.13), (-0.16, 0.13))
    trim = draw.one_of(
        joined(both(ball((0.16, 0.08, 0.13), at=(0.15, 0, 0))), ball(0.1)),
        tube([(0, 0, 0), (0.1, 0.05, 0.35), (0.28, 0.2, 0.65)], [0.06, 0.12, 0.05]),
        tube([(x, 0, z) for x, z in frame], 0.05, closed=True),
    )
    return {
        "brim": _rolled(rim, draw.between(-0.15, 0.25)),
        "crown": lathe([*smooth(wall, n=8), *smooth(roof, n=8)]),
        "band": lathe([(wide + 0.05, 0.04), (wide + 0.05 + slope * band, 0.04 + band)]),
        "trim": placed(trim, at=(wide * 0.5, -wide * 0.87, 0.16), turned=(0, 0, 30)),
    }


def glasses(draw: Draw) -> Parts:
    """Two lenses in frames, a bridge between them and two arms hooked at the ends."""
    wide, high, wire = draw.between(0.38, 0.5), draw.between(0.26, 0.44), draw.between(0.055, 0.1)
    edge = _rounded(draw.one_of(1.0, 1.0, 0.5, 0.35))
    slant, gap, long, drop = (
        draw.between(-0.15, 0.3),
        draw.between(0.14, 0.3),
        draw.between(0.9, 1.3),
        draw.between(0.25, 0.4),
    )
    middle, side, hinge, nose = gap / 2 + wide, gap / 2 + 2 * wide, high * 0.3, high * draw.between(0.3, 0.55)
    lens = [(middle + wide * u, high * (v + slant * u * (v > -0.2))) for u, v in edge]
    hook = [(side, long, hinge), (side - 0.03, long + 0.25, hinge - drop)]
    arm = tube([(side, 0, hinge), (side + 0.06, long * 0.5, hinge + 0.02), *hook], wire * draw.between(0.8, 1.1))
    hold = gap / 2 + 0.05
    return {
        "frames": both(tube([(u, 0, v) for u, v in lens], wire, closed=True)),
        "lenses": both(slab(lens, 0.06, turned=_UPRIGHT)),
        "bridge": tube([(-hold, 0, high * 0.2), (0, -0.05, nose), (hold, 0, high * 0.2)], wire * 0.9),
        "arms": both(arm),
        "hinges": both(box((0.16, 0.16, 0.16), at=(side + 0.02, 0.02, hinge))),
    }


def trousers(draw: Draw) -> Parts:
    """Two legs from one waist with a belt, cuffs and pockets."""
    waist, thigh, hem = draw.between(0.36, 0.44), draw.between(0.23, 0.27), draw.between(0.15, 0.34)
    long, stance, rise = draw.between(0.8, 1.6), draw.between(3, 15), draw.between(0.4, 0.55)
    hips, cuff, flat = waist * draw.between(1.08, 1.2), draw.between(0.1, 0.22), 0.68
    apart, spread = hips - thigh * 0.95, (0.0, -stance, 0.0)
    leg = smooth([(hem, -long), ((hem + thigh) / 2 * 0.97, -long * 0.5), (thigh, 0.0), (thigh * 0.9, 0.15)], n=12)
    seat = smooth([(hips * 0.8, -0.14), (hips, 0.02), ((hips + waist) / 2, rise * 0.5), (waist, rise)], n=10)
    pocket = box((0.2, 0.08, 0.2), at=(hips * 0.5, hips * 0.6, rise * 0.35))
    parts = {
        "hips": stretched(lathe(seat), (1, flat, 1)),
        "legs": both(placed(lathe(leg), at=(apart, 0, 0), turned=spread)),
        "belt": stretched(rod(waist + 0.04, 0.12, at=(0, 0, rise)), (1, flat, 1)),
        "buckle": box((0.16, 0.12, 0.17), at=(0, -waist * flat - 0.02, rise)),
        "cuffs": both(placed(rod(hem + 0.04, cuff, at=(0, 0, cuff / 2 - long)), at=(apart, 0, 0), turned=spread)),
        "pockets": both(both(pocket), axis=1),
    }
    if draw.yes(0.4):
        patch = box((0.24, 0.12, 0.26), at=(0, -thigh * 0.8, -long * 0.5))
        parts["patches"] = both(placed(patch, at=(apart, 0, 0), turned=spread))
    return parts


def _rounded(power: float) -> list[Pair]:
    """Between the unit circle (`power` 1) and the square about it (0)."""
    circle = np.exp(1j * np.linspace(0, 2 * np.pi, 16, endpoint=False))
    return [
        (float(np.sign(x) * abs(x) ** power), float(np.sign(y) * abs(y) ** power))
        for x, y in zip(circle.real, circle.imag, strict=True)
    ]


def _grounded(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """`mesh` with what lies below the ground pressed flat on it."""
    return trimesh.Trimesh(np.maximum(mesh.vertices, [-np.inf, -np.inf, 0]), mesh.faces, process=False)


def _rolled(mesh: trimesh.Trimesh, height: float) -> trimesh.Trimesh:
    """`mesh` bent up (or down) on its left and right."""
    lift = height * mesh.vertices[:, 0] ** 2
    return trimesh.Trimesh(mesh.vertices + np.outer(lift, [0, 0, 1]), mesh.faces, process=False)


MAKERS = {"shoe": shoe, "hat": hat, "glasses": glasses, "trousers": trousers}
