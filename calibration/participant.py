"""What a simulated brain would answer: a forward model, no label leak.

A stimulus is a vector of visual descriptors (`calibration/descriptors.py`: contrast, spatial frequency, colour, shape,
parts, and what changes over the turn). Areas along the ventral and dorsal stream answer descriptors of their own kind
with a tuning partly shared by all people, partly individual; 64 electrodes on a spherical head (MNE, Berg & Scherg
approximation) see the sum, and ongoing rhythms whose gains and theta-gamma coupling the stimulus changes. Nothing here
knows of classes, colour labels or embeddings: two categories differ in the EEG as far as they look different.

`calibration/brain/cited.py` holds every number with its source; how far stimuli differ (`TUNING_SD`) is the one free
choice; decision 0115 says how it was made, what was measured on the finished EEG, and what decoders reach on it.

What is missing, and makes real people harder: learning, attention and its lapses, repetition suppression, expectation,
microsaccades that answer pictures, lambda waves, the Bereitschaftspotential, cardiac and sweat artefacts, cables that
move, gel that dries, and every difference between people that nobody has measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from calibration.brain import cited
from calibration.brain.head import ELECTRODES, REFERENCE, Head
from calibration.brain.person import contact_of, eyes_of, fatigue_of, rhythms_of
from calibration.brain.responses import Responses, prototype
from calibration.brain.tuning import Looks, Tuning, looks
from calibration.brain.waves import sources_uv
from calibration.descriptors import Described
from calibration.objects.shipped import DESCRIPTORS, Shipped
from pipeline.simulated.participant import Evoked, Participant, Response

__all__ = ["ELECTRODES", "REFERENCE", "Stimulus", "make_participant"]


@dataclass(frozen=True)
class Stimulus:
    """A picture: `object` of `category`. `target` marks what the protocol asks the participant to look out for."""

    category: str
    object: str
    target: bool = False

    @property
    def key(self) -> str:
        """`category/object`, as in markers and tables."""
        return f"{self.category}/{self.object}"

    @property
    def label(self) -> str:
        """What the marker stream says when it comes on the screen."""
        return f"stim/{self.key}"


def make_participant(
    seed: int,
    stimuli: Sequence[Stimulus],
    *,
    sfreq_hz: float = 250.0,
    line_hz: float = 50.0,
    described: Described | None = None,
) -> Participant:
    """The participant named `seed`: the same anatomy, tuning and habits for any stimuli at any rate.

    `described` says what stimuli look like that are not built in, on the built-in set's scale; others are described by
    their names (`calibration/brain/tuning.py`). Answered are `stim/`, `turn/` and `flicker/HZ/` of every stimulus,
    `imagine/` of every category, and cues, questions, crosses, empty screens and key presses. Thread: any.

    Raises:
        SetDamaged: the built-in set's descriptors are missing or damaged.
    """
    built_in = _built_in()
    head = Head(np.random.default_rng([seed, 10]))
    rhythms = rhythms_of(head, np.random.default_rng([seed, 12]), sfreq_hz)
    contact, bad = contact_of(head, np.random.default_rng([seed, 13]), line_hz)
    tuning = Tuning(np.random.default_rng([seed, 11]), built_in)
    responses = Responses(head, tuning, np.random.default_rng([seed, 14]), rhythms.depth, rhythms.preferred_rad)
    seen = {s: _looks(s.key, described, built_in) for s in dict.fromkeys(stimuli)}
    return Participant(
        seed=seed,
        sfreq_hz=sfreq_hz,
        names=ELECTRODES,
        positions_m=head.positions_m,
        evoked=Evoked(
            responses=_answers(responses, seen),
            sources_uv=head.recorded(sources_uv(head)),
            gain_sd=cited.GAIN_SD,
            gaze_gain_sd=cited.GAZE_GAIN_SD,
            flicker_hz=np.array(cited.FLICKER_HZ),
            flicker_gain=np.array(cited.FLICKER_GAIN),
            harmonics=np.array(cited.FLICKER_HARMONICS),
        ),
        rhythms=rhythms,
        eyes=eyes_of(head),
        contact=contact,
        fatigue=fatigue_of(),
        facts={
            "reference": REFERENCE,
            "bad channels": bad,
            "stimuli known by name only": f"{sum(not look.known for look in seen.values())} of {len(seen)}",
        },
    )


def _answers(responses: Responses, seen: dict[Stimulus, Looks]) -> dict[str, Response]:
    found = responses.unspecific()
    for stimulus, look in seen.items():
        found[stimulus.label] = responses.picture(look, stimulus.target)
        found[f"turn/{stimulus.key}"] = responses.turn(look)
        found[f"flicker/{stimulus.key}"] = responses.flicker(look, found[stimulus.label])
    for category in dict.fromkeys(s.category for s in seen):
        members = prototype(look for s, look in seen.items() if s.category == category)
        found[f"imagine/{category}"] = responses.imagined(members)
    return found


def _looks(key: str, described: Described | None, built_in: Described) -> Looks:
    """From the set's own table, else the built-in one, else by name."""
    own = looks(key, described)
    return own if own.known else looks(key, built_in)


@cache
def _built_in() -> Described:
    return Described.load(Shipped().checked(DESCRIPTORS))
