"""What the training process of a calibration is asked to do, in plain values: nothing here imports torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calibration.datasets.recording import OpenSource
from calibration.decoding.steps import Progress
from pipeline.preprocess import ChainConfig

# Systems of two windows, before any "/": named here, because to look them up takes torch.
FAMILIES = ("brainssd", "neuro3d", "enigma")
SIZES = ("pocket", "full")


def is_of_two_windows(system: str) -> bool:
    """True for networks that take the picture and the turn."""
    return system.partition("/")[0] in FAMILIES


@dataclass(frozen=True)
class CalibrationOrder:
    """Calibrate on `files`, write the subject into `out`, answer the fields of its report. Picklable.

    `where` names the stimulus set that was shown, `encoder` with its `weights` what its pictures are embedded by
    (`calibration/decoding/targets.py`); `epochs` None trains as long as size and trials say.
    """

    files: tuple[OpenSource, ...]
    out: Path
    system: str = "brainssd"
    size: str = "pocket"
    where: str = "builtin"
    encoder: str = "auto"
    weights: Path | None = None
    chain: ChainConfig | None = None
    unit: str | None = None
    participant: str = ""
    recordings: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    epochs: int | None = None
    n_permutations: int = 199
    seed: int = 0

    def __call__(self, progress: Progress) -> dict[str, Any]:
        """Carry it out; raises as `calibration.turning.calibrate.carry_out`."""
        from calibration.turning.calibrate import carry_out  # torch belongs to the process that trains

        return carry_out(self, progress)
