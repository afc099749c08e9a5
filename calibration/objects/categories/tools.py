"""Tools for the hand."""

import numpy as np

from calibration.objects.categories.forms import both, oval, placed, posed
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import ball, box, hoop, joined, rod, slab, tube

_UPRIGHT = (90.0, 0.0, 0.0)
_ALONG_X = (0.0, 90.0, 0.0)


def hammer(draw: Draw) -> Parts:
    """A heavy head across the end of a handle: a face to one side, a claw or a peen to the other."""
    long, thick, grip = draw.between(1.3, 1.7), draw.between(0.08, 0.11), draw.between(0.35, 0.6)
    head, face, reach = draw.between(0.17, 0.25), draw.between(0.2, 0.32), draw.between(0.35, 0.5)
    claw = [(-0.1, 0.09, 0), (-reach * 0.7, 0.12, 0.02), (-reach - 0.15, 0.15, -draw.between(0.15, 0.35))]
    prong = tube(claw, [head * 0.55, 0.09, 0.06])
    peen = draw.one_of(
        both(prong, axis=1),
        joined(rod(head * 0.6, reach, at=(-reach / 2, 0, 0), turned=_ALONG_X), ball(head * 0.9, at=(-reach, 0, 0))),
        slab(
            [(0, -head * 0.9), (0, head * 0.9), (-reach - 0.1, 0.05), (-reach - 0.1, -0.05)],
            head * 1.5,
            turned=_UPRIGHT,
        ),
    )
    square = draw.yes(0.4)
    block, stub = (
        (box((0.4, head * 1.7, head * 1.7)), box((face, head * 2.1, head * 2.1), at=(reach, 0, 0)))
        if square
        else (rod(head, 0.4, turned=_ALONG_X), rod(head * 1.25, face, at=(reach, 0, 0), turned=_ALONG_X))
    )
    parts = {
        "head": joined(block, rod(head * 0.75, reach, at=(reach / 2, 0, 0), turned=_ALONG_X)),
        "face": stub,
        "peen": peen,
        "handle": joined(
            rod(thick, long, at=(0, 0, -long / 2), top=thick * 0.85), rod(thick * 0.9, 0.12, at=(0, 0, head + 0.03))
        ),
        "grip": joined(
            rod(thick * 1.45, grip, at=(0, 0, -long + grip / 2 - 0.05), top=thick * 1.2),
            ball(thick * 1.5, at=(0, 0, -long - 0.05)),
        ),
    }
    return posed(parts, turned=(0, draw.between(0, 25), 15))


def key(draw: Draw) -> Parts:
    """A ring to turn it by, a round shaft and teeth at its end."""
    ring, wire, long = draw.between(0.28, 0.4), draw.between(0.08, 0.12), draw.between(0.9, 1.3)
    thick, n, reach = draw.between(0.085, 0.11), draw.whole(2, 4), draw.between(0.25, 0.42)
    flat = hoop(ring, wire, at=(0, 0, ring), turned=_UPRIGHT)
    trefoil = [
        hoop(ring * 0.62, wire, at=(x * ring, 0, z * ring), turned=_UPRIGHT)
        for x, z in ((0, 1.6), (-0.7, 0.65), (0.7, 0.65))
    ]
    corners = ((0, -1.1), (0.95, -0.7), (0.95, 0.7), (0, 1.1), (-0.95, 0.7), (-0.95, -0.7))
    square = tube([(x * ring, 0, ring * (1 + z)) for x, z in corners], wire, closed=True)
    step = min(0.2, long * 0.5 / n)
    bits = [reach * draw.between(0.6, 1.0) for _ in range(n)]
    teeth = [box((x, 0.17, step * 0.62), at=(x / 2, 0, -long + 0.08 + step * i)) for i, x in enumerate(bits)]
    rings = [rod(thick * 1.6, 0.09, at=(0, 0, -0.12 - 0.17 * i)) for i in range(draw.whole(1, 2))]
    parts = {
        "ring": draw.one_of(flat, joined(*trefoil), square),
        "shaft": joined(rod(thick, long, at=(0, 0, -long / 2 + 0.02)), ball(thick, at=(0, 0, -long))),
        "teeth": placed(joined(*teeth), turned=(0, 0, -35)),
        "collar": joined(*rings),
    }
    return posed(parts, turned=(0, draw.between(-25, 25), 0))


def saw(draw: Draw) -> Parts:
    """A long blade with a row of teeth, set in turn to the left and right, and a closed grip at its broad end."""
    long, heel, toe = draw.between(1.4, 1.8), draw.between(0.45, 0.62), draw.between(0.2, 0.36)
    n, bite = draw.whole(7, 12), draw.between(0.14, 0.2)
    step, lean, thick = long / n, draw.between(-0.1, 0.12), draw.between(0.08, 0.11)
    tooth = slab([(0, 0.05), (step, 0.05), (step / 2, -bite)], 0.11, turned=_UPRIGHT)
    teeth = [placed(tooth, at=(i * step, 0.05 * (-1) ** i, 0)) for i in range(n)]
    size = draw.between(0.9, 1.15) * heel
    loop = size * np.array([(0, 0, 0.04), (-0.6, 0, lean - 0.1), (-0.95, 0, 0.35), (-0.75, 0, 1.05), (0, 0, 0.9)])
    back = draw.one_of(
        tube([(0.0, 0, heel), (long, 0, toe)], 0.08),
        rod(0.08, 0.2, at=(long - 0.1, 0, toe * 0.6), turned=_UPRIGHT),
    )
    pins = [rod(0.07, 0.3, at=(0.07, 0, z * heel), turned=_UPRIGHT) for z in np.linspace(0.2, 0.8, draw.whole(2, 3))]
    cheek = slab([(-0.1, 0.0), (0.16, 0.02), (0.2, heel), (-0.1, heel)], 0.22, turned=_UPRIGHT)
    parts = {
        "blade": slab([(0, heel), (0, 0), (long, 0), (long, toe)], 0.1, turned=_UPRIGHT),
        "teeth": joined(*teeth),
        "grip": joined(tube(loop, thick * 1.3), cheek),
        "screws": joined(*pins),
        "back": back,
    }
    return posed(parts, turned=(0, -90, 0))


def scissors(draw: Draw) -> Parts:
    """Two blades that cross at a screw, each with a finger loop below."""
    long, wide, gape = draw.between(0.8, 1.2), draw.between(0.11, 0.17), draw.between(12, 26)
    loop, wire, arm = draw.between(0.22, 0.32), draw.between(0.07, 0.1), draw.between(0.3, 0.5)
    blunt, slim = draw.between(0.15, 0.6), draw.between(0.75, 1.0)
    edge, tip = [(-wide, -0.2), (wide * 0.7, -0.2), (wide * 0.7, long * 0.6)], -wide * 0.4
    outline = [*edge, (tip, long), (tip - wide * blunt * 0.6, long), (-wide, long * 0.5)]
    blades, loops = [], []
    for side, y in ((1, -0.055), (-1, 0.055)):
        blade = slab([(side * x, z) for x, z in outline], 0.11, turned=_UPRIGHT)
        eye = [(side * (-loop * 0.4 + x * slim), 0, -arm - loop + z * 1.15) for x, z in oval(loop, loop, n=10)]
        handle = joined(tube([(0, 0, -0.1), (-side * loop * 0.1, 0, -arm + 0.02)], wire), tube(eye, wire, closed=True))
        turned = (0, side * gape, 0)
        blades.append(placed(blade, at=(0, y, 0), turned=turned))
        loops.append(placed(handle, at=(0, y, 0), turned=turned))
    return posed(
        {
            "blades": joined(*blades),
            "handles": joined(*loops),
            "screw": rod(draw.between(0.08, 0.12), 0.34, turned=_UPRIGHT),
        },
        turned=(0, draw.between(-20, 20), 0),
    )


MAKERS = {"hammer": hammer, "key": key, "saw": saw, "scissors": scissors}
