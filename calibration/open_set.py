"""Any stimulus set by what the user calls it: `builtin`, or a folder recognised by what is in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from calibration.datasets import eeg3d
from calibration.objects.builtin import BuiltIn
from calibration.sets import things
from calibration.sets.errors import SetUnusable
from calibration.sets.folder import Folder
from calibration.sets.manifest import FILE_NAME
from calibration.stimuli import Item, StimulusSet
from engines.errors import AfterimageError

BUILT_IN = "builtin"


@runtime_checkable
class OnDisk(Protocol):
    """What a set that the user brought says besides: its licence ("" if unknown), and what to know before using it."""

    @property
    def licence(self) -> str:
        """As its manifest says."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """One line each."""
        ...

    def verify(self, item: Item) -> None:
        """Read every file of `item` whole.

        Raises:
            SetUnusable: one is missing or damaged.
        """
        ...


def open_set(where: str) -> StimulusSet:
    """The built-in set, or the folder `where`: what its manifest lists, else EEG-3D, THINGS or any folder of files.

    Raises:
        SetUnusable: no such folder, or nothing in it that can be shown; whatever the set refuses.
    """
    if where == BUILT_IN:
        return BuiltIn()
    folder = Path(where)
    if not folder.is_dir():
        raise SetUnusable(f"{where} is neither a folder nor '{BUILT_IN}'; expected one of them")
    if (folder / FILE_NAME).is_file():
        return Folder(folder)
    if eeg3d.looks_like(folder):
        return eeg3d.Eeg3d(folder)
    return things.Things(folder) if things.looks_like(folder) else Folder(folder)


def faults_of(stimuli: StimulusSet) -> Iterator[str]:
    """Reads the set whole; for each item an empty text, or what is wrong with it."""
    for item in stimuli.items:
        try:
            stimuli.verify(item) if isinstance(stimuli, OnDisk) else stimuli.picture(item)
        except AfterimageError as error:
            yield f"{item.key}: {error}"
        else:
            yield ""


def warnings_of(stimuli: StimulusSet) -> tuple[str, ...]:
    """What to know before using `stimuli`; nothing of the built-in set."""
    return stimuli.warnings if isinstance(stimuli, OnDisk) else ()


def licence_of(stimuli: StimulusSet) -> str:
    """Empty where it is unknown; the built-in set has the application's own."""
    return stimuli.licence if isinstance(stimuli, OnDisk) else "as Afterimage itself"
