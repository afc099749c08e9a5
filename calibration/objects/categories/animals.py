"""Four-footed animals, and the human face."""

import trimesh

from calibration.objects.categories.arranged import balls, leaf, on, patch
from calibration.objects.categories.forms import both, placed, posed
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import Triple, ball, joined, mirrored, rod, slab, tube


def face(draw: Draw) -> Parts:
    """A head on its neck."""
    head = wide, _, tall = draw.between(0.58, 0.9), draw.between(0.66, 0.86), draw.between(0.8, 1.12)
    eye, smile, nose = draw.between(0.11, 0.17), draw.between(-8, 10), draw.between(0.16, 0.36)
    parts = {
        "head": ball(head),
        "neck": rod(draw.between(0.38, 0.56), draw.between(0.7, 1.1), top=0.36, at=(0, 0.08, -tall)),
        "eyes": both(ball((eye, 0.1, eye), at=on(head, 28, 9))),
        "brows": both(tube([on(head, a, h) for a, h in ((14, 24), (28, 28), (42, 22))], 0.07)),
        "nose": ball((0.14, nose, draw.between(0.15, 0.28)), at=on(head, 0, -8)),
        "mouth": tube([on(head, a, -32 + smile * abs(a) / 24) for a in (-24, 0, 24)], 0.08),
        "ears": both(ball((0.13, 0.17, draw.between(0.18, 0.3)), at=(wide, 0.02, 0.0))),
        "hair": _hair(draw.one_of("short", "long", "curls", "crest", "bun"), head),
    }
    if draw.yes(0.3):
        parts["beard"] = ball((0.85 * wide, 0.5, 0.42 * tall), at=(0, -0.3, -0.82 * tall))
    return parts


def dog(draw: Draw) -> Parts:
    """On four legs with a snout, its tail up; seen half from the side."""
    stout, long, leg = draw.between(0.26, 0.38), draw.between(0.55, 0.95), draw.between(0.3, 0.75)
    back, snout, y = leg + 0.7 * stout, draw.between(0.2, 0.42), -long - 0.12
    z = back + draw.between(0.45, 0.65)
    ear = both(
        ball((0.09, 0.17, draw.between(0.26, 0.4)), at=(0.34, y + 0.06, z - 0.08), turned=(0, -14, 0))
        if draw.yes()
        else rod(0.15, 0.4, top=0.03, at=(0.2, y + 0.08, z + 0.38), turned=(0, 14, 0))
    )
    parts = {
        "body": joined(ball((stout, long, stout), at=(0, 0, back)), tube([(0, -0.6 * long, back), (0, y, z)], 0.2)),
        "legs": _four_legs(0.6 * stout, 0.62 * long, back, draw.between(0.1, 0.14)),
        "head": ball((0.32, 0.34, 0.31), at=(0, y, z)),
        "snout": ball((0.18, snout, 0.16), at=(0, y - 0.28, z - 0.1)),
        "nose": ball(0.1, at=(0, y - 0.26 - snout, z - 0.04)),
        "eyes": both(ball(0.075, at=(0.16, y - 0.26, z + 0.12))),
        "ears": ear,
        "tail": _tail(long, back, draw.one_of((0.25, 0.6), (0.1, 0.35), (0.5, 0.4))),
    }
    if draw.yes(0.4):
        parts["collar"] = ball((0.27, 0.27, 0.08), at=(0, -0.92 * long, (back + z) / 2), turned=(25, 0, 0))
    return posed(parts, turned=(0, 0, draw.one_of(-40, 40)))


def elephant(draw: Draw) -> Parts:
    """A heavy body on thick legs, large ears and a trunk."""
    stout, long, leg = draw.between(0.55, 0.72), draw.between(0.75, 1.0), draw.between(0.45, 0.75)
    back, ear = leg + 0.75 * stout, draw.between(0.42, 0.65)
    y, z, lift = -long - 0.15, back + draw.between(0.1, 0.35), draw.one_of(-0.55, -0.3, 0.35)
    trunk = [
        (0, y - 0.2, z),
        (0, y - 0.62, z - 0.35),
        (0, y - 0.7, z - 0.85),
        (0, y - 1.0, z - 0.85 + 0.6 * (lift + 0.55)),
    ]
    raised = [(0, y - 0.2, z - 0.1), (0, y - 0.7, z - 0.3), (0, y - 1.05, z + 0.15), (0, y - 1.0, z + 0.7)]
    parts = {
        "body": ball((stout, long, 0.95 * stout), at=(0, 0, back)),
        "legs": _four_legs(0.6 * stout, 0.55 * long, back, draw.between(0.2, 0.26)),
        "head": ball((0.42, 0.45, 0.48), at=(0, y, z)),
        "ears": both(
            ball(
                (ear, 0.1, 1.15 * ear), at=(0.3 + 0.75 * ear, y + 0.15, z + 0.05), turned=(0, -10, draw.between(10, 35))
            )
        ),
        "trunk": tube(raised if lift > 0 else trunk, [0.24, 0.2, 0.16, 0.12]),
        "eyes": both(ball(0.08, at=on((0.42, 0.45, 0.48), 45, 15, at=(0, y, z)))),
        "tail": tube([(0, 0.9 * long, back + 0.2), (0, long + 0.2, back), (0, long + 0.22, back - 0.5)], 0.07),
    }
    if draw.yes(0.6):
        parts["tusks"] = both(
            tube([(0.2, y - 0.3, z - 0.25), (0.27, y - 0.6, z - 0.45), (0.27, y - 0.9, z - 0.3)], [0.1, 0.09, 0.04])
        )
    return parts


def giraffe(draw: Draw) -> Parts:
    """A long neck on long legs."""
    stout, long, leg = draw.between(0.28, 0.4), draw.between(0.48, 0.66), draw.between(0.8, 1.15)
    back, neck, lean = leg + 0.6 * stout, draw.between(1.3, 1.8), draw.between(0.25, 0.6)
    y, z = -0.7 * long - lean, back + neck
    body = (stout, long, 0.9 * stout)
    size = draw.between(14, 22)
    spots = [patch(body, a + h, h, size, at=(0, 0, back)) for a in range(40, 360, 60) for h in (-5, 45)]
    up = [(0.0, -0.7 * long - lean * s, back + neck * s) for s in (0.3, 0.5, 0.7)]
    return {
        "body": ball(body, at=(0, 0, back)),
        "legs": _four_legs(0.6 * stout, 0.62 * long, back, draw.between(0.08, 0.11)),
        "neck": tube([(0, -0.6 * long, back), (0, y + 0.05, z)], [0.22, 0.14]),
        "head": joined(
            ball((0.19, 0.24, 0.2), at=(0, y, z)),
            ball((0.14, draw.between(0.26, 0.36), 0.13), at=(0, y - 0.25, z - 0.07)),
        ),
        "horns": both(joined(rod(0.05, 0.26, at=(0.1, y + 0.05, z + 0.26)), ball(0.08, at=(0.1, y + 0.05, z + 0.4)))),
        "ears": both(ball((0.18, 0.06, 0.09), at=(0.28, y + 0.08, z + 0.08), turned=(0, -20, 0))),
        "spots": joined(*spots, both(balls(0.1, [(0.12, b, c) for _, b, c in up]))),
        "tail": tube(
            [(0, 0.9 * long, back + 0.1), (0, long + 0.15, back), (0, long + 0.15, back - 0.5)], [0.06, 0.06, 0.1]
        ),
    }


def rabbit(draw: Draw) -> Parts:
    """Long ears, large hind feet, a tuft of a tail; sitting up or crouching."""
    upright, plump, ear = draw.yes(0.6), draw.between(0.42, 0.58), draw.between(0.4, 0.65)
    body = ball((plump, plump, 0.68) if upright else (plump, 0.8, plump), at=(0, 0.1, 0.6 if upright else plump))
    y, z = (-0.12, 1.42) if upright else (-0.75, plump + 0.5)
    right = ball((0.12, 0.09, ear), at=(0.17, y + 0.06, z + 0.25 + ear), turned=(0, draw.between(4, 22), 0))
    hanging = ball((0.1, 0.13, ear), at=(0.37, y + 0.05, z + 0.2 - 0.5 * ear), turned=(0, -12, 0))
    return {
        "body": body,
        "head": ball((0.36, 0.38, 0.34), at=(0, y, z)),
        "cheeks": both(ball(0.16, at=(0.12, y - 0.3, z - 0.12))),
        "ears": both(right) if draw.yes(0.7) else joined(right, mirrored(hanging)),
        "eyes": both(ball(0.08, at=on((0.36, 0.38, 0.34), 38, 14, at=(0, y, z)))),
        "nose": ball(0.08, at=(0, y - 0.42, z)),
        "feet": both(ball((0.16, draw.between(0.3, 0.45), 0.12), at=(0.62 * plump, -0.3, 0.1))),
        "paws": both(
            ball(
                (0.12, 0.14, 0.24),
                at=(0.2, -0.42 if upright else -0.65, 0.72 if upright else 0.22),
                turned=(-25 if upright else 0, 0, 0),
            )
        ),
        "tail": ball(draw.between(0.17, 0.25), at=(0, 0.2 + (plump if upright else 0.8), 0.35)),
    }


def turtle(draw: Draw) -> Parts:
    """A domed shell between four short legs."""
    shell = wide, long, _ = draw.between(0.7, 0.95), draw.between(0.85, 1.15), draw.between(0.5, 0.85)
    size = draw.between(19, 25)
    plates = [patch(shell, a, h, size) for h, step in ((32, 60), (90, 360)) for a in range(0, 360, step)]
    swims, neck, lift = draw.yes(0.4), draw.between(0.2, 0.45), draw.between(0.05, 0.4)
    flat = [slab(leaf(0.95, 0.42), 0.12, at=(0.75 * wide, y * long, -0.1), turned=(0, 12, y * 45)) for y in (-0.6, 0.6)]
    leg = [ball((0.2, 0.22, 0.38), at=(0.75 * wide, y * long, -0.25), turned=(0, -20, 0)) for y in (-0.58, 0.58)]
    return {
        "shell": ball(shell),
        "rim": ball((1.1 * wide, 1.08 * long, 0.16), at=(0, 0, -0.04)),
        "plates": joined(*plates),
        "legs": both(joined(*(flat if swims else leg))),
        "neck": tube([(0, -0.8 * long, -0.05), (0, -long - neck, lift)], 0.17),
        "head": ball((0.25, 0.3, 0.23), at=(0, -long - neck - 0.1, lift + 0.05)),
        "eyes": both(ball(0.075, at=(0.17, -long - neck - 0.28, lift + 0.15))),
        "tail": rod(0.12, 0.4, top=0.02, at=(0, long + 0.2, -0.1), turned=(-100, 0, 0)),
    }


def _four_legs(x: float, y: float, height: float, radius: float) -> trimesh.Trimesh:
    """Legs from the ground to `height` at both x and both y."""
    leg = joined(
        rod(radius, height, at=(x, 0, height / 2)),
        ball((1.3 * radius, 1.5 * radius, radius), at=(x, -0.04, 0.7 * radius)),
    )
    return both(joined(placed(leg, at=(0, -y, 0)), placed(leg, at=(0, y, 0))))


def _tail(long: float, back: float, end: tuple[float, float]) -> trimesh.Trimesh:
    """A dog's tail, from its rump to `end` behind and above."""
    return tube(
        [
            (0, 0.85 * long, back + 0.08),
            (0, long + 0.7 * end[0], back + 0.3 * end[1]),
            (0, long + end[0], back + end[1]),
        ],
        [0.1, 0.09, 0.06],
    )


def _hair(style: str, head: Triple) -> trimesh.Trimesh:
    """Hair on a head of these radii that leaves the front free."""
    wide, deep, tall = head
    short = ball((1.07 * wide, deep, 0.95 * tall), at=(0, 0.2, 0.2 * tall))
    if style == "long":
        return joined(short, ball((1.2 * wide, 0.45, 1.25 * tall), at=(0, 0.42, -0.25 * tall)))
    if style == "curls":
        return balls(
            0.27,
            [
                on(head, a, h)
                for h, step in ((35, 45), (75, 90))
                for a in range(step, 360, step)
                if h > 60 or abs(a - 180) < 140
            ],
        )
    if style == "crest":
        return balls((0.12, 0.24, 0.24), [on(head, 0, h) for h in range(60, 190, 22)])
    return joined(short, ball(0.34, at=(0, 0.3, 1.2 * tall))) if style == "bun" else short


MAKERS = {
    "face": face,
    "dog": dog,
    "elephant": elephant,
    "giraffe": giraffe,
    "rabbit": rabbit,
    "turtle": turtle,
}
