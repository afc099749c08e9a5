"""Furniture and fittings."""

import trimesh

from calibration.objects.categories.arranged import bar, in_row
from calibration.objects.categories.forms import arched, around, both, placed, posed, smooth
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import ball, box, hoop, joined, lathe, rod, slab

_UPRIGHT = (90.0, 0.0, 0.0)


def bed(draw: Draw) -> Parts:
    """A mattress in a frame with pillows at a headboard and a blanket at the feet."""
    wide, long, leg = draw.between(0.8, 1.6), draw.between(1.7, 2.1), draw.between(0.12, 0.4)
    soft, head, warm = draw.between(0.16, 0.3), draw.between(0.45, 0.9), draw.between(0.45, 0.7) * long
    n, floor = 2 if wide > 1.1 else 1, leg + 0.14
    top, middle = floor + soft, floor + soft / 2
    boards = [placed(_headboard(draw, wide + 0.1, top + head), at=(0, long / 2, 0))]
    if draw.yes():
        boards.append(box((wide + 0.1, 0.1, top + 0.12), at=(0, -long / 2, (top + 0.12) / 2)))
    pillow = ball((0.36 * wide / n, 0.2, 0.11), at=(0, long * 0.36, top + 0.08))
    parts = {
        "boards": joined(*boards),
        "frame": box((wide, long, 0.14), at=(0, 0, leg + 0.07)),
        "legs": four_legs(draw.between(0.05, 0.09), leg + 0.07, wide - 0.2, long - 0.2),
        "mattress": box((wide - 0.04, long - 0.06, soft), at=(0, 0, middle)),
        "pillows": in_row(pillow, n, (wide / n, 0, 0)),
        "blanket": box((wide + 0.06, warm, soft + 0.06), at=(0, 0.03 + (warm - long) / 2, middle + 0.03)),
    }
    return posed(parts, turned=(0, 0, 50))


def sofa(draw: Draw) -> Parts:
    """Seats in a row between two arms before a long back with cushions."""
    n, seat, deep = draw.whole(2, 4), draw.between(0.45, 0.6), draw.between(0.7, 0.95)
    wide, low, tall = n * seat, draw.between(0.1, 0.3), draw.between(0.45, 0.75)
    arm, rest, plump = draw.between(0.14, 0.3), draw.between(0.28, 0.48), draw.between(0.8, 1.0)
    side = box((arm, deep, rest + 0.2), at=(wide / 2 + arm / 2, 0, low + rest / 2 + 0.1))
    if draw.yes():
        side = joined(
            side, rod(arm * 0.7, deep + 0.04, at=(wide / 2 + arm * 0.6, 0, low + rest + 0.2), turned=_UPRIGHT)
        )
    back = slab(arched(wide, tall, draw.one_of(0.0, 0.0, 0.25)), 0.18, at=(0, deep / 2 - 0.09, low), turned=_UPRIGHT)
    cushion = box((0.84 * seat, 0.17, 0.42 * plump), at=(0, deep / 2 - 0.27, low + 0.55), turned=(-15, 0, 0))
    step = (seat, 0.0, 0.0)
    return {
        "frame": joined(back, box((wide, deep, 0.22), at=(0, 0, low + 0.11))),
        "arms": both(side),
        "seats": in_row(box((seat - 0.04, deep - 0.06, 0.18), at=(0, -0.1, low + 0.28)), n, step),
        "cushions": in_row(cushion, n, step),
        "feet": four_legs(draw.between(0.05, 0.08), low + 0.05, wide + arm, deep - 0.2, splay=1.2),
    }


def lamp(draw: Draw) -> Parts:
    """A shade open below, with the bulb in it, on a stem with a broad foot."""
    high, foot, tall = draw.between(1.1, 1.8), draw.between(0.3, 0.45), draw.between(0.4, 0.65)
    low, top, flare = draw.between(0.42, 0.6), draw.between(0.15, 0.5), draw.one_of(0.0, 0.1)
    neck, beads = high - tall * 0.3, draw.whole(0, 3)
    stem = [rod(draw.between(0.05, 0.09), neck, at=(0, 0, neck / 2))]
    stem += [ball(draw.between(0.12, 0.2), at=(0, 0, neck * (i + 0.7) / (beads + 1))) for i in range(beads)]
    base = draw.one_of(
        rod(foot, 0.1, at=(0, 0, 0.05)),
        box((1.7 * foot, 1.7 * foot, 0.14), at=(0, 0, 0.07)),
        lathe(smooth([(foot, 0.0), (foot * 0.9, 0.12), (0.12, 0.3)])),
    )
    outer = smooth([(low, high - tall / 2), ((low + top) / 2 - flare, high), (top, high + tall / 2)])
    inner = [(r - 0.05, z) for r, z in reversed(outer)]
    ring = high + tall * 0.4
    return {
        "shade": lathe([*outer, *inner, outer[0]]),
        "stem": joined(*stem),
        "foot": base,
        "bulb": joined(ball((0.14, 0.14, 0.18), at=(0, 0, neck + 0.1)), bar((0, 0, neck), (0, 0, ring), 0.05)),
        "spokes": around(bar((0, 0, ring), (top, 0, ring), 0.045), 3),
    }


def door(draw: Draw) -> Parts:
    """A panelled leaf with a knob, ajar in its frame above a step."""
    wide, high, beam = draw.between(0.8, 1.1), draw.between(1.6, 2.0), draw.between(0.12, 0.2)
    rise, rows, columns = draw.one_of(0.0, 0.0, 0.2, wide / 2), draw.whole(1, 4), draw.whole(1, 2)
    outside, inside = arched(wide + 2 * beam, high + beam, rise), arched(wide, high, rise)
    cell, tall, step = wide * 0.8 / columns, (high - 0.25) / rows, draw.between(0.5, 0.8)
    panel = box((cell - 0.09, 0.16, tall - 0.1), at=(wide / 2, 0, 0.1 + high * 0.5 - 0.075))
    panels = in_row(in_row(panel, columns, (cell, 0, 0)), rows, (0, 0, tall))
    grip = draw.one_of(ball(0.08), box((0.2, 0.08, 0.08)), hoop(0.09, 0.045, turned=_UPRIGHT))
    knob = joined(rod(0.05, 0.3, turned=_UPRIGHT), placed(grip, at=(0, -0.15, 0)), placed(grip, at=(0, 0.15, 0)))
    leaf = {
        "leaf": slab([(x + wide / 2, z) for x, z in arched(wide - 0.02, high - 0.01, rise)], 0.1, turned=_UPRIGHT),
        "panels": panels,
        "knob": placed(knob, at=(wide * 0.92, 0, high * 0.48)),
    }
    return {
        "frame": slab([*outside, *reversed(inside)], 0.24, turned=_UPRIGHT),
        **posed(leaf, at=(-wide / 2, 0, 0), turned=(0, 0, -draw.between(15, 40))),
        "step": box((wide + 2 * beam + 0.2, step, 0.14), at=(0, -step * 0.2, -0.06)),
    }


def four_legs(
    radius: float, high: float, wide: float, deep: float, *, low: float = 0.0, splay: float = 1.0
) -> trimesh.Trimesh:
    """Four round legs from `low` up to `high`, `wide` by `deep` apart, below `splay` times as far."""
    x, y = wide / 2, deep / 2
    return both(both(bar((x * splay, y * splay, low), (x, y, high), radius)), axis=1)


def _headboard(draw: Draw, wide: float, high: float) -> trimesh.Trimesh:
    """Plain, arched or barred."""
    posts = in_row(rod(0.06, high, at=(0, 0, high / 2)), 6, (wide / 5 - 0.03, 0, 0))
    return draw.one_of(
        slab(arched(wide, high, 0.0), 0.12, turned=_UPRIGHT),
        slab(arched(wide, high - 0.2, 0.3), 0.12, turned=_UPRIGHT),
        joined(posts, box((wide, 0.1, 0.12), at=(0, 0, high - 0.1))),
    )


MAKERS = {"bed": bed, "sofa": sofa, "lamp": lamp, "door": door}
