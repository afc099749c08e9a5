"""`afterimage demo`: the whole way with a simulated participant over real LSL.

Calibrate on a simulated recording, decode another day of the same participant live, report, and replay the recording of
the live session to the same answers.
"""

import argparse
import threading
from pathlib import Path

import numpy as np

from app.commands.calibrate import fitted, keep
from app.commands.calibrate import tell as tell_calibration
from app.commands.run import default_out, finish, live_session, make_session
from app.config import Config, load
from app.headless import as_lived, crank_through, has_display
from app.terminal import Terminal
from calibration.simulate import SimulateConfig, plan, to_file
from calibration.subjects import Subject
from calibration.subjects import load as load_subject
from pipeline.session import Session
from pipeline.sources.select import open_source
from pipeline.sources.simulated import SimulatedSource

CATEGORIES = ("car", "chair", "face", "house")
CALIBRATION_REPEATS, LIVE_REPEATS, WINDOW_REPEATS = 80, 12, 500
CALIBRATION_DAY, LIVE_DAY = 0, 1
# Of the people looked at, one that decodes about as well as they do on average (docs/decisions/0115).
AVERAGE_PERSON = 3
SAME = 1e-6


def demo(options: argparse.Namespace) -> int:
    """Show everything; status 1 when a worker died or the replay answered otherwise."""
    terminal = Terminal(quiet_stdout=options.json)
    seed = AVERAGE_PERSON if options.seed is None else options.seed
    config, out = load(options.config), default_out(options, "demo")
    out.mkdir(parents=True, exist_ok=True)
    terminal.say("Everything here is simulated: a participant computed from a model of the head, over real LSL.")
    subject = calibrated(options, config, seed, terminal, out)
    if not (options.headless or options.json) and has_display():
        return in_window(config, seed, terminal, out)
    if not options.headless:
        terminal.say("No display was found: the demo goes on without a window.")
    terminal.say("The same participant on another day, live:")
    session = decoded_live(options, config, seed, subject, terminal, out)
    status = finish(session, options, config, terminal, out)
    return max(status, replayed(session, options, config, subject, terminal, out))


def calibrated(options: argparse.Namespace, config: Config, seed: int, terminal: Terminal, out: Path) -> Subject:
    """Simulate a calibration recording and fit a decoder on it."""
    recording, folder = out / "calibration.xdf", out / "subject"
    with terminal.progress("simulating a calibration recording") as progress:
        to_file(_simulation(seed, CALIBRATION_DAY, CALIBRATION_REPEATS), recording, progress.update)
    options.event = [f"{name}=stim/{name}/*" for name in CATEGORIES]
    report = keep(fitted(options, config, terminal, [recording]), config, folder)
    tell_calibration(report, terminal, folder)
    return load_subject(folder)


def decoded_live(
    options: argparse.Namespace, config: Config, seed: int, subject: Subject, terminal: Terminal, out: Path
) -> Session:
    """Listen to the participant over LSL until the last picture has been answered."""
    performance = plan(_simulation(seed, LIVE_DAY, LIVE_REPEATS))
    last_s = performance.stop_s or 0.0

    def over(session: Session) -> bool:
        n_shown = sum(s.label.startswith("stim/") for s in performance.shown)
        return session.n_accepted + sum(session.rejected.values()) >= n_shown

    options.seconds = min(options.seconds or last_s, last_s)
    return live_session(SimulatedSource(performance), options, config, subject, terminal, out, ended=over)


def in_window(config: Config, seed: int, terminal: Terminal, out: Path) -> int:
    """Watch the same participant on another day in the window, until it is closed."""
    from app.commands.window import Makers, show  # Qt is for those who have a display
    from app.panels.frame import Request

    terminal.say("The window opens; close it when you have seen enough. Record and the report work as with a headset.")
    simulation = plan(_simulation(seed, LIVE_DAY, WINDOW_REPEATS))
    return show(Makers(config, None, simulation, out), Request("sim", "Simulated Participant", subject=out / "subject"))


def replayed(
    live: Session, options: argparse.Namespace, config: Config, subject: Subject, terminal: Terminal, out: Path
) -> int:
    """Replay the recording at full speed; status 0 when it answers as the live session did."""
    path = out / "session.xdf"
    again = make_session(as_lived(open_source(str(path)), path), options, config, subject)
    with terminal.progress("replaying the recording") as progress:
        again.open()
        crank_through(again, None, threading.Event(), progress.update)
    pairs = zip(live.decisions, again.decisions, strict=False)
    apart = max((float(np.ptp([a.probabilities, b.probabilities], axis=0).max()) for a, b in pairs), default=0.0)
    same = len(live.decisions) == len(again.decisions) and apart <= SAME
    terminal.say(
        f"replay of the recording: {len(again.decisions)} answers where the live session gave {len(live.decisions)}, "
        f"probabilities at most {apart:.1g} apart: {'the same' if same else 'NOT the same'}"
    )
    return 0 if same else 1


def _simulation(seed: int, day: int, repeats: int) -> SimulateConfig:
    return SimulateConfig(seed=seed, run=day, n_categories=len(CATEGORIES), repeats=repeats)
