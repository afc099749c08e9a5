"""`afterimage weights`: which pretrained parts there are, which are here, on what terms, and whether they are whole."""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.config import load
from app.summary import versions
from app.terminal import Terminal, write_stdout
from calibration.report import to_json
from engines.errors import WorkError
from engines.generators.config import GeneratorsConfig
from engines.parts import PARTS, Part
from engines.weights import Absent, Found, check, files, find, how_to_get, part, said, size

_MB = 1e6
_TERMS = "licences and sizes as published when this was written: the licence that comes with the files is what holds"


class Damaged(WorkError):
    """A file is not what it should be."""


def weights(options: argparse.Namespace) -> int:
    """Do one of the actions on one part, or on all."""
    config = load(options.config).reconstruction.generators()
    chosen = (part(options.name),) if options.name else PARTS
    return ACTIONS[options.action](options, chosen, config, Terminal(quiet_stdout=options.json))


def list_(options: argparse.Namespace, chosen: tuple[Part, ...], config: GeneratorsConfig, terminal: Terminal) -> int:
    """Say what each part is for, on what terms, whether it is here, and which hashes its files should have."""
    rows = []
    for one in chosen:
        found = find(one, config)
        rows.append({**asdict(one), **_standing(found), "size": _size(one, found), "hashes": _hashes(found)})
        here = "here   " if isinstance(found, Found) else "unused " if one.kind == "unused" else "absent "
        terminal.say(f"{here} {one.name}: {one.use}; {_terms(one)}; {_size(one, found)}; {one.source}")
        if one.note:
            terminal.say(f"         {one.note}")
        for known in _hashes(found):
            path = Path(known["path"])
            if path.stat().st_size > _MB:
                told = f"SHA-256 {known['sha256']}, as in {known['told']}"
                terminal.say(f"         {path.parent.name}/{path.name}: {told}")
    terminal.say(_TERMS)
    return _finish(options, {"parts": rows, "terms": _TERMS})


def check_(options: argparse.Namespace, chosen: tuple[Part, ...], config: GeneratorsConfig, terminal: Terminal) -> int:
    """Compare every file that is here with its hash.

    Raises:
        Damaged: one of them is not what it should be; told before.
    """
    rows, damaged = [], []
    for found in (find(one, config) for one in chosen):
        if isinstance(found, Absent):
            terminal.say(f"absent   {found.part.name}")
            continue
        n_files = len(files(found))
        with terminal.progress(f"checking {found.part.name}") as progress:
            for done, checked in enumerate(check(found), start=1):
                progress.update(done / n_files)
                rows.append({"part": found.part.name, **asdict(checked), "path": str(checked.path)})
                damaged += [checked] if checked.right is False else []
        for row in rows[-n_files:]:
            terminal.say(f"{_MARKS[row['right']]} {found.part.name}: {row['path']}: {row['told']}")
    status = _finish(options, {"files": rows, "damaged": [str(checked.path) for checked in damaged]})
    if damaged:
        raise Damaged(f"{len(damaged)} of {len(rows)} files are damaged, {damaged[0].path}: {damaged[0].told}")
    return status


def where(options: argparse.Namespace, chosen: tuple[Part, ...], config: GeneratorsConfig, terminal: Terminal) -> int:
    """Say at which places each part was looked for, in order."""
    rows = []
    for one in chosen:
        found = find(one, config)
        rows.append({"name": one.name, **_standing(found)})
        terminal.say(f"{one.name}: {'here' if isinstance(found, Found) else 'absent'}")
        for place in found.looked:
            terminal.say(f"         {place}")
        if isinstance(found, Absent):
            terminal.say(f"         {found.remedy}")
    return _finish(options, {"parts": rows})


ACTIONS: dict[str, Callable[[argparse.Namespace, tuple[Part, ...], GeneratorsConfig, Terminal], int]] = {
    "list": list_,
    "check": check_,
    "where": where,
}
_MARKS = {True: "right   ", False: "DAMAGED ", None: "unknown "}


def _terms(one: Part) -> str:
    return f"{one.licence}: {one.restriction}" if one.restriction else one.licence


def _standing(found: Found | Absent) -> dict[str, Any]:
    looked = [str(place) for place in found.looked]
    if isinstance(found, Found):
        return {"here": True, "place": str(found.place), "looked": looked, "size_mb": round(size(found) / _MB, 1)}
    return {"here": False, "missing": found.missing, "looked": looked, "how_to_get": how_to_get(found.part)}


def _size(one: Part, found: Found | Absent) -> str:
    """As published; of what ships, as it is here."""
    return f"{size(found) / _MB:.1f} MB" if one.kind == "shipped" and isinstance(found, Found) else one.size


def _hashes(found: Found | Absent) -> list[dict[str, str]]:
    """What the SHA-256 of its files should be, as far as anybody says: `check` compares them."""
    known = said(found) if isinstance(found, Found) else []
    return [{**asdict(one), "path": str(one.path)} for one in known if one.path.is_file()]


def _finish(options: argparse.Namespace, report: dict[str, Any]) -> int:
    if options.json:
        write_stdout(to_json({"command": f"weights {options.action}", **report, "versions": versions()}))
    return 0
