"""Things that grow."""

import numpy as np
import trimesh

from calibration.objects.categories.arranged import balls, bar, leaf, on, patch
from calibration.objects.categories.forms import around, placed
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import Triple, ball, joined, lathe, rod, slab, tube


def tree(draw: Draw) -> Parts:
    """A crown of leaves or needles on a trunk."""
    tall, thick = draw.between(0.8, 1.3), draw.between(0.12, 0.22)
    crown, places = _needles(draw, tall) if draw.yes(0.4) else _leaves(draw, tall)
    roots = around(bar((0, 0, 0.2), (2.2 * thick, 0, 0.02), 0.5 * thick), draw.whole(3, 5))
    parts = {
        "trunk": lathe([(1.4 * thick, 0), (thick, 0.3), (0.8 * thick, tall + 0.3)]),
        "crown": crown,
        "roots": roots,
    }
    if draw.yes(0.5):
        parts["fruit"] = balls(draw.between(0.08, 0.12), places)
    if draw.yes(0.5):
        parts["ground"] = ball((draw.between(0.6, 0.85), 0.6, 0.12), at=(0, 0, 0))
    return parts


def cactus(draw: Draw) -> Parts:
    """A ribbed column with upturned arms, in a pot or in the sand."""
    thick, tall, n = draw.between(0.22, 0.3), draw.between(1.2, 1.7), draw.whole(7, 10)
    arms = [_arm(draw, azimuth, thick, tall) for azimuth in (-10, 130, 245, 60)[: draw.whole(3, 4)]]
    rib = tube([(thick, 0, 0), (thick, 0, tall - thick), (0.72 * thick, 0, tall - 0.3 * thick), (0.1, 0, tall)], 0.06)
    pot = joined(rod(0.36, 0.5, top=0.5, at=(0, 0, -0.2)), rod(0.56, 0.14, at=(0, 0, 0.02)))
    parts = {
        "stem": joined(rod(thick, tall - thick, at=(0, 0, (tall - thick) / 2)), ball(thick, at=(0, 0, tall - thick))),
        "ribs": around(rib, n),
        "arms": joined(*arms),
        "pot" if (potted := draw.yes()) else "sand": pot if potted else ball((0.85, 0.7, 0.14)),
    }
    if draw.yes():
        parts["blossom"] = joined(
            placed(around(ball((0.15, 0.09, 0.06), at=(0.13, 0, 0)), 5), at=(0, 0, tall + 0.08)),
            ball(0.09, at=(0, 0, tall + 0.1)),
        )
    return parts


def flower(draw: Draw) -> Parts:
    """Petals about an eye, on a stem with leaves."""
    n, reach, eye = draw.whole(5, 10), draw.between(0.42, 0.62), draw.between(0.2, 0.34)
    tall, bend, nod = draw.between(1.2, 1.7), draw.between(-0.25, 0.25), draw.between(35, 65)
    broad = min(draw.between(0.3, 0.55), 3.4 * (eye + 0.5 * reach) / n)
    petal = ball(
        (reach / 2 + 0.06, broad / 2, 0.07), at=(eye + reach / 2 - 0.06, 0, 0.02), turned=(0, -draw.between(5, 30), 0)
    )
    head = (bend, -0.1, tall)
    blade = slab(leaf(draw.between(0.5, 0.8), draw.between(0.25, 0.4)), 0.1, turned=(0, -draw.between(15, 45), 0))
    leaves = [
        placed(blade, at=(0, 0, (0.12 + 0.16 * i) * tall), turned=(0, 0, 20 + 155 * i)) for i in range(draw.whole(2, 4))
    ]
    parts = {
        "stem": tube([(0, 0, 0), (-0.4 * bend, 0, 0.5 * tall), head], 0.075),
        "leaves": joined(*leaves),
        "petals": placed(around(petal, n), at=head, turned=(nod, 0, 0)),
        "eye": placed(ball((eye, eye, 0.6 * eye)), at=head, turned=(nod, 0, 0)),
    }
    if draw.yes(0.4):
        inner = placed(around(placed(petal, at=(-0.3 * reach, 0, 0.1)), n), turned=(0, 0, 180 / n))
        parts["inner petals"] = placed(inner, at=head, turned=(nod, 0, 0))
    return parts


def mushroom(draw: Draw) -> Parts:
    """A spotted cap on a stout stem."""
    wide, high, stem = draw.between(0.6, 0.95), draw.between(0.35, 0.8), draw.between(0.75, 1.25)
    thick, bulb = draw.between(0.17, 0.28), draw.between(1.1, 1.8)
    profile = [(wide * np.sqrt(1 - s * s) if s < 1 else 0.0, high * s) for s in np.linspace(0, 1, 9)]
    dome = (wide, wide, high)
    size = draw.between(10, 16)
    spots = [
        patch(dome, a + h, h, size, at=(0, 0, stem), corners=10)
        for h, step in ((22, 60), (58, 120), (90, 360))
        for a in range(0, 360, step)
    ]
    parts = {
        "cap": lathe([(0.92 * wide, -0.07), *profile], at=(0, 0, stem)),
        "gills": lathe([(thick, -0.16), (0.9 * wide, -0.04)], at=(0, 0, stem)),
        "stem": lathe([(0.8 * thick * bulb, 0), (thick * bulb, 0.15), (thick, 0.55 * stem), (0.9 * thick, stem)]),
        "spots": joined(*spots),
    }
    if draw.yes():
        parts["ring"] = lathe([(1.6 * thick, -0.1), (1.0 * thick, 0.06)], at=(0, 0, 0.68 * stem))
    if draw.yes():
        small = draw.between(0.4, 0.55)
        side = draw.one_of(-1, 1) * thick * bulb * (1 + small)
        parts["small one"] = joined(
            *(placed(parts[name].copy().apply_scale(small), at=(side, 0, 0)) for name in ("stem", "cap"))
        )
    return parts


def _needles(draw: Draw, tall: float) -> tuple[trimesh.Trimesh, list[Triple]]:
    """Tiers of a conifer, and places on them."""
    n, wide, tier = draw.whole(2, 4), draw.between(0.55, 0.8), draw.between(0.6, 0.8)
    sizes = [(wide * (1 - 0.22 * i), 0.45 * tall + 0.62 * tier * i) for i in range(n)]
    cones = [lathe([(0.85 * w, 0), (w, 0.06), (0.04, tier)], at=(0, 0, z)) for w, z in sizes]
    return joined(*cones), [
        on((w, w, 0), a + 30 * i, 0, at=(0, 0, z + 0.06)) for i, (w, z) in enumerate(sizes) for a in (0, 90, 180, 270)
    ]


def _leaves(draw: Draw, tall: float) -> tuple[trimesh.Trimesh, list[Triple]]:
    """A clustered crown, and places on it."""
    crown = (draw.between(0.5, 0.75), draw.between(0.5, 0.65), draw.between(0.45, 0.85))
    middle, n = (0.0, 0.0, tall + 0.7 * crown[2]), draw.whole(5, 8)
    lumps = [(360 * i / n + draw.between(-12, 12), draw.between(-25, 35), draw.between(0.28, 0.42)) for i in range(n)]
    lump = [ball(r, at=on(crown, a, h, at=middle)) for a, h, r in lumps]
    tips = [on((crown[0] + r, crown[1] + r, crown[2] + r), a, h, at=middle) for a, h, r in lumps]
    return joined(ball(crown, at=middle), ball(0.36, at=on(crown, 0, 80, at=middle)), *lump), tips


def _arm(draw: Draw, azimuth: float, thick: float, tall: float) -> trimesh.Trimesh:
    """A cactus's arm, first level and then upright."""
    out, low, high, r = (
        thick + draw.between(0.3, 0.5),
        draw.between(0.35, 0.55) * tall,
        draw.between(0.3, 0.55),
        0.55 * thick,
    )
    path = [(0, 0, low), (0.75 * out, 0, low + 0.03), (out, 0, low + 0.25), (out, 0, low + 0.25 + high)]
    arm = joined(tube(path, r), ball(r, at=path[-1]))
    return placed(arm, turned=(0, 0, azimuth))


MAKERS = {"tree": tree, "cactus": cactus, "flower": flower, "mushroom": mushroom}
