"""Runs the benches, each in a process of its own, one after another: `python -m tests.bench [--markdown] [NAME...]`."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.bench.programs import ROOT
from tests.bench.rows import Row, markdown, table
from tests.conftest import lsl_config

BENCHES = (
    "machine",
    "ingest",
    "windows",
    "filters",
    "coupling",
    "coupling_torch",
    "xdf",
    "simulation",
    "replay",
    "encoders",
    "meshes",
    "decisions",
    "anytime",
    "pictures",
    "generating",
    "soak",
)


def rows_of(name: str, environment: Mapping[str, str]) -> Iterator[Row]:
    """The rows of one bench, as they come.

    Raises:
        RuntimeError: it died; what it had to say stands on standard error.
    """
    began_s = time.monotonic()
    command = [sys.executable, "-m", f"tests.bench.{name}"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as bench:
        for line in bench.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            yield Row.from_json(line)
    if bench.returncode:
        raise RuntimeError(f"bench {name} died with status {bench.returncode}")
    sys.stderr.write(f"{name}: {time.monotonic() - began_s:.0f} s\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHES):
        parser.error(f"no bench {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    rows: list[Row] = []
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="afterimage-bench-") as folder:
        config = Path(folder) / "lsl_api.cfg"
        config.write_text(lsl_config(uuid.uuid4().hex))
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        environment = {**os.environ, **one_thread, "LSLAPICFG": str(config), "TMPDIR": folder}
        for name in options.names or BENCHES:
            try:
                rows.extend(rows_of(name, environment))
            except RuntimeError as error:
                failed.append(str(error))
    sys.stdout.write((markdown if options.markdown else table)(rows) + "\n")
    for text in failed:
        sys.stderr.write(text + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
