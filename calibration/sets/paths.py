"""Paths as data sets name them: relative, plain, and inside the data set's own folder."""

import os
import re
from pathlib import Path

from calibration.sets.errors import SetUnusable

_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def checked_path(text: str) -> str:
    """`text` if it is a relative path with forward slashes that means the same on every system.

    Raises:
        SetUnusable: it is absolute, not UTF-8, has a drive letter, a backslash, a control character, or a part that is
            empty, `.` or `..`.
    """
    faults = {
        "is empty": not text,
        "holds a control character": _CONTROL.search(text),
        "holds a backslash": "\\" in text,
        "is absolute": text.startswith("/"),
        "begins with a drive letter": _DRIVE.match(text),
        "has an empty part, '.' or '..'": any(part in ("", ".", "..") for part in text.split("/")),
        "is not UTF-8": not _is_utf8(text),
    }
    for fault, found in faults.items():
        if found:
            raise SetUnusable(
                f"path {text!a} {fault}; expected one relative to the data set's folder, parts apart by '/'"
            )
    return text


def checked_name(text: str) -> str:
    """`text` if it can be the name of a category or an object, in files and in markers.

    Raises:
        SetUnusable: it is empty, holds a `/` or what cannot be printed, has space around it, or is longer than 200.
    """
    if not 0 < len(text) <= 200 or "/" in text or text != text.strip() or not text.isprintable():
        raise SetUnusable(f"name {text!a}: expected 1 to 200 characters without '/', line breaks or space around it")
    return text


def inside(folder: Path, text: str) -> Path:
    """The file that the path `text` names, inside `folder` also when every symbolic link is followed.

    Raises:
        SetUnusable: as `checked_path`, or the path leads out of `folder`.
    """
    path = folder / checked_path(text)
    try:
        leads_out = not path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError) as error:  # a link to itself
        raise SetUnusable(f"{path} cannot be followed: {error}") from error
    if leads_out:
        raise SetUnusable(f"{path} leads out of {folder}; expected a file inside it, copy it there")
    return path


def files_below(folder: Path) -> list[str]:
    """Relative paths of all files below `folder`, sorted; hidden ones are left out.

    Raises:
        SetUnusable: no such folder, a folder that cannot be opened, a name that is not UTF-8, or a link that leads out.
    """
    if not folder.is_dir():
        raise SetUnusable(f"{folder} is no folder; expected one that holds pictures, videos or meshes")
    found = []
    for parent, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        here = Path(parent)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        relative = "" if here == folder else here.relative_to(folder).as_posix() + "/"
        for name in folders:
            inside(folder, relative + name)
            _no_loop(here / name, here)
        found += [relative + name for name in names if not name.startswith(".")]
    for text in found:
        if not inside(folder, text).is_file():
            raise SetUnusable(f"{folder / text} is no file, or a link to none; remove it")
    return sorted(found)


def _no_loop(child: Path, parent: Path) -> None:
    if child.is_symlink() and parent.resolve().is_relative_to(child.resolve()):
        raise SetUnusable(f"{child} is a link to a folder that holds it; remove it")


def _refuse(error: OSError) -> None:
    raise SetUnusable(f"{error.filename} cannot be opened: {error.strerror}") from error


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a name on disk that is not UTF-8 comes with surrogates
        return False
    return True
