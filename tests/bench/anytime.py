"""From the end of a window to the published answer of an anytime subject, live, with the coupling map running.

As `tests.bench.decisions`, with trials of EEG-3D and BrainSSD of the size that is trained on two cores. The subject is
a folder as calibration leaves it, opened in ONNX Runtime; its network has weights from a seed and was never trained,
which changes no time.
"""

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from calibration.simulate import plan
from calibration.subjects import load
from pipeline.coupling.values import CouplingConfig
from pipeline.session import Session
from tests.bench.decisions import answered
from tests.bench.measure import show
from tests.bench.networks import simulation
from tests.bench.programs import asked_once
from tests.bench.rows import Row

SFREQ_HZ = 500.0
MINUTES = 3.0
SIZE = "pocket"
STAGES = ("static", "refined", "fused")
HOW = f"{SIZE} BrainSSD, untrained, coupling map running"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asked_once("tests.bench.networks", SIZE, folder / "subject", SFREQ_HZ)
        performance = plan(simulation(SFREQ_HZ, run=1, minutes=MINUTES))
        subject = load(folder / "subject", ["onnx"])
        session, received_after_s = answered(subject, performance, folder / "session.xdf", CouplingConfig())
        report(session, received_after_s)


def report(session: Session, received_after_s: dict[str, list[float]]) -> None:
    """By stage: to the answer, and to the answer in somebody else's process; then what the answers are made of."""
    stages, answers = session.ledger.summary_ms(), Counter(decision.stage for decision in session.decisions)
    for stage in STAGES:
        note = f"{answers[stage]} answers, 64 ch at {SFREQ_HZ:g} Hz; {HOW}"
        made = stages[f"{stage} answer"]
        show(Row("anytime", f"window in ring to {stage} answer p50", made["median"], "ms", note=note))
        show(Row("anytime", f"window in ring to {stage} answer p99", made["p99"], "ms"))
    for stage in ("static", "fused"):
        p50, p99 = np.percentile(np.array(received_after_s[stage]) * 1e3, [50, 99])
        what = f"window in ring to {stage} answer received over LSL"
        show(Row("anytime", f"{what} p50", float(p50), "ms"))
        show(Row("anytime", f"{what} p99", float(p99), "ms"))
    answer = stages["window to answer"]
    show(Row("anytime", "window in ring to any answer p99", answer["p99"], "ms", goal="ours <= 20"))
    for stage in ("filter", "epoch", "decode", "coupling"):
        text = f"p99 {stages[stage]['p99']:.2g} ms"
        show(Row("anytime", f"of it {stage}, p50", stages[stage]["median"], "ms", note=text))


if __name__ == "__main__":
    main()
