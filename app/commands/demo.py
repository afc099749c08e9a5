"""`afterimage demo`: the whole way with a simulated participant over real LSL.

Calibrate a decoder on a recording of pictures and turning objects; on another day of the same participant decode
objects it has never seen, live, as they turn, and draw what was decoded; report, and replay it to the same answers.
"""

import argparse
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.commands.calibrate import tell as tell_calibration
from app.commands.calibrate import trained
from app.commands.coupling import coupling_of
from app.commands.run import OnDecision, default_out, finish, live_session, make_session, reconstructing
from app.config import Config, load
from app.headless import as_lived, crank_through, has_display
from app.terminal import Terminal
from calibration.objects.catalogue import HELD_OUT
from calibration.simulate import SimulateConfig, plan, to_file
from calibration.subjects import AnySubject
from calibration.subjects import load as load_subject
from pipeline.session import Session
from pipeline.sources.select import open_source
from pipeline.sources.simulated import SimulatedSource

PROTOCOL = "eeg3d"
CALIBRATION_DAY, LIVE_DAY = 0, 1
# Of the people looked at, one that decodes about as well as they do on average (docs/decisions/0115).
AVERAGE_PERSON = 3
SAME = 1e-6
UNSEEN = tuple(f"{number:02d}" for number in HELD_OUT)
SEEN = tuple(f"{number:02d}" for number in range(HELD_OUT.start))


@dataclass(frozen=True)
class Extent:
    """How much is shown: of the first `categories`, so many trials of each, in calibration, live and in the window."""

    categories: int = 12
    calibration_repeats: int = 32
    live_repeats: int = 2
    window_repeats: int = 40
    snr: float = 1.0

    def simulation(self, seed: int, day: int, repeats: int) -> SimulateConfig:
        """The participant on a day: objects that teach on the first, others on the second."""
        return SimulateConfig(
            seed=seed,
            run=day,
            snr=self.snr,
            n_categories=self.categories,
            repeats=repeats,
            protocol=PROTOCOL,
            objects=SEEN if day == CALIBRATION_DAY else UNSEEN,
        )


def demo(options: argparse.Namespace, extent: Extent | None = None) -> int:
    """Show everything; status 1 when a worker died or the replay answered otherwise."""
    extent = extent or Extent()
    terminal = Terminal(quiet_stdout=options.json)
    seed = AVERAGE_PERSON if options.seed is None else options.seed
    config, out = load(options.config), default_out(options, "demo")
    out.mkdir(parents=True, exist_ok=True)
    terminal.say("Everything here is simulated: a participant computed from a model of the head, over real LSL.")
    subject = calibrated(options, config, seed, extent, terminal, out)
    if not (options.headless or options.json) and has_display():
        return in_window(config, seed, extent, terminal, out)
    if not options.headless:
        terminal.say("No display was found: the demo goes on without a window.")
    terminal.say(f"The same participant on another day, live, looking at objects {' and '.join(UNSEEN)}:")
    asked = argparse.Namespace(**{**vars(options), "reconstruct": True, "seed": seed})
    with reconstructing(asked, config, subject, terminal, out) as made:
        on_decision = made.decided if made else None
        session = decoded_live(asked, config, seed, extent, subject, terminal, out, on_decision)
        with terminal.progress("coupling") as progress:
            coupling = coupling_of(asked, config, out / "session.xdf", subject.decoder.classes, progress.callback)
        status = finish(session, asked, config, terminal, out, coupling=coupling, made=made)
    return max(status, replayed(session, options, config, subject, terminal, out))


def calibrated(
    options: argparse.Namespace, config: Config, seed: int, extent: Extent, terminal: Terminal, out: Path
) -> AnySubject:
    """Simulate a calibration recording and train a decoder on it."""
    recording, folder = out / "calibration.xdf", out / "subject"
    with terminal.progress("simulating a calibration recording") as progress:
        to_file(extent.simulation(seed, CALIBRATION_DAY, extent.calibration_repeats), recording, progress.update)
    asked = argparse.Namespace(**{**vars(options), "system": "brainssd", "seconds": None})
    tell_calibration(trained(asked, config, terminal, [recording], folder), terminal, folder)
    return load_subject(folder, config.decoding.runtimes)


def decoded_live(
    options: argparse.Namespace,
    config: Config,
    seed: int,
    extent: Extent,
    subject: AnySubject,
    terminal: Terminal,
    out: Path,
    on_decision: OnDecision | None = None,
) -> Session:
    """Listen to the participant over LSL until the last turn has been answered."""
    performance = plan(extent.simulation(seed, LIVE_DAY, extent.live_repeats))
    last_s = performance.stop_s or 0.0

    def over(session: Session) -> bool:
        n_shown = sum(s.label.startswith("stim/") for s in performance.shown)
        return session.n_turns + sum((session.rejected + session.turns_lost).values()) >= n_shown

    asked = argparse.Namespace(**{**vars(options), "seconds": min(options.seconds or last_s, last_s)})
    source = SimulatedSource(performance)
    return live_session(source, asked, config, subject, terminal, out, ended=over, on_decision=on_decision)


def in_window(config: Config, seed: int, extent: Extent, terminal: Terminal, out: Path) -> int:
    """Watch the same participant on another day in the window, until it is closed."""
    from app.commands.window import Makers, show  # Qt is for those who have a display
    from app.panels.frame import Request

    terminal.say("The window opens; close it when you have seen enough. Record and the report work as with a headset.")
    simulation = plan(extent.simulation(seed, LIVE_DAY, extent.window_repeats))
    return show(
        Makers(config, None, lambda _: simulation, out, reconstruct=True),
        Request("sim", "Simulated Participant", subject=out / "subject"),
    )


def replayed(
    live: Session, options: argparse.Namespace, config: Config, subject: AnySubject, terminal: Terminal, out: Path
) -> int:
    """Replay the recording at full speed; status 0 when it answers as the live session did.

    Refined answers that the live session left out for want of time are no difference.
    """
    path = out / "session.xdf"
    again = make_session(as_lived(open_source(str(path)), path), options, config, subject)
    with terminal.progress("replaying the recording") as progress:
        again.open()
        crank_through(again, None, threading.Event(), progress.update)
    given = {(d.trial, d.n_dynamic): d for d in again.decisions}
    pairs = [(d, given.get((d.trial, d.n_dynamic))) for d in live.decisions]
    apart = max((float(np.ptp([a.probabilities, b.probabilities], axis=0).max()) for a, b in pairs if b), default=0.0)
    same = all(b is not None for _, b in pairs) and apart <= SAME
    terminal.say(
        f"replay of the recording: {len(again.decisions)} answers where the live session gave {len(live.decisions)}, "
        f"probabilities at most {apart:.1g} apart: {'the same' if same else 'NOT the same'}"
    )
    return 0 if same else 1
