"""The command line: parses, calls one command, turns errors into one clear line and a status.

Status 0 done, 1 the work failed, 2 the call or the input was wrong.
"""

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

from app.lsl_settings import configure_lsl
from app.parser import build_parser
from engines.errors import AfterimageError, InputError, WorkError

# Command -> module under app.commands; imported only when called, so that --help needs neither Qt nor liblsl.
COMMANDS = {
    "doctor": "doctor",
    "demo": "demo",
    "simulate": "simulate",
    "present": "present",
    "import": "files",
    "info": "files",
    "salvage": "files",
    "record": "record",
    "replay": "run",
    "live": "run",
    "calibrate": "calibrate",
    "coupling": "coupling",
    "engines": "engines",
    "stimuli": "stimuli",
    "train": "train",
    "weights": "weights",
    "compare": "compare",
    "evaluate": "evaluate",
    "window": "window",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help")):
        arguments.insert(0, "window")
    try:
        options = build_parser().parse_args(arguments)
    except InputError as error:
        return _fail(error, debug="--debug" in arguments)
    command, debug = options.command, options.debug
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR, format="%(name)s: %(message)s")
    configure_lsl(within_this_machine=command == "demo")
    try:
        module = import_module(f"app.commands.{COMMANDS[command]}")
        status: int = getattr(module, command.replace("import", "import_"))(options)
    except AfterimageError as error:
        return _fail(error, debug)
    except KeyboardInterrupt:
        sys.stderr.write("afterimage: interrupted\n")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a folder that cannot be written, a disk that is full
        place = f"{error.filename}: " if error.filename else ""
        return _fail(
            WorkError(f"{place}{error.strerror or error}; free some space or choose another place"), debug, error
        )
    except Exception as error:  # noqa: BLE001 - a fault of ours must not look like a fault of the user's
        return _fail(WorkError(f"internal error: {type(error).__name__}: {error}; --debug shows where"), debug, error)
    return status


def _fail(error: AfterimageError, debug: bool, cause: Exception | None = None) -> int:
    if debug:
        traceback.print_exception(cause or error)
    sys.stderr.write(f"afterimage: {_one_line(str(error))}\n")
    return error.exit_status


def _one_line(message: str) -> str:
    """The message without line breaks; of another process's traceback in it only the last line, the reason."""
    told, began, trace = message.partition("Traceback (most recent call last):")
    lines = [*told.splitlines(), *(trace.strip().splitlines()[-1:] if began else [])]
    line = "; ".join(text.strip() for text in lines if text.strip())
    return line.replace(":; ", ": ")


if __name__ == "__main__":
    sys.exit(main())
