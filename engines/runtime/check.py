"""Whether every runtime that is here gives an exported network's numbers.

- ONNX Runtime is compared with the answers that eager torch gave where the network was exported: a graph that was
  altered is found here even if its hash was altered with it, and so is a version that computes something else.
- Every other runtime, and every other precision, is compared with the same answers when it is opened, as it is live,
  and then with ONNX Runtime in float32 on more seeds and batches.

One that disagrees or fails is refused, with the numbers. Thread: any; imports what it checks into the process.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engines.errors import AfterimageError
from engines.runtime.agreement import TOLERANCES, Agreement, compare, require, with_export, worst
from engines.runtime.base import REFERENCE, open_runtime, precisions, runtimes, why_not
from engines.runtime.folder import Exported
from engines.runtime.seeded import seeded
from engines.runtime.types import Options, Runtime

BATCHES = (1, 2, 5)
SEEDS = (0, 1)


@dataclass(frozen=True)
class Checked:
    """One runtime in one precision.

    `refused` says why it must not be used, `absent` what to install where it is not here; both are "" when it agrees.
    """

    runtime: str
    precision: str
    description: str = ""
    agreement: tuple[Agreement, ...] = ()
    refused: str = ""
    absent: str = ""


def check(
    exported: Exported, options: Options | None = None, names: Sequence[str] | None = None
) -> tuple[Checked, ...]:
    """Every runtime of `names` (all, if none are given) in every precision the folder has; the reference comes first.

    Raises:
        NoRuntime: ONNX Runtime, which the others are compared with, is not installed.
        BadModel: a file of the folder is missing or was altered.
    """
    options = replace(options or Options(), precision="float32")
    reference = open_runtime(exported, [REFERENCE], options)
    found = [_with_eager(exported, reference)]
    for name in names or runtimes():
        for precision in precisions(name, exported):
            if (name, precision) != (REFERENCE, "float32"):
                found.append(_with_reference(exported, reference, name, replace(options, precision=precision)))
    return tuple(found)


def _with_eager(exported: Exported, runtime: Runtime) -> Checked:
    agreement = with_export(exported, runtime)
    what = f"{runtime.describe()}, against eager torch {exported.versions.get('torch', '')} at its export"
    return _judged(Checked(REFERENCE, "float32", str(runtime.describe()), agreement), what)


def _with_reference(exported: Exported, reference: Runtime, name: str, options: Options) -> Checked:
    checked = Checked(name, options.precision)
    absent = why_not(name, exported)
    if absent is not None:
        return replace(checked, absent=absent)
    try:
        runtime = open_runtime(exported, [name], options)
        agreement = _largest(exported, reference, runtime, options.most)
    except AfterimageError as error:
        return replace(checked, refused=str(error))
    what = f"{runtime.describe()}, against ONNX Runtime in float32"
    return _judged(replace(checked, description=str(runtime.describe()), agreement=agreement), what)


def _largest(exported: Exported, reference: Runtime, runtime: Runtime, most: int) -> tuple[Agreement, ...]:
    """Differences over all batches and seeds."""
    found: tuple[Agreement, ...] = ()
    for batch in (n for n in BATCHES if n <= most):
        for seed in SEEDS:
            inputs = seeded(exported.spec, batch, seed, exported.ranges)
            now = compare(exported.spec, reference(inputs), runtime(inputs))
            found = worst(found, now) if found else now
    return found


def _judged(checked: Checked, what: str) -> Checked:
    try:
        require(checked.agreement, TOLERANCES[checked.precision], what, "do not use it; build it again, or report it")
    except AfterimageError as error:
        return replace(checked, refused=str(error))
    return checked
