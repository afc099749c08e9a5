"""From the last sample of a window to the answer, live: a simulated participant over LSL, a calibrated subject.

The session runs in this process as `afterimage live` runs it, recording and all; the participant, the recorder and
whoever listens to the answers (`python -m tests.bench.decisions NAME`) run in processes of their own.
"""

import json
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from app.config import Config
from app.headless import run_live, setup_for
from calibration.simulate import plan
from calibration.subjects import AnySubject
from pipeline.clock import LslClock
from pipeline.coupling.values import CouplingConfig
from pipeline.outlets import DECISIONS_NAME, DecisionOutlet
from pipeline.recorder.recorded import Recorded
from pipeline.session import Session
from pipeline.sources.simulated import Performance, SimulatedSource
from pipeline.types import Decision
from tests.bench.measure import show
from tests.bench.programs import Program, say
from tests.bench.rows import Row
from tests.bench.subject import calibrated, record, simulation

SFREQ_HZ = 500.0
MINUTES = 1.0
LISTENING_S = 10.0


def listener() -> None:
    """Note when each answer arrives; answer [[trial, stage, LSL clock], ...] when asked for them.

    Of several answers of one stage in a trial the last counts.
    """
    import pylsl

    inlet = pylsl.StreamInlet(pylsl.resolve_byprop("name", DECISIONS_NAME, 1, LISTENING_S)[0])
    inlet.open_stream(LISTENING_S)
    arrived: list[tuple[int, str, float]] = []

    def listen() -> None:
        while True:
            sample, _ = inlet.pull_sample(0.1)
            if sample is not None:
                came = json.loads(sample[0])
                arrived.append((came["trial"], came["stage"], pylsl.local_clock()))
            elif asked.is_set():
                return

    asked = threading.Event()
    thread = threading.Thread(target=listen)
    thread.start()
    say("ready")
    sys.stdin.readline()
    asked.set()
    thread.join()
    say(arrived)


def main() -> None:
    if sys.argv[1:]:
        listener()
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recording = record(simulation(folder, SFREQ_HZ, run=0), folder / "calibration.xdf")
        subject = calibrated(recording, folder / "subject")
        performance = plan(simulation(folder, SFREQ_HZ, run=1, minutes=MINUTES))
        for coupling in (None, CouplingConfig()):
            path = folder / f"session-{coupling is not None}.xdf"
            session, received_after_s = answered(subject, performance, path, coupling)
            report(session, received_after_s["single"], ", coupling map running" if coupling else "")


def answered(
    subject: AnySubject,
    performance: Performance,
    path: Path,
    coupling: CouplingConfig | None,
    on_decision: Callable[[Session, Decision], None] = lambda session, decision: None,
) -> tuple[Session, dict[str, list[float]]]:
    """A performance live: the session, and by stage how long answers took from the ring to another process.

    `on_decision` hears of each answer besides.
    """
    with ExitStack() as stack:
        outlet = stack.enter_context(DecisionOutlet(subject.decoder.classes))
        receiver = stack.enter_context(Program("tests.bench.decisions", "listen"))
        in_ring_s: dict[tuple[int, str], float | None] = {}

        def decided(decision: Decision) -> None:
            outlet.publish(decision)
            recorded.decision(decision)
            written_s = session.acquisition.when_written_s(decision.window_stop_s)
            in_ring_s[decision.trial, decision.stage] = written_s
            on_decision(session, decision)

        recorded = Recorded(SimulatedSource(performance), path, LslClock(), over_lsl=True)
        session = Session(
            recorded,
            setup_for(Config(), {}, subject),
            decoder=subject.decoder,
            frozen=subject.frozen,
            on_log_line=recorded.log_line,
            on_decision=decided,
            coupling=coupling,
        )
        session.open()
        run_live(session, performance.stop_s - 1.0, threading.Event(), lambda share, text: None)
        arrived = {(trial, stage): at_s for trial, stage, at_s in receiver.ask()}
    after_s: dict[str, list[float]] = defaultdict(list)
    for (trial, stage), at_s in in_ring_s.items():
        if at_s is not None:
            after_s[stage].append(arrived[trial, stage] - at_s)
    return session, after_s


def report(session: Session, received_after_s: list[float], how: str) -> None:
    """The ledger's stages, and the way to somebody else's process."""
    stages = session.ledger.summary_ms()
    what = f"64 ch at {SFREQ_HZ:g} Hz, {len(session.decisions)} answers{how}"
    window = stages["window to answer"]
    show(Row("decisions", f"window in ring to answer p50, {what}", window["median"], "ms"))
    show(Row("decisions", f"window in ring to answer p99, {what}", window["p99"], "ms", goal="ours <= 20"))
    p50, p99 = np.percentile(np.array(received_after_s) * 1e3, [50, 99])
    show(Row("decisions", f"window in ring to answer received over LSL p50{how}", float(p50), "ms"))
    show(Row("decisions", f"window in ring to answer received over LSL p99{how}", float(p99), "ms", goal="ours <= 20"))
    for stage in ("filter", "epoch", "decode", *(("coupling",) if how else ())):
        text = f"p99 {stages[stage]['p99']:.2g} ms"
        show(Row("decisions", f"of it {stage}, p50{how}", stages[stage]["median"], "ms", note=text))


if __name__ == "__main__":
    main()
