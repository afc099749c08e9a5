"""Electrode names and places: what a label measures, its 10-05 name, and where that electrode sits.

Positions are template positions in metres, head frame (x right, y front, z up through the fiducials), from MNE's
"colin27_1005" (formerly "standard_1005"; Oostenveld & Praamstra 2001, doi:10.1016/S1388-2457(00)00527-7), or from a
location file of the user. They place electrodes on a standard head, not on the participant's.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from pipeline.errors import FileUnreadable, listed
from pipeline.types import Kind

Position = tuple[float, float, float]

# The published order of the 64-channel Neuroscan Quik-Cap (SynAmps2), as in SEED and other public data sets.
NEUROSCAN_64: tuple[str, ...] = (
    *("Fp1", "Fpz", "Fp2", "AF3", "AF4", "F7", "F5", "F3", "F1", "Fz", "F2", "F4", "F6", "F8"),
    *("FT7", "FC5", "FC3", "FC1", "FCz", "FC2", "FC4", "FC6", "FT8"),
    *("T7", "C5", "C3", "C1", "Cz", "C2", "C4", "C6", "T8"),
    *("M1", "TP7", "CP5", "CP3", "CP1", "CPz", "CP2", "CP4", "CP6", "TP8", "M2"),
    *("P7", "P5", "P3", "P1", "Pz", "P2", "P4", "P6", "P8"),
    *("PO7", "PO5", "PO3", "POz", "PO4", "PO6", "PO8", "CB1", "O1", "Oz", "O2", "CB2"),
)

# Scalp potentials, but over bone behind the ear or on its lobe: the usual reference sites.
MASTOIDS = frozenset({"M1", "M2", "A1", "A2"})

_RENAMED = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}

# Sites of the cap that 10-05 names otherwise. MNE's "colin27_postfixed" places Cb1 and Cb2 on PO9 and PO10; others
# say I1 and I2 (Oostenveld & Praamstra 2001) or POO7 and POO8: template positions here are good to about 3 cm.
# M1 and M2 are in the template itself, 20 mm behind the ear lobes A1 and A2.
_PLACED_AS = {"CB1": "PO9", "CB2": "PO10"}

_PREFIX = re.compile(r"^EEG[\s_:.-]*(?=[A-Z])")
_SUFFIX = re.compile(r"[\s_-]+(REF|LE|RE|AR|AV|AVG|LER|A1|A2|M1|M2|A1A2|M1M2)$")

_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.STIM, re.compile(r"^(STI|STIM|TRI?G|STATUS|MARKER|EVENT|DIN\d|DIGITAL|ANNOTATION)")),
    (Kind.EOG, re.compile(r"EOG|^[HV]EO[LRUD]?$|^(LO|IO|SO)[12]$|^(LOC|ROC)$|^EYE")),
    (Kind.EMG, re.compile(r"EMG|^CHIN")),
    (Kind.ECG, re.compile(r"ECG|EKG")),
    (
        Kind.MISC,
        re.compile(
            r"AUX|^(ACC|GYR|MAG[XYZ_\s]|COUNTER|CNT|SAMPLE|PACKAGE|PACKET|SEQ|TIME|BATT|RESP|GSR|EDA|PPG|PLET|TEMP|"
            r"PHOTO|EXG|ERG|ANA|SCL|MISC|OTHER|QUAT|VALID)"
        ),
    ),
)


def kind_of(label: str, declared_type: str | None) -> Kind:
    """What a channel measures, from its label and the type its sender declared (None or "" when it declared none).

    A declared type counts, except that "EEG" gives way to a label that plainly names something else: many senders
    declare EEG for every channel, trigger included. An unknown label without a type is EEG. Thread: any.
    """
    declared = _kind_named(_upper(declared_type or ""))
    if declared is not None and declared is not Kind.EEG:
        return declared
    if canonical(label) is not None:
        return Kind.EEG
    return _kind_named(_upper(label)) or Kind.EEG


def _kind_named(text: str) -> Kind | None:
    if text.startswith("EEG") and "EOG" not in text:
        return Kind.EEG
    return next((kind for kind, pattern in _KINDS if pattern.search(text)), None)


def canonical(label: str) -> str | None:
    """The 10-05 name of an electrode, None when the label names none.

    Takes any case, padding and dots ("Fc5.", "FP1 "), "EEG " before and a reference after ("EEG Fp1-Ref", "C3-A2"),
    and the old temporal names (T3, T4, T5, T6). A pair of scalp electrodes ("Fp1-F7") is no electrode. Thread: any.
    """
    text = _SUFFIX.sub("", _PREFIX.sub("", _upper(label)))
    return _names().get(text.replace(".", "").strip())


def canonical_names(labels: Sequence[str]) -> list[str | None]:
    """`canonical` of each label of one montage, knowing the others.

    In a montage that numbers its electrodes by letter (BioSemi's A1 to A32, B1...), A1 is no ear lobe and C3 not over
    the motor cortex; of two labels with the same name only the first has it. Thread: any.
    """
    lettered = any(re.fullmatch(r"A([3-9]|[12]\d|3[0-2])|B\d+", _upper(label)) for label in labels)
    names: list[str | None] = []
    for label in labels:
        name = None if lettered and re.fullmatch(r"[A-I]\d+", _upper(label)) else canonical(label)
        names.append(None if name in names else name)
    return names


def positions(labels: Iterable[str]) -> dict[str, Position]:
    """Template positions in metres, head frame, by label; labels without a place are left out. Thread: any."""
    labels = list(labels)
    places = _template()
    named = zip(labels, canonical_names(labels), strict=True)
    return {label: places[_PLACED_AS.get(name, name)] for label, name in named if name is not None}


def why_no_positions(labels: Sequence[str], known: Iterable[str]) -> str:
    """What to tell the user about the `labels` that are not `known`; "" when all are. Thread: any."""
    known = set(known)
    missing = [label for label in labels if label not in known]
    if not missing:
        return ""
    return (
        f"no position is known for {len(missing)} of {len(labels)} electrodes ({listed(missing)}): their labels are "
        "not names of the 10-05 system; they are neither interpolated nor drawn on the head; --locations FILE says "
        "where they are"
    )


def read_locations(path: Path) -> dict[str, Position]:
    """Positions in metres, head frame, by label, from a location file.

    Takes what `mne.channels.read_custom_montage` takes: .elc, .sfp, .loc, .locs, .csd, .bvef, .tsv and others. A file
    with fiducials is turned into the head frame; one without is taken to be in it. MNE reads .bvef only where
    defusedxml is installed. Thread: any.

    Raises:
        FileUnreadable: missing, not of a known kind, or damaged.
    """
    import mne  # slow to import, and only asked for here

    try:
        montage = mne.channels.read_custom_montage(path)
    except (OSError, ValueError, RuntimeError, KeyError, IndexError, SyntaxError) as error:
        raise FileUnreadable(
            f"{path}: expected electrode locations (.elc, .sfp, .loc, .locs, .csd, .bvef, .tsv), got: {error}"
        ) from error
    return _in_head_frame(montage)


def _upper(text: str) -> str:
    return text.strip().strip(".").upper()


@cache
def _template() -> dict[str, Position]:
    import mne

    return _in_head_frame(mne.channels.make_standard_montage("colin27_1005"))


@cache
def _names() -> dict[str, str]:
    names = {name.upper(): name for name in _template()} | {name: name for name in _PLACED_AS}
    return names | _RENAMED


def _in_head_frame(montage: object) -> dict[str, Position]:
    import mne

    to_head = mne.channels.compute_native_head_t(montage, on_missing="ignore")
    places = montage.get_positions()["ch_pos"]  # type: ignore[attr-defined]
    moved = mne.transforms.apply_trans(to_head, np.array(list(places.values())))
    return {name: (float(x), float(y), float(z)) for name, (x, y, z) in zip(places, moved, strict=True)}
