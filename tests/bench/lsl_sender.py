"""The amplifier of the benches: 64 EEG channels of noise and a counter, each chunk stamped as it is pushed.

`python -m tests.bench.lsl_sender NAME RATE_HZ CHUNK`; ends when its standard input closes.
"""

import os
import sys
import threading
import time

import numpy as np
import pylsl

from calibration.participant import ELECTRODES
from tests.bench.programs import say

LOOP_S = 4
NOISE_UV = 20.0


def outlet_for(name: str, rate_hz: float, chunk: int) -> pylsl.StreamOutlet:
    info = pylsl.StreamInfo(name, "EEG", len(ELECTRODES) + 1, rate_hz, "float32", name)
    info.set_channel_labels([*ELECTRODES, "counter"])
    info.set_channel_types(["EEG"] * len(ELECTRODES) + ["MISC"])
    info.set_channel_units(["microvolts"] * len(ELECTRODES) + ["none"])
    return pylsl.StreamOutlet(info, chunk)


def send(outlet: pylsl.StreamOutlet, rate_hz: float, chunk: int) -> None:
    """Push at absolute deadlines, for ever."""
    n = round(LOOP_S * rate_hz / chunk) * chunk
    noise = np.random.default_rng(0).normal(0.0, NOISE_UV, (n, len(ELECTRODES) + 1)).astype(np.float32)
    noise[:, -1] = np.arange(n)
    start_s, k = pylsl.local_clock(), 0
    while True:
        data = noise[k * chunk % n :][:chunk]
        k += 1
        time.sleep(max(0.0, start_s + k * chunk / rate_hz - pylsl.local_clock()))
        outlet.push_chunk(data, pylsl.local_clock())


def leave_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    name, rate_hz, chunk = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    outlet = outlet_for(name, rate_hz, chunk)
    threading.Thread(target=leave_with_parent, daemon=True).start()
    say("ready")
    send(outlet, rate_hz, chunk)


if __name__ == "__main__":
    main()
