"""`afterimage stimuli`: what can be shown, checked and looked at before anyone sees it."""

import argparse
from collections import Counter
from collections.abc import Callable
from typing import Any

from PIL import Image

from app.terminal import Terminal, write_stdout
from calibration.objects.make import make_data
from calibration.open_set import faults_of, licence_of, open_set, warnings_of
from calibration.report import to_json, write_report
from calibration.sets import folder as folders
from calibration.sets.errors import SetUnusable
from calibration.sets.sheet import contact_sheet
from calibration.stimuli import StimulusSet
from engines.errors import InputError


def stimuli(options: argparse.Namespace) -> int:
    """Do one of the actions on a stimulus set."""
    return ACTIONS[options.action](options, Terminal(quiet_stdout=options.json))


def list_(options: argparse.Namespace, terminal: Terminal) -> int:
    """Say what is in a set."""
    stimuli = open_set(options.set)
    report = _report(options, stimuli)
    terminal.say(f"{report['set']}: {report['n_items']} items in {len(report['categories'])} categories")
    terminal.say(f"licence: {report['licence'] or 'unknown'}")
    for category, n_items in report["categories"].items():
        terminal.say(f"{n_items:>5}  {category}")
    return _finish(options, report, terminal)


def check(options: argparse.Namespace, terminal: Terminal) -> int:
    """Read every file of a set.

    Raises:
        SetUnusable: something is wrong with it; told item by item before.
    """
    stimuli = open_set(options.set)
    faults = []
    with terminal.progress(f"checking {stimuli.name}") as progress:
        for done, fault in enumerate(faults_of(stimuli), start=1):
            progress.update(done / len(stimuli.items))
            faults += [fault] if fault else []
    report = {**_report(options, stimuli), "faults": faults}
    for fault in faults:
        terminal.say(fault)
    if not faults:
        terminal.say(f"{stimuli.name}: all {len(stimuli.items)} items can be shown")
    status = _finish(options, report, terminal)
    if faults:
        raise SetUnusable(f"{options.set}: {len(faults)} of {len(stimuli.items)} items cannot be shown, {faults[0]}")
    return status


def index(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write the manifest of a folder."""
    with terminal.progress(f"hashing {options.folder.name}"):
        path = folders.index(options.folder, options.name, options.licence)
    options.set = str(options.folder)
    report = {**_report(options, open_set(options.set)), "manifest": str(path)}
    terminal.say(f"wrote {path}: {report['n_items']} items in {len(report['categories'])} categories")
    return _finish(options, report, terminal)


def build(options: argparse.Namespace, terminal: Terminal) -> int:
    """Make the built-in set's data anew."""
    with terminal.progress("rendering and describing the built-in objects"):
        make_data(options.to)
    terminal.say(f"wrote {options.to}")
    return _finish(options, {"command": "stimuli build", "to": str(options.to), "warnings": []}, terminal)


def sheet(options: argparse.Namespace, terminal: Terminal) -> int:
    """Draw a contact sheet.

    Raises:
        InputError: the file's name says that it is no picture.
    """
    if options.to.suffix.lower() != ".png":
        raise InputError(f"--to {options.to}: expected a name that ends in .png")
    stimuli = open_set(options.set)
    with terminal.progress(f"drawing {stimuli.name}"):
        picture, n_left_out = contact_sheet(stimuli)
    Image.fromarray(picture).save(options.to)
    report = {**_report(options, stimuli), "to": str(options.to), "n_left_out": n_left_out}
    if n_left_out:
        report["warnings"].append(f"{n_left_out} of {len(stimuli.items)} pictures found no place on the sheet")
    terminal.say(f"wrote {options.to}")
    return _finish(options, report, terminal)


def _report(options: argparse.Namespace, stimuli: StimulusSet) -> dict[str, Any]:
    return {
        "command": f"stimuli {options.action}",
        "set": stimuli.name,
        "where": options.set,
        "licence": licence_of(stimuli),
        "n_items": len(stimuli.items),
        "categories": dict(Counter(item.category for item in stimuli.items)),
        "items": [item.key for item in stimuli.items],
        "warnings": list(warnings_of(stimuli)),
    }


def _finish(options: argparse.Namespace, report: dict[str, Any], terminal: Terminal) -> int:
    for text in report["warnings"]:
        terminal.warn(text)
    if options.out:
        terminal.say(f"report: {write_report(options.out, report)}")
    if options.json:
        write_stdout(to_json(report))
    return 0


ACTIONS: dict[str, Callable[[argparse.Namespace, Terminal], int]] = {
    "list": list_,
    "check": check,
    "index": index,
    "build": build,
    "sheet": sheet,
}
