"""What was published on EEG-3D, beside what the same measures give here, with and without their leak.

Published tables average the showings of an object, train on objects 00 to 07, and keep the step that did best on the
test objects themselves. A system `@published` does so too; the system itself has its step chosen on object 07.
Published numbers are means over twelve persons; what is wrong with the sources of some is in docs/evaluation.md.

Thread: any.
"""

from typing import Any

from calibration.comparing.cells import Comparison
from calibration.comparing.run import PUBLISHED
from calibration.decoding.evaluate import AVERAGED

# Percent. Unmarked: Guo et al. 2025 (CVPR), their own tables. Marked: known from a note on the paper of BrainSSD alone.
_RETRIEVAL = "category in gallery of objects 08"  # the gallery that their retrieval has
NUMBERS = {
    "72-way top-1": "Neuro-3D 5.91",
    "72-way top-5": "Neuro-3D 16.30, 16.25 †; BrainSSD 21.76 †",
    "colour top-1": "Neuro-3D 39.93",
    "colour top-2": "Neuro-3D 61.40; BrainSSD 68.06 ‡",
    f"{_RETRIEVAL} top-1": "Neuro-3D 5.42 §; BrainSSD 6.65 §",
    f"{_RETRIEVAL} top-5": "Neuro-3D 16.25 §; BrainSSD 21.76 §",
}
MARKS = (
    "§ from a note on the paper of BrainSSD, which was not seen itself; † the note has this number as 72-way top-1 and "
    "as retrieval top-5: it is no top-1; ‡ the note calls it 72-way top-1, 68.06 to 61.40, which is colour top-2"
)
NOT_RUN = "not run (--as-published)"


def published_table(comparison: Comparison) -> dict[str, Any]:
    """Averaged trials: systems with and without the leak side by side, and the published number."""
    measured = comparison.metrics(AVERAGED)
    named = comparison.plan.systems
    shown = [one for one in named if "@" not in one and ("/" not in one or f"{one}@{PUBLISHED}" in named)]
    rows = []
    for metric in [one for one in NUMBERS if one in measured]:
        for system in shown:
            key = (AVERAGED, None, "", metric)
            honest, leaky = comparison.cell(system, key), comparison.cell(f"{system}@{PUBLISHED}", key)
            if honest is not None:
                rows.append([metric, system, str(honest), str(leaky or NOT_RUN), NUMBERS[metric]])
    head = ["measure", "system", "step chosen on object 07", f"@{PUBLISHED}: on the test objects", "published"]
    title = f"The published protocol and its counterpart without a leak, averaged trials, %; {MARKS}"
    return {"title": title, "head": head, "rows": rows, "n_text": 2}
