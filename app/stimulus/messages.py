"""What goes between the presenter and its parent."""

from dataclasses import dataclass

from calibration.protocols.steps import Step


@dataclass(frozen=True)
class Presentation:
    """What is to be shown, and where. `set_name` is "builtin", a folder, or "" where the steps need none."""

    steps: tuple[Step, ...]
    set_name: str
    screen: int = 0
    windowed: bool = False
    photodiode: bool = False


@dataclass(frozen=True)
class Progress:
    """How far the presenter is: `share` of the preparation, then of the steps."""

    text: str
    share: float
