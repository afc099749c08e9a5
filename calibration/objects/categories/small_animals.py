"""Animals with wings, fins, a coiled shell or more than four legs."""

import trimesh

from calibration.objects.categories.arranged import balls, leaf, on
from calibration.objects.categories.forms import both, placed, posed
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import Pair, ball, joined, rod, slab, tube


def bird(draw: Draw) -> Parts:
    """Standing on two legs, its wings folded or spread."""
    body = stout, long, _ = draw.between(0.32, 0.5), draw.between(0.6, 0.85), draw.between(0.36, 0.5)
    rise, leg, neck = draw.between(15, 45), draw.between(0.35, 0.8), draw.between(0.35, 0.75)
    head = on((0.0, long + 0.05, long + 0.05), 0, rise)
    x, y, z = head[0], head[1], head[2] + neck - 0.15
    foot = joined(rod(0.07, leg, at=(0.18, 0, -leg / 2 - 0.2)), ball((0.14, 0.24, 0.07), at=(0.18, -0.1, -leg - 0.2)))
    folded = ball((0.12, 0.8 * long, 0.28), at=(0.9 * stout, 0.12, 0.02), turned=(-rise, 0, 0))
    spread = slab(
        _feathered(draw.between(1.0, 1.5)), 0.1, at=(0.6 * stout, 0, 0.15), turned=(0, -draw.between(5, 40), 15)
    )
    tail = placed(
        slab(leaf(draw.between(0.6, 1.0), 0.45, widest=0.75), 0.1, at=(0.8 * long, 0, 0)), turned=(0, rise, 90)
    )
    parts = {
        "body": joined(ball(body, turned=(-rise, 0, 0)), tube([(0, -0.5 * long, 0.1), (x, y, z)], [0.28, 0.2])),
        "head": ball(0.27, at=(x, y, z)),
        "beak": rod(0.13, draw.between(0.3, 0.6), top=0.02, at=(x, y - 0.38, z - 0.03), turned=(90, 0, 0)),
        "eyes": both(ball(0.08, at=(0.19, y - 0.16, z + 0.1))),
        "wings": both(spread if draw.yes(0.4) else folded),
        "tail": tail,
        "legs": both(foot),
    }
    if draw.yes(0.35):
        parts["crest"] = joined(
            *(rod(0.08, 0.35, top=0.03, at=(0, y + 0.12 * i, z + 0.32), turned=(-25 * i, 0, 0)) for i in range(3))
        )
    return parts


def butterfly(draw: Draw) -> Parts:
    """Its body upright, four wings half open towards the back."""
    fold, thick = draw.between(18, 38), 0.1
    upper = draw.between(1.05, 1.5), draw.between(0.65, 1.0), draw.between(28, 48)
    lower = draw.between(0.75, 1.15), draw.between(0.55, 0.85), draw.between(-48, -25)
    widest, spot = draw.between(0.55, 0.78), draw.between(0.1, 0.19)
    wings = [placed(slab(leaf(r, w, widest=widest), thick), turned=(90, -a, fold)) for r, w, a in (upper, lower)]
    spots = [
        placed(rod(spot, thick + 0.06, at=(s * r, 0, 0)), turned=(90, -a, fold))
        for r, _, a in (upper, lower)[: draw.whole(1, 2)]
        for s in (0.72, 0.4)[: draw.whole(1, 2)]
    ]
    return {
        "upper wings": both(wings[0]),
        "lower wings": both(wings[1]),
        "spots": both(joined(*spots)),
        "body": joined(
            ball((0.14, 0.14, draw.between(0.5, 0.7)), at=(0, -0.02, -0.1)), ball(0.18, at=(0, -0.04, 0.55))
        ),
        "antennae": both(
            joined(
                tube([(0.04, -0.04, 0.6), (0.16, -0.1, 0.9), (0.4, -0.12, 1.15)], 0.05),
                ball(0.1, at=(0.4, -0.12, 1.15)),
            )
        ),
    }


def crab(draw: Draw) -> Parts:
    """A broad shell, legs at its sides, two raised claws."""
    shell = wide, deep, _ = draw.between(0.8, 1.1), draw.between(0.6, 0.75), draw.between(0.36, 0.5)
    n, knee, stalk, claw = draw.whole(3, 4), draw.between(0.1, 0.4), draw.between(0.2, 0.45), draw.between(1.0, 1.4)
    ys = [deep * (i / (n - 1) * 1.3 - 0.4) for i in range(n)]
    legs = [
        tube([(0.7 * wide, 0.5 * y, 0), (1.2 * wide, y, knee), (1.2 * wide + 0.25, 1.4 * y, -0.55)], [0.14, 0.12, 0.07])
        for y in ys
    ]
    arm = tube([(0.7 * wide, -0.3, 0), (1.15 * wide, -0.7, 0.05), (1.05 * wide, -0.9, 0.4)], 0.16)
    return {
        "shell": ball(shell),
        "legs": both(joined(*legs)),
        "arms": both(arm),
        "claws": joined(_pincer(wide, claw), _pincer(-wide, claw * draw.one_of(1.0, 1.0, 0.7))),
        "eyes": both(ball(0.13, at=(0.25, -0.85 * deep, 0.1 + stalk))),
        "stalks": both(rod(0.06, stalk, at=(0.25, -0.85 * deep, 0.1 + stalk / 2))),
    }


def fish(draw: Draw) -> Parts:
    """A flat body with tail and fins, seen from the side."""
    body = thin, long, tall = draw.between(0.2, 0.36), draw.between(0.75, 1.05), draw.between(0.35, 0.7)
    fork, span = draw.between(0.2, 0.6), draw.between(0.35, 0.6)
    tail = [(-0.15, 0.1), (0.6, span), (fork, 0), (0.6, -span), (-0.15, -0.1)]
    fin = [(-0.45, -0.2), (draw.between(-0.2, 0.3), draw.between(0.3, 0.5)), (0.4, 0.3), (0.45, -0.2)]
    stripes = [
        ball((1.07 * thin * s, 0.1, 1.07 * tall * s), at=(0, y * long, 0))
        for y, s in ((-0.25, 0.968), (0.15, 0.988), (0.5, 0.866))
    ]
    parts = {
        "body": ball(body),
        "tail": slab(tail, 0.11, at=(0, long, 0), turned=(90, 0, 90)),
        "back fin": slab(fin, 0.11, at=(0, 0.1, 0.9 * tall), turned=(90, 0, 90)),
        "side fins": both(
            ball((0.3, 0.16, 0.06), at=(thin + 0.12, -0.2 * long, -0.15), turned=(0, draw.between(15, 50), 25))
        ),
        "eyes": both(ball(draw.between(0.09, 0.14), at=on(body, 26, 18))),
        "lips": ball((0.12, 0.1, 0.1), at=(0, -long, -0.02)),
    }
    if draw.yes(0.6):
        parts["stripes"] = joined(*stripes[: draw.whole(1, 3)])
    if draw.yes():
        parts["belly fin"] = slab([(x * 0.6, -y) for x, y in fin], 0.11, at=(0, 0.35, -0.85 * tall), turned=(90, 0, 90))
    return posed(parts, turned=(0, 0, draw.one_of(-55, 55)))


def snail(draw: Draw) -> Parts:
    """A coiled shell on a foot, eyes on stalks; seen from the side."""
    turns, coil, lean = draw.between(1.7, 2.4), draw.between(0.62, 0.85), draw.between(-12, 12)
    angles = [90 + 30 * i for i in range(int(12 * turns) + 1)]
    sizes = [coil * (0.12 + 0.88 * i / (len(angles) - 1)) for i in range(len(angles))]
    spiral = [on((0.0, 0.62 * s, 0.62 * s), 0, a) for a, s in zip(angles, sizes, strict=True)]
    bulge = draw.between(0.0, 0.35)
    spiral = [(bulge * (1 - s / coil), y, z) for (_, y, z), s in zip(spiral, sizes, strict=True)]
    high, reach, stalk = draw.between(0.35, 0.6), draw.between(0.75, 1.0), draw.between(0.3, 0.5)
    parts = {
        "shell": placed(tube(spiral, [0.42 * s for s in sizes]), at=(0, 0.15, 0.15 + 0.95 * coil), turned=(0, lean, 0)),
        "foot": joined(
            ball((0.3, 1.1, 0.16), at=(0, 0.1, 0.1)),
            tube([(0, -0.4, 0.12), (0, -reach, 0.2), (0, -reach - 0.12, high + 0.2)], [0.2, 0.24, 0.2]),
        ),
        "head": ball((0.24, 0.27, 0.24), at=(0, -reach - 0.15, high + 0.25)),
        "stalks": both(tube([(0.08, -reach - 0.15, high + 0.3), (0.24, -reach - 0.3, high + 0.4 + stalk)], 0.06)),
        "eyes": both(ball(0.11, at=(0.24, -reach - 0.3, high + 0.45 + stalk))),
    }
    return posed(parts, turned=(0, 0, draw.one_of(-50, 50)))


def spider(draw: Draw) -> Parts:
    """Eight arched legs about two round parts."""
    belly, knee, span = draw.between(0.5, 0.75), draw.between(0.5, 0.9), draw.between(1.2, 1.6)
    legs = [
        tube(
            [
                (0.15, -0.35 + 0.004 * a, 0.0),
                on((0.62 * span, 0.62 * span, 1), 90 + a, 0, at=(0, -0.3, knee)),
                on((span, span, 1), 90 + a, 0, at=(0, -0.3, -0.55)),
            ],
            [0.13, 0.11, 0.07],
        )
        for a in (-54, -18, 18, 54)
    ]
    parts = {
        "belly": ball((belly, draw.between(1.0, 1.4) * belly, 0.9 * belly), at=(0, 0.1 + belly, 0.12)),
        "head": ball(draw.between(0.34, 0.45), at=(0, -0.35, 0)),
        "legs": both(joined(*legs)),
        "eyes": both(balls(0.1, [(0.11, -0.72, 0.1), (0.24, -0.62, 0.2)])),
        "fangs": both(rod(0.03, 0.3, top=0.08, at=(0.12, -0.7, -0.2))),
    }
    if draw.yes():
        parts["marks"] = ball((0.5 * belly, 0.4 * belly, 0.3 * belly), at=(0, 0.1 + belly, 0.12 + 0.75 * belly))
    return parts


def _feathered(span: float) -> list[Pair]:
    """The outline of a bird's right wing."""
    return [
        (0, -0.32),
        (0.55 * span, -0.4),
        (span, 0.05),
        (0.85 * span, 0.15),
        (0.75 * span, 0.3),
        (0.45 * span, 0.4),
        (0, 0.32),
    ]


def _pincer(x: float, size: float) -> trimesh.Trimesh:
    """A crab's claw at the end of its arm, opening upwards."""
    finger = tube([(0.08, -0.15, 0), (0.24, -0.42, 0), (0.05, -0.75, 0)], [0.13, 0.12, 0.05])
    hand = joined(ball((0.24, 0.3, 0.18)), both(finger)).apply_scale(size)
    return placed(hand, at=(1.05 * x, -0.95, 0.55), turned=(-75, 0, 0))


MAKERS = {
    "bird": bird,
    "butterfly": butterfly,
    "crab": crab,
    "fish": fish,
    "snail": snail,
    "spider": spider,
}
