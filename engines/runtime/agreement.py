"""Whether two runtimes give the same numbers.

For each output: the largest absolute difference, the same relative to the reference's largest magnitude, and the
smallest cosine between a trial's two answers. What decides is the relative difference and the cosine:

- float32: 1e-4 and 1e-6 below 1. Rounding through BrainSSD's layers gives 1e-6 to 2e-5 here; a different weight,
  a wrong axis or a changed default of an operator gives 1e-2 and more.
- float16: 2e-2 and 1e-3 below 1. Numbers of eleven bits; what decides in the end is whether the ranking of the
  candidates stays, which calibration measures on trained networks.

What travels with an exported folder to compare with are eager torch's answers at its export (`with_export`).
Thread: any.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.runtime.errors import Disagreement
from engines.runtime.folder import Exported
from engines.runtime.seeded import seeded
from engines.runtime.types import Runtime
from engines.spec import Spec

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Tolerance:
    """How far two runtimes may be apart."""

    relative: float
    cosine: float


TOLERANCES = {"float32": Tolerance(1e-4, 1 - 1e-6), "float16": Tolerance(2e-2, 1 - 1e-3)}


@dataclass(frozen=True)
class Agreement:
    """How far one output is from its reference."""

    output: str
    max_abs: float
    relative: float
    cosine: float

    def within(self, tolerance: Tolerance) -> bool:
        """Not a number is never within."""
        return self.relative <= tolerance.relative and self.cosine >= tolerance.cosine

    def __str__(self) -> str:
        """As in "embedding: 1.4e-06 apart (6e-07 of the largest), cosine 1.000000"."""
        return f"{self.output}: {self.max_abs:.2g} apart ({self.relative:.2g} of the largest), cosine {self.cosine:.6f}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def compare(spec: Spec, reference: Arrays, came: Arrays) -> tuple[Agreement, ...]:
    """One for each output of `spec`.

    Raises:
        InputError: outputs that do not fit the specification.
    """
    spec.require_outputs(came)
    return tuple(_apart(tensor.name, reference[tensor.name], came[tensor.name]) for tensor in spec.outputs)


def with_export(exported: Exported, runtime: Runtime) -> tuple[Agreement, ...]:
    """What `runtime` answers now, beside what eager torch answered to the same inputs at the export.

    One trial at a time: the batch that decodes live, and one that every engine takes.

    Raises:
        BadModel: the stored answers are missing or were altered.
        InputError: outputs that do not fit the specification.
    """
    told = exported.reference
    inputs = seeded(exported.spec, told.batch, told.seed, exported.ranges)
    trials = [runtime({name: array[i : i + 1] for name, array in inputs.items()}) for i in range(told.batch)]
    came = {name: np.concatenate([trial[name] for trial in trials]) for name in trials[0]}
    return compare(exported.spec, exported.reference_outputs(), came)


def worst(agreements: tuple[Agreement, ...], more: tuple[Agreement, ...]) -> tuple[Agreement, ...]:
    """The larger differences of two comparisons; one that is not a number stays."""
    return tuple(
        Agreement(
            one.output,
            float(np.maximum(one.max_abs, other.max_abs)),
            float(np.maximum(one.relative, other.relative)),
            float(np.minimum(one.cosine, other.cosine)),
        )
        for one, other in zip(agreements, more, strict=True)
    )


def require(agreements: tuple[Agreement, ...], tolerance: Tolerance, what: str, remedy: str) -> None:
    """Pass what agrees.

    Raises:
        Disagreement: some output is further away than `tolerance`.
    """
    apart = [str(a) for a in agreements if not a.within(tolerance)]
    if apart:
        raise Disagreement(
            f"{what}: expected a relative difference up to {tolerance.relative:g} and a cosine from "
            f"{tolerance.cosine:.6f}; got {'; '.join(apart)}; {remedy}"
        )


def _apart(name: str, reference: NDArray[Any], came: NDArray[Any]) -> Agreement:
    a, b = (x.reshape(len(x), -1).astype(np.float64) for x in (reference, came))  # (batch, value)
    with np.errstate(invalid="ignore"):  # what is not a finite number comes out as NaN
        max_abs = float(np.max(np.abs(a - b), initial=0.0))
        largest = float(np.max(np.abs(a), initial=0.0))
        relative = max_abs / largest if largest > 0 else max_abs
        return Agreement(name, max_abs, relative, float(np.min(_cosines(a, b), initial=1.0)))


def _cosines(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """By row; 1 where both are zero, 0 where one is."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    alike = np.all(a == b, axis=1).astype(np.float64)
    return np.asarray(np.where(lengths > 0, (a * b).sum(axis=1) / np.where(lengths > 0, lengths, 1), alike))
