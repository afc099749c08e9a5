"""A scripted LSL sender in a process of its own, for every test that needs a real stream.

In a test::

    with Sender(name="amp", source_id="amp-1", n_channels=4, rate_hz=250, dtype="float32") as amp:
        ...                            # open what is tested
        amp.wait_for_consumer()        # True once an inlet is connected
        sent = amp.push(500)           # 500 samples at once; sent.values (4, 500), sent.stamps_s (500,)
        amp.run(); amp.hold()          # stream in real time in chunks of `chunk`; hold() answers what was sent
        amp.skip(20)                   # the counter and the stamps go on, nothing is sent: 20 samples lost
        amp.jump(3.0)                  # the sender's clock jumps
        amp.spoil(10)                  # the next 10 samples of channel 1 are NaN and infinite by turns
        amp.freeze(); amp.thaw()       # SIGSTOP, SIGCONT
        amp.reopen(rate_hz=500)        # the outlet goes, and comes back with the same source id and another rate
        amp.kill()                     # SIGKILL; start a new Sender with the same source_id, maybe counter=sent.stop

    with Sender(name="stim", type="Markers", dtype="string", rate_hz=0, n_channels=1) as stim:
        stim.mark("face/01"); stim.mark("house/02", stamp_s=12.5)      # dtype="int32": stim.mark("7")
        stim.storm(5000, "m")          # markers "m0" to "m4999" as fast as they leave

Channel 0 carries the sample counter, channel k the counter + 100 k (`values`), wrapped to the type, or with
signal="noise" something like noise within 20 of zero, which also depends on the counter alone; every sample is pushed
with its own stamp: first push + counter / rate. Nothing here asserts.

As a program, `python -m tests.senders --name amp --rate 250 ...` reads one command a line from standard input
(push N, run, hold, skip N, jump S, spoil N, mark LABEL [STAMP], storm N PREFIX, wait, reopen KEY=VALUE..., die, quit)
and answers each with one line of JSON. It wants LSLAPICFG set, so that nothing ever leaves this machine.
"""

import argparse
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np


@dataclass(frozen=True)
class Script:
    """What the outlet claims to be. `labels` and `unit` empty: none declared."""

    name: str = "amp"
    type: str = "EEG"
    source_id: str = "amp-1"
    n_channels: int = 4
    rate_hz: float = 250.0
    dtype: str = "float32"
    chunk: int = 10
    labels: str = ""
    unit: str = "microvolts"
    counter: int = 0
    signal: str = "counter"


@dataclass(frozen=True)
class Sent:
    """Samples [start, stop) of the counter as they were pushed; `values` (n_channels, n), `stamps_s` (n,)."""

    start: int
    stop: int
    values: np.ndarray
    stamps_s: np.ndarray


def values(dtype: str, n_channels: int, start: int, stop: int, signal: str = "counter") -> np.ndarray:
    """What a sender puts into samples [start, stop): (n_channels, n)."""
    if signal == "noise":
        angles = np.arange(start, stop) * 12.9898 + 78.233 * np.arange(n_channels)[:, np.newaxis]
        return (np.mod(np.sin(angles) * 43758.5453, 1.0) * 40.0 - 20.0).astype(dtype)
    counted = np.arange(start, stop, dtype=np.int64) + 100 * np.arange(n_channels, dtype=np.int64)[:, np.newaxis]
    return counted.astype(str).astype(object) if dtype == "string" else counted.astype(dtype)


class Sender:
    """A sender process and the questions one may ask it. Leaving the `with` block ends it, however it is."""

    def __init__(self, **script: Any) -> None:
        self.script = Script(**script)
        arguments = [f"--{key.replace('_', '-')}={value}" for key, value in asdict(self.script).items()]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.senders", *arguments],
            cwd=Path(__file__).resolve().parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._answer()  # the outlet is there

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()

    def push(self, n: int) -> Sent:
        """Push `n` samples at once."""
        return self._sent(self._ask(f"push {n}"))

    def run(self) -> None:
        """Push in real time until `hold`."""
        self._ask("run")

    def hold(self) -> Sent:
        """Stop pushing; answers all that was sent since `run`. The connection stays."""
        return self._sent(self._ask("hold"))

    def skip(self, n: int) -> None:
        """Lose `n` samples before they are sent."""
        self._ask(f"skip {n}")

    def jump(self, by_s: float) -> None:
        """Shift all stamps from here on."""
        self._ask(f"jump {by_s}")

    def spoil(self, n: int) -> None:
        """Send NaN and infinite values on channel 1 for `n` samples."""
        self._ask(f"spoil {n}")

    def storm(self, n: int, prefix: str) -> None:
        """Push `n` numbered markers at once, each stamped when it left."""
        self._ask(f"storm {n} {prefix}")

    def mark(self, label: str, stamp_s: float | None = None) -> float:
        """Push one marker, now or with a given stamp; answers the stamp."""
        stamp = [] if stamp_s is None else [stamp_s]
        return self._ask("mark " + json.dumps([label, *stamp]))["stamp_s"]

    def wait_for_consumer(self, timeout_s: float = 10.0) -> bool:
        """True as soon as an inlet is connected."""
        return self._ask(f"wait {timeout_s}")["consumer"]

    def reopen(self, **changes: Any) -> None:
        """Close the outlet and open one with the same source id and other properties."""
        self.script = replace(self.script, **changes)
        self._ask("reopen " + json.dumps(changes))

    def freeze(self) -> None:
        """The process stops where it is, with its connections open."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """The process goes on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End without a farewell, and wait until it is gone. Safe to call twice."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                continue

    def _ask(self, command: str) -> dict[str, Any]:
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the sender {self.script.name!r} is gone")
        return json.loads(line)

    def _sent(self, answer: dict[str, Any]) -> Sent:
        start, stop = answer["start"], answer["stop"]
        sent = values(self.script.dtype, self.script.n_channels, start, stop, self.script.signal)
        return Sent(start, stop, sent, np.array(answer["stamps_s"]))


class _Outlet:
    """The sender's side, in its own process."""

    def __init__(self, script: Script) -> None:
        import pylsl  # LSLAPICFG is checked by then

        self.script = script
        self._lsl = pylsl
        self._counter = script.counter
        self._start_s: float | None = None
        self._stamps: list[float] = []
        self.n_spoilt = 0
        self._open()

    def _open(self) -> None:
        s = self.script
        lsl_format = {"float64": "double64"}.get(s.dtype, s.dtype)
        info = self._lsl.StreamInfo(s.name, s.type, s.n_channels, s.rate_hz, lsl_format, s.source_id)
        if s.labels:
            info.set_channel_labels(s.labels.split(","))
        if s.unit and s.dtype != "string":
            info.set_channel_units(s.unit)
        self._outlet = self._lsl.StreamOutlet(info, max_buffered=360)

    def reopen(self, changes: dict[str, Any]) -> None:
        del self._outlet
        self.script = replace(self.script, **changes)
        self._start_s = None
        self._open()

    def due(self, since_s: float, n_pushed: int) -> int:
        """Whole chunks that real time asks for, in samples."""
        behind = int((self._lsl.local_clock() - since_s) * self.script.rate_hz) - n_pushed
        return behind // self.script.chunk * self.script.chunk

    def push(self, n: int) -> tuple[int, list[float]]:
        self._begin()
        start = self._counter
        data = values(self.script.dtype, self.script.n_channels, start, start + n, self.script.signal).T
        spoilt = min(n, self.n_spoilt)
        if spoilt:
            data[:spoilt, 1] = np.where(np.arange(spoilt) % 2, np.inf, np.nan)
            self.n_spoilt -= spoilt
        stamps = [self._stamp(k) for k in range(start, start + n)]
        if self.script.dtype == "string":
            for row, stamp in zip(data, stamps, strict=True):
                self._outlet.push_sample(list(row), stamp)
        elif n:
            self._outlet.push_chunk(np.ascontiguousarray(data), stamps)
        self._counter += n
        return start, stamps

    def skip(self, n: int) -> None:
        self._begin()
        self._counter += n

    def jump(self, by_s: float) -> None:
        self._begin()
        self._start_s += by_s

    def mark(self, label: str, stamp_s: float) -> None:
        self._outlet.push_sample([label if self.script.dtype == "string" else int(label)], stamp_s)

    def wait(self, timeout_s: float) -> bool:
        return self._outlet.wait_for_consumers(timeout_s)

    def now_s(self) -> float:
        return self._lsl.local_clock()

    def _begin(self) -> None:
        if self._start_s is None:
            rate = self.script.rate_hz
            self._start_s = self._lsl.local_clock() - (self._counter - self.script.counter) / rate if rate else 0.0

    def _stamp(self, counter: int) -> float:
        if not self.script.rate_hz:
            return self._lsl.local_clock()
        return self._start_s + (counter - self.script.counter) / self.script.rate_hz


def _serve(outlet: _Outlet, commands: "queue.Queue[str]") -> None:
    """Answer every command; push what is due between them."""
    running: list[float] | None = None
    run_from, since_s = 0, 0.0
    while True:
        try:
            line = commands.get(timeout=None if running is None else 0.002)
        except queue.Empty:
            running += outlet.push(outlet.due(since_s, len(running)))[1]
            continue
        word, _, rest = line.strip().partition(" ")
        answer: dict[str, Any] = {}
        match word:
            case "push":
                start, stamps = outlet.push(int(rest))
                answer = {"start": start, "stop": start + len(stamps), "stamps_s": stamps}
            case "run":
                running, run_from, since_s = [], outlet.push(0)[0], outlet.now_s()
            case "hold":
                answer = {"start": run_from, "stop": run_from + len(running), "stamps_s": running}
                running = None
            case "skip":
                outlet.skip(int(rest))
            case "jump":
                outlet.jump(float(rest))
            case "spoil":
                outlet.n_spoilt = int(rest)
            case "storm":
                n, prefix = rest.split()
                for k in range(int(n)):
                    outlet.mark(f"{prefix}{k}", outlet.now_s())
            case "mark":
                label, *given = json.loads(rest)
                stamp_s = given[0] if given else outlet.now_s()
                outlet.mark(label, stamp_s)
                answer = {"stamp_s": stamp_s}
            case "wait":
                answer = {"consumer": outlet.wait(float(rest))}
            case "reopen":
                outlet.reopen(json.loads(rest))
            case "die":
                os._exit(1)
            case "quit":
                return
            case _:
                answer = {"error": f"unknown command {line!r}"}
        _say(answer)


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    if "LSLAPICFG" not in os.environ:
        sys.exit("set LSLAPICFG to a configuration that keeps LSL on this machine")
    parser = argparse.ArgumentParser()
    for key, default in asdict(Script()).items():
        parser.add_argument(f"--{key.replace('_', '-')}", type=type(default), default=default)
    outlet = _Outlet(Script(**vars(parser.parse_args())))
    commands: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            commands.put(line)
        commands.put("quit")

    threading.Thread(target=read, daemon=True).start()
    _say({"ready": True})
    _serve(outlet, commands)


if __name__ == "__main__":
    main()
