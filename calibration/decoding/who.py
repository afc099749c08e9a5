"""Who a participant of a data set is that we wrote: a file beside the arrays, which have no place for it."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from calibration.sets.errors import SetUnusable

WHO_FILE = "simulated.json"


class Who(BaseModel):
    """A simulated participant, and how the epochs were made: `chain` and `windows` as their `to_dict` gives them.

    `participant` is the digest of all its parameters; `channels` are the rows of the arrays.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    made_by: str
    simulated: bool
    seed: int
    snr: float
    participant: str
    facts: dict[str, str]
    channels: tuple[str, ...]
    chain: dict[str, Any]
    windows: dict[str, Any]

    def write(self, place: Path) -> None:
        """Write it into the participant's folder.

        Raises:
            OSError: it cannot be written.
        """
        (place / WHO_FILE).write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_who(place: Path) -> Who | None:
    """What stands in the participant's folder; None in a data set of others.

    Raises:
        SetUnusable: the file is damaged.
    """
    path = place / WHO_FILE
    if not path.is_file():
        return None
    try:
        return Who.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise SetUnusable(f"{path}: expected what `afterimage simulate --dataset` writes; {error}") from error
