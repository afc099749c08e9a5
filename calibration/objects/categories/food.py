"""Food with an unmistakable shape."""

import numpy as np
import trimesh

from calibration.objects.categories.forms import placed
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import ball, box, hoop, joined, lathe, rod, tube


def icecream(draw: Draw) -> Parts:
    """Scoops on a wafer cone that stands on its point, with something stuck in or on top."""
    scoops, size, long = draw.whole(1, 3), draw.between(0.38, 0.46), draw.between(0.95, 1.35)
    shrink, drip = draw.between(0.8, 0.95), draw.whole(4, 7)
    balls, z = [], size * 0.45
    for i in range(scoops):
        radius = size * shrink**i
        balls.append(ball((radius, radius, radius * 0.95), at=(0, 0, z)))
        z += radius * (0.6 + 0.5 * shrink)
    top = z - size * shrink ** (scoops - 1) * 0.3
    skirt = [
        ball((0.13, 0.13, draw.between(0.13, 0.24)), at=(size * 0.92 * np.cos(a), size * 0.92 * np.sin(a), size * 0.12))
        for a in np.linspace(0, 2 * np.pi, drip, endpoint=False)
    ]
    ribs = [hoop(size * 0.95 * (1 - t), 0.05, at=(0, 0, -long * t)) for t in np.linspace(0.18, 0.75, draw.whole(3, 5))]
    wafer = draw.one_of(
        tube([(0.12, 0, top - 0.4), (0.32, 0.05, top + 0.35)], 0.075),
        box((0.3, 0.09, 0.6), at=(0.16, 0.1, top), turned=(0, 20, 0)),
        ball(0.16, at=(0, 0, top + 0.12)),
    )
    return {
        "cone": lathe([(0.05, -long), (size * 0.95, 0.02)]),
        "ribs": joined(*ribs),
        "rim": hoop(size * 0.93, 0.07, at=(0, 0, 0.0)),
        "scoops": joined(*balls),
        "sauce": joined(*skirt),
        "topping": wafer,
    }


def pineapple(draw: Draw) -> Parts:
    """A barrel covered with eyes in spirals under a tuft of pointed leaves."""
    wide, high, pear = draw.between(0.4, 0.58), draw.between(0.55, 0.8), draw.between(-0.12, 0.12)
    eyes, leaves, long = draw.whole(40, 64), draw.whole(10, 18), draw.between(0.5, 0.9)
    golden = np.pi * (3 - np.sqrt(5))
    size, knobs = 1.5 * np.sqrt(wide * high / eyes), []
    for i in range(eyes):
        z = 1 - 2 * (i + 0.5) / eyes
        r = wide * np.sqrt(1 - z * z) * (1 - pear * z)
        knobs.append(
            ball((size * 0.65, size * 0.65, size * 0.65), at=(r * np.cos(golden * i), r * np.sin(golden * i), high * z))
        )
    angles = np.linspace(-np.pi / 2, np.pi / 2, 16)
    return {
        "barrel": lathe([(wide * np.cos(a) * (1 - pear * np.sin(a)), high * np.sin(a)) for a in angles]),
        "eyes": joined(*knobs),
        "leaves": joined(*(_leaf(golden * i, (i + 0.5) / leaves, long, high * 0.93) for i in range(leaves))),
        "stalk": rod(0.12, 0.2, at=(0, 0, -high)),
    }


def _leaf(angle: float, outward: float, long: float, floor: float) -> trimesh.Trimesh:
    """A leaf of the tuft: upright in its middle (`outward` 0), bent over at its edge (1)."""
    reach, rise = 0.12 + 0.5 * outward, long * (1.1 - 0.6 * outward)
    bent = tube(
        [(0.05, 0, floor - 0.05), (reach * 0.5, 0, floor + rise * 0.6), (reach, 0, floor + rise)], [0.1, 0.1, 0.03]
    )
    return placed(bent, turned=(0, 0, float(np.degrees(angle))))


MAKERS = {"icecream": icecream, "pineapple": pineapple}
