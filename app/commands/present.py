"""`afterimage present`: show a protocol to a person, on vertical sync, with a marker for all that comes on."""

import argparse
from collections.abc import Callable
from typing import Any

from app.commands.run import default_out
from app.headless import has_display, stop_on_signals
from app.stimulus.messages import Presentation, Progress
from app.stimulus.process import Presenter
from app.summary import versions
from app.terminal import ProgressLine, Terminal, write_stdout
from calibration import protocol
from calibration.open_set import open_set, warnings_of
from calibration.protocols.steps import Screen, Step, within
from calibration.report import to_json, write_report
from engines.errors import InputError

POLL_S = 0.1
FLICKER = "flicker can set off seizures in people with photosensitive epilepsy; ask before it is shown"
HOLD = Step(Screen.BREAK, 0.0, text="Press the space bar to begin.", keys=(("space", ""),), until_key=True, waits=True)


def present(options: argparse.Namespace) -> int:
    """Show the protocol to its end, until Esc, `--minutes` or a signal."""
    terminal = Terminal(quiet_stdout=options.json)
    if options.headless or not has_display():
        raise InputError(
            "showing pictures needs a display, and there is none; on a server try: xvfb-run afterimage ..."
        )
    if options.list_screens:
        return _list_screens(terminal)
    if options.protocol is None:
        raise InputError(f"which protocol? There are {', '.join(protocol.built_in())}, or give the path of a TOML file")
    chosen, warnings = _chosen(options)
    run = _steps(chosen, options)
    if any(step.hz for step in run):
        warnings = (*warnings, FLICKER)
    for text in warnings:
        terminal.warn(text)
    set_name = "" if chosen.set == protocol.TANGRAMS else chosen.set
    presenter = Presenter(Presentation(run, set_name, options.screen, options.window, options.photodiode))
    minutes = sum(step.duration_s for step in run) / 60
    terminal.say(f"{chosen.name}: {chosen.description} {minutes:.1f} minutes; Esc ends it.")
    with stop_on_signals() as stop, terminal.progress(f"showing {chosen.name}") as progress:
        presenter.start()
        try:
            fields = _watched(presenter, progress, stop.is_set)
        finally:
            presenter.stop()
    return _finish(fields, chosen, warnings, options, terminal)


def _chosen(options: argparse.Namespace) -> tuple[protocol.Protocol, tuple[str, ...]]:
    """The protocol with the objects of its set, and what is to be known of the set."""
    where = protocol.set_of(options.protocol)
    if options.set is not None and where == protocol.TANGRAMS != options.set:
        raise InputError(f"the protocol {options.protocol} shows its own figures; leave --set out")
    where = options.set or where
    asked = {"n_categories": options.categories, "repeats": options.repeats}
    if where in protocol.KNOWN_SETS:
        return protocol.load(options.protocol, **asked), ()
    opened = open_set(where)
    chosen = protocol.load(options.protocol, items=opened.items, **asked)
    return chosen.model_copy(update={"set": where}), warnings_of(opened)


def _steps(chosen: protocol.Protocol, options: argparse.Namespace) -> tuple[Step, ...]:
    run = protocol.steps(chosen, protocol.trials(chosen, options.seed or 0, options.run))
    minutes = options.minutes if options.seconds is None else options.seconds / 60
    shown = run if minutes is None else within(run, minutes * 60)
    return (HOLD, *shown) if options.hold else shown


def _watched(presenter: Presenter, progress: ProgressLine, stopped: Callable[[], bool]) -> dict[str, Any]:
    """The presenter's report, once it has ended."""
    asked = False
    while True:
        said = presenter.poll(POLL_S)
        if isinstance(said, Progress):
            progress.update(said.share if said.text == "preparing" else None, said.text)
        elif said is not None:
            return said
        if stopped() and not asked:
            presenter.ask_to_stop()
            asked = True


def _finish(
    fields: dict[str, Any],
    chosen: protocol.Protocol,
    warnings: tuple[str, ...],
    options: argparse.Namespace,
    terminal: Terminal,
) -> int:
    report = {
        "command": "present",
        "protocol": chosen.model_dump(exclude={"objects"}),
        "seed": options.seed or 0,
        "run": options.run,
        **fields,
        "warnings": [*warnings, *fields.get("warnings", [])],
        "simulated": False,
        "versions": versions(),
    }
    page = write_report(default_out(options, f"present-{chosen.name}"), report)
    if options.json:
        write_stdout(to_json(report))
    for text in fields.get("warnings", []):
        terminal.warn(text)
    terminal.say(f"{fields.get('ended', 'stopped before it began')}: {page.parent / 'report.json'}")
    return 0


def _list_screens(terminal: Terminal) -> int:
    from PySide6.QtGui import QGuiApplication

    from app.stimulus.window import screens

    application = QGuiApplication([])
    for line in screens():
        terminal.say(line)
    application.shutdown()
    return 0
