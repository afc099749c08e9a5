"""Things that drive, swim and fly."""

from calibration.objects.categories.arranged import bar, in_row, wrapped
from calibration.objects.categories.forms import around, both, placed, posed
from calibration.objects.draw import Draw, Parts
from calibration.objects.shapes import Pair, ball, box, hoop, joined, lathe, rod, slab, tube

_ALONG_Y = (90.0, 0.0, 0.0)
"""Turns what points up to the front."""
_UPRIGHT = (90.0, 0.0, 90.0)
"""Turns an outline of (x, y) into one of (y, z), to be seen from the side."""


def airplane(draw: Draw) -> Parts:
    """A long body with wings, a tail fin and engines."""
    thick, long, span = draw.between(0.2, 0.32), draw.between(1.1, 1.5), draw.between(1.1, 1.6)
    chord, sweep, jets = draw.between(0.45, 0.65), draw.between(0.0, 0.6), draw.yes(0.6)
    z = draw.one_of(-0.3, 0.5) * thick
    body = [
        (0.06, -long),
        (0.6 * thick, -0.6 * long),
        (thick, -0.1 * long),
        (thick, 0.6 * long),
        (0.75 * thick, 0.85 * long),
        (0.3 * thick, long),
    ]
    parts = {
        "body": lathe(body, turned=_ALONG_Y),
        "wings": both(slab(_wing(span, chord, sweep), 0.11, at=(0, -0.2, z))),
        "tailplane": both(slab(_wing(0.4 * span, 0.35, 0.5 * sweep), 0.1, at=(0, 0.78 * long, 0.1))),
        "fin": slab(
            [(0, 0), (0.45, 0), (0.6, draw.between(0.45, 0.75)), (0.3, 0.5)],
            0.1,
            at=(0, long - 0.55, 0.05),
            turned=_UPRIGHT,
        ),
        "cockpit": ball((0.7 * thick, 0.25, 0.5 * thick), at=(0, -0.6 * long, 0.65 * thick)),
    }
    if jets:
        engine = rod(0.13, 0.5, turned=_ALONG_Y)
        places = ((0.35, 0.65), (0.45,))[draw.whole(0, 1)]
        parts["engines"] = both(joined(*(placed(engine, at=(s * span, -0.25 + s * sweep, z - 0.14)) for s in places)))
    else:
        blade = box((0.42, 0.12, 0.09), at=(0.22, 0, 0))
        propeller = joined(around(blade, draw.whole(2, 4)), rod(0.13, 0.2, top=0.05, at=(0, 0, 0.06)))
        parts["propeller"] = placed(propeller, at=(0, -long - 0.04, 0), turned=_ALONG_Y)
    if not jets and draw.yes():
        parts["upper wings"] = both(slab(_wing(span, chord, sweep), 0.1, at=(0, -0.25, z + 0.6)))
        parts["struts"] = both(
            bar((0.6 * span, -0.1 + 0.5 * sweep, z), (0.6 * span, -0.15 + 0.5 * sweep, z + 0.6), 0.06)
        )
    return parts


def bicycle(draw: Draw) -> Parts:
    """Two wheels in line, a frame, handlebar and saddle; seen from the side."""
    r, d, tyre = draw.between(0.42, 0.55), draw.between(0.62, 0.8), draw.between(0.06, 0.1)
    rear, front, crank = (0.0, d, r), (0.0, -d, r), (0.0, 0.12, 0.85 * r)
    seat, head = (0.0, 0.32, r + draw.between(0.4, 0.6)), (0.0, -0.72 * d, r + draw.between(0.5, 0.65))
    grip, reach = head[2] + draw.between(0.1, 0.3), draw.between(-0.25, 0.25)
    low = (0.0, head[1] - 0.05, 0.45 * head[2] + 0.55 * r)
    cross = draw.one_of(
        [seat, head],
        [(0, seat[1] - 0.05, 0.5 * (seat[2] + r)), head],
        [(0.0, 0.16, 1.2 * r), (0.0, -0.2, r + 0.1), low],
    )
    spokes = placed(around(bar((0, 0, 0), (r - tyre, 0, 0), 0.045), 2 * draw.whole(2, 4)), turned=(0, 90, 0))
    wheel = hoop(r - tyre, tyre, turned=(0, 90, 0))
    parts = {
        "tyres": joined(placed(wheel, at=rear), placed(wheel, at=front)),
        "spokes": joined(placed(spokes, at=rear), placed(spokes, at=front)),
        "frame": joined(
            *(bar(a, b, 0.06) for a, b in ((crank, seat), (crank, head), (seat, rear), (crank, rear), (head, front))),
            tube(cross, 0.06),
        ),
        "handlebar": joined(
            bar(head, (0, head[1] + 0.03, grip), 0.055),
            tube(
                [
                    (-0.42, head[1] + reach, grip),
                    (-0.2, head[1], grip + 0.03),
                    (0.2, head[1], grip + 0.03),
                    (0.42, head[1] + reach, grip),
                ],
                0.06,
            ),
        ),
        "saddle": ball((draw.between(0.11, 0.18), 0.25, 0.09), at=(0, seat[1] + 0.02, seat[2] + 0.1)),
        "pedals": joined(
            rod(0.15, 0.12, at=crank, turned=(0, 90, 0)),
            box((0.24, 0.18, 0.07), at=(0.2, -0.08, crank[2] - 0.2)),
            box((0.24, 0.18, 0.07), at=(-0.2, 0.3, crank[2] + 0.15)),
            bar((0.1, -0.08, crank[2] - 0.2), crank, 0.05),
            bar((-0.1, 0.3, crank[2] + 0.15), crank, 0.05),
        ),
    }
    if draw.yes(0.4):
        parts["basket"] = box((0.5, 0.36, 0.3), at=(0, head[1] - 0.27, grip - 0.15))
    if draw.yes(0.4):
        parts["rack"] = joined(
            box((0.24, 0.6, 0.07), at=(0, d, 2 * r + 0.1)), both(bar((0.08, d, r), (0.08, d, 2 * r + 0.1), 0.045))
        )
    return posed(parts, turned=(0, 0, draw.one_of(-55, 55)))


def boat(draw: Draw) -> Parts:
    """A hull with a mast and sails."""
    wide, long, deep = draw.between(0.4, 0.6), draw.between(0.95, 1.3), draw.between(0.35, 0.55)
    mast, swing, step = draw.between(1.5, 2.2), draw.between(35, 55) * draw.one_of(-1, 1), -0.15 * long
    deck = [
        (0, -long),
        (0.6 * wide, -0.6 * long),
        (wide, 0.0),
        (0.8 * wide, long),
        (-0.8 * wide, long),
        (-wide, 0.0),
        (-0.6 * wide, -0.6 * long),
    ]
    aft, fore, square = draw.between(0.85, 1.1), draw.between(0.55, 0.75), draw.yes(0.3)
    leech = (
        [(aft, 0.12), (0.75 * aft, 0.8 * mast), (0.06, 0.95 * mast)] if square else [(aft, 0.12), (0.06, 0.95 * mast)]
    )
    sail = slab([(0.06, 0.12), *leech], 0.11, turned=_UPRIGHT)
    jib = slab([(-0.05, 0.15), (-0.05, draw.between(0.6, 0.85) * mast), (-fore, 0.15)], 0.11, turned=_UPRIGHT)
    parts = {
        "hull": wrapped([*((x, y, deep) for x, y in deck), *((0.55 * x, 0.75 * y, 0.0) for x, y in deck)]),
        "rail": joined(*(bar((*a, deep), (*b, deep), 0.07) for a, b in zip(deck, deck[1:] + deck[:1], strict=True))),
        "mast": rod(0.06, mast, at=(0, step, deep + mast / 2)),
        "sail": placed(sail, at=(0, step, deep + 0.08), turned=(0, 0, swing)),
        "jib": placed(jib, at=(0, step, deep + 0.08), turned=(0, 0, -0.9 * swing)),
        "boom": placed(bar((0, 0, 0), (0, aft + 0.05, 0), 0.06), at=(0, step, deep + 0.15), turned=(0, 0, swing)),
    }
    if draw.yes():
        parts["cabin"] = box((1.1 * wide, 0.6 * long, 0.28), at=(0, 0.42 * long, deep + 0.12))
    if draw.yes():
        parts["flag"] = slab(
            [(0, 0), (0.4, 0.1), (0, 0.25)], 0.1, at=(0, step, deep + mast - 0.22), turned=(90, 0, 90 + swing)
        )
    return parts


def helicopter(draw: Draw) -> Parts:
    """A cabin with a tail boom under a large rotor."""
    cabin = wide, long, high = draw.between(0.38, 0.55), draw.between(0.55, 0.8), draw.between(0.4, 0.52)
    tail, n, turn = draw.between(0.95, 1.35), draw.whole(2, 5), draw.between(0, 90)
    boom, top = long + tail - 0.25, high + draw.between(0.15, 0.3)
    blade = box((draw.between(1.0, 1.35), draw.between(0.14, 0.22), 0.09), at=(0.6, 0, 0))
    skid = joined(
        tube([(0, -long - 0.1, 0.12), (0, -long + 0.1, 0), (0, 0.6 * long, 0)], 0.06),
        *(bar((0, y, 0), (-0.2, y, 0.35), 0.055) for y in (-0.35, 0.3)),
    )
    wheels = joined(
        *(rod(0.15, 0.12, at=(0, y, 0.05), turned=(0, 90, 0)) for y in (-0.4, 0.35)),
        *(bar((0, y, 0.05), (-0.2, y, 0.35), 0.06) for y in (-0.4, 0.35)),
    )
    return {
        "cabin": ball(cabin),
        "window": ball((0.86 * wide, 0.6 * long, 0.75 * high), at=(0, -0.46 * long, 0.1 * high)),
        "boom": tube([(0, 0.4 * long, 0.1), (0, boom, 0.25)], [0.25, 0.09]),
        "fin": slab(
            [(-0.2, -0.2), (0.1, -0.2), (0.3, draw.between(0.35, 0.55)), (0.05, 0.45)],
            0.1,
            at=(0, boom, 0.25),
            turned=_UPRIGHT,
        ),
        "rotor": joined(placed(around(blade, n), at=(0, 0, top), turned=(0, 0, turn)), rod(0.13, 0.14, at=(0, 0, top))),
        "mast": rod(0.08, 0.5, at=(0, 0, top - 0.25)),
        "tail rotor": placed(
            around(box((0.34, 0.12, 0.08), at=(0.17, 0, 0)), draw.whole(2, 4)), at=(0.12, boom, 0.3), turned=(0, 90, 0)
        ),
        "landing gear": both(placed(skid if draw.yes(0.7) else wheels, at=(wide, 0, -high - 0.15))),
    }


def rocket(draw: Draw) -> Parts:
    """A pointed body on fins."""
    wide, tall, belly = draw.between(0.25, 0.4), draw.between(1.4, 2.1), draw.between(1.0, 1.35)
    nose, n, fin = draw.between(0.45, 0.8), draw.whole(3, 5), draw.between(0.35, 0.65)
    body = [(0.75 * wide, 0.0), (wide * belly, 0.4 * tall), (wide, tall)]
    outline = [(0, 0.7), (0, 0.0), (fin, draw.between(-0.4, 0.0)), (fin, 0.1), (0.6 * fin, 0.5)]
    tip = [(wide, tall), (0.8 * wide, tall + 0.4 * nose), (0.45 * wide, tall + 0.75 * nose), (0.04, tall + nose)]
    parts = {
        "body": lathe(body),
        "nose": lathe(tip),
        "fins": placed(around(slab(outline, 0.11, at=(0.7 * wide, 0, 0), turned=_ALONG_Y), n), turned=(0, 0, 90)),
        "nozzle": rod(0.75 * wide, 0.25, top=0.45 * wide, at=(0, 0, -0.1)),
        "window": rod(0.5 * wide, 0.2, at=(0, -wide * belly * 0.93, 0.62 * tall), turned=_ALONG_Y),
        "bands": joined(
            *(
                rod(1.06 * wide * (1 + (belly - 1) * 0.5 * (i == 0)), 0.1, at=(0, 0, z * tall))
                for i, z in enumerate((0.3, 0.95))
            )
        ),
    }
    if draw.yes(0.4):
        booster = joined(rod(0.15, 0.5 * tall, at=(0, 0, 0.25 * tall)), ball((0.15, 0.15, 0.25), at=(0, 0, 0.5 * tall)))
        parts["boosters"] = around(placed(booster, at=(wide * belly + 0.1, 0, -0.05)), draw.whole(2, 4))
    if draw.yes(0.4):
        parts["flame"] = lathe(
            [(0.4 * wide, 0), (0.6 * wide, -0.25), (0.03, -draw.between(0.6, 0.9))], at=(0, 0, -0.15)
        )
    return parts


def train(draw: Draw) -> Parts:
    """A steam engine on rails, with or without a wagon."""
    thick, long, n = draw.between(0.32, 0.44), draw.between(0.8, 1.2), draw.whole(2, 4)
    wheel, cab = draw.between(0.17, 0.24), draw.between(0.45, 0.6)
    z, rear = 2 * wheel + 0.1 + thick, long + cab
    flare, chimney = draw.between(0.7, 1.9), draw.between(0.35, 0.65)
    wagon = draw.between(0.6, 0.9) if draw.yes(0.6) else 0.0
    stop = rear + wagon + (0.15 if wagon else 0.0)
    axle = both(rod(wheel, 0.12, at=(0.36, 0, wheel), turned=(0, 90, 0)))
    roof = draw.one_of(box((1.0, cab + 0.15, 0.1)), ball((0.52, cab / 2 + 0.1, 0.16)))
    parts = {
        "boiler": rod(thick, long, at=(0, long / 2, z), turned=_ALONG_Y),
        "lamp": rod(0.55 * thick, 0.12, at=(0, -0.04, z), turned=_ALONG_Y),
        "chimney": lathe([(0.13, 0), (0.13, 0.4 * chimney), (0.13 * flare, chimney)], at=(0, 0.22, z + 0.85 * thick)),
        "dome": ball((0.17, 0.17, draw.between(0.2, 0.34)), at=(0, 0.65 * long, z + thick)),
        "cab": box((0.86, cab, 2 * thick + 0.3), at=(0, long + cab / 2, z + 0.15)),
        "roof": placed(roof, at=(0, long + cab / 2, z + thick + 0.33)),
        "wheels": joined(
            *(placed(axle, at=(0, (i + 0.5) / n * rear, 0)) for i in range(n)),
            *(placed(axle, at=(0, rear + 0.15 + s * wagon, 0)) for s in (0.2, 0.8) if wagon),
        ),
        "chassis": box((0.6, stop, 0.16), at=(0, stop / 2, 2 * wheel)),
        "buffer": wrapped([(x, y, h) for x in (-0.4, 0.4) for y, h in ((0.0, 0.05), (-0.3, 0.05), (0.0, 2 * wheel))]),
        "rails": joined(
            both(box((0.1, stop + 0.6, 0.08), at=(0.36, stop / 2, -0.04))),
            in_row(box((1.1, 0.14, 0.08), at=(0, stop / 2, -0.1)), draw.whole(5, 7), (0, (stop + 0.3) / 6, 0)),
        ),
    }
    if wagon:
        parts["wagon"] = box((0.84, wagon, draw.between(0.35, 0.9)), at=(0, rear + 0.15 + wagon / 2, 2 * wheel + 0.3))
    return parts


def _wing(span: float, chord: float, sweep: float) -> list[Pair]:
    """The outline of a right wing, its tip `sweep` behind its root."""
    return [(0, -chord / 2), (span, sweep - 0.2 * chord), (span, sweep + 0.3 * chord), (0, chord / 2)]


MAKERS = {
    "airplane": airplane,
    "bicycle": bicycle,
    "boat": boat,
    "helicopter": helicopter,
    "rocket": rocket,
    "train": train,
}
