"""Whom `sim` plays, and what is shown: to a subject, what it can decode."""

from calibration.decoding.subject import AnytimeSubject
from calibration.simulate import SimulateConfig, plan
from calibration.subjects import AnySubject
from pipeline.sources.simulated import Performance, seed_in

# Files are simulated as run 0 unless told otherwise: live is another day of the same participant.
LIVE_RUN = 1
TURNING, BUILT_IN = "eeg3d", "builtin"
TAUGHT = ("training", "selection")
REPEATS = 40  # of each category: with ten of them, an hour


def performance_for(subject: AnySubject | None, seed: int | None) -> Performance:
    """A simulated participant on another day than calibration's.

    It is the one of `seed`, else the one that the subject was calibrated on, else that of seed 0. A subject of turning
    objects is shown those of its categories that did not teach it, any other one the pictures of the usual protocol.
    """
    if seed is None:
        seed = seed_in(subject.manifest.stream.source_id) if subject is not None else None
    config = SimulateConfig(seed=seed or 0, run=LIVE_RUN)
    if not isinstance(subject, AnytimeSubject) or subject.manifest.stimuli != BUILT_IN:
        return plan(config)
    known = subject.manifest.gallery
    taught = {one.key for one in known if one.shown in TAUGHT}
    keys = tuple(one.key for one in known if one.key not in taught) or tuple(one.key for one in known)
    return plan(config.showing(TURNING, keys, REPEATS))
