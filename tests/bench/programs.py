"""Programs in processes of their own that answer a line with a line of JSON.

One process for every variant: MNE-LSL brings its own liblsl, and memory is only comparable in fresh interpreters.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]


class Program:
    """`python -m MODULE ARGUMENTS...`; leaving the `with` block closes its standard input, at which it ends."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def __enter__(self) -> Self:
        self.answer()  # it is ready
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(20.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def ask(self, **question: Any) -> Any:
        """Put a question, wait for the answer."""
        self._process.stdin.write(json.dumps(question) + "\n")
        return self.answer()

    def answer(self) -> Any:
        """Wait for the next answer."""
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self._process.args[1:])} died with status {self._process.wait()}")
        return json.loads(line)


def asked_once(module: str, *arguments: object) -> Any:
    """The one answer of a program that needs no question."""
    program = Program(module, *arguments)
    answer = program.answer()
    program.__exit__()
    return answer


def say(answer: Any) -> None:
    """The program's side: one line of JSON."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def serve(answers: Mapping[str, Callable[..., Any]]) -> None:
    """The program's side: say that it is ready, then answer {"do": NAME, ...} until standard input closes."""
    say("ready")
    for line in sys.stdin:
        question = json.loads(line)
        say(answers[question.pop("do")](**question))


def peak_mb() -> float:
    """The most memory this process has had resident, in MB.

    Not `ru_maxrss`: on Linux a child begins with what its parent had when it was started.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("peak memory is read from /proc/self/status, which has no VmHWM here; run this on Linux")
