"""The neighbours' side, one program each: `python -m tests.neighbours.programs NAME SOURCE_ID FILE`.

mne_lsl brings its own liblsl, so none of this may run in the process that loaded pylsl's. Each says "ready" when it
listens and leaves what it received in FILE (.npz).
"""

import sys
import time
import types
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

N_SAMPLES = 1000
LABELS = ("face", "house")
TMIN_S, TMAX_S = -0.2, 0.4
PATIENCE_S = 20.0


def say_ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def realtime_client() -> type:
    """Its client, with what the discontinued 0.3.0 needs here: `pylsl.pylsl`, which current pylsl has under another
    name, and more than 0.1 s for a search on a machine where LSL is confined to loopback.
    """
    import pylsl
    from pylsl.lib import fmt2type

    pylsl.pylsl = types.SimpleNamespace(fmt2type=fmt2type)
    pylsl.resolve_streams = lambda wait_time: pylsl.resolve.resolve_streams(max(1.0, wait_time))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mne_realtime import LSLClient
    return LSLClient


def mne_realtime_client(source_id: str, to: Path) -> None:
    client = realtime_client()(host=source_id, wait_max=PATIENCE_S, buffer_size=N_SAMPLES)
    with client:
        client.client.open_stream(PATIENCE_S)
        say_ready()
        epoch = client.get_data_as_epoch(N_SAMPLES, timeout=PATIENCE_S)
        info = client.get_measurement_info()
    np.savez(
        to,
        data=epoch.get_data(copy=True)[0],
        names=info["ch_names"],
        types=info.get_channel_types(),
        rate=info["sfreq"],
    )


def mne_realtime_epochs(source_id: str, to: Path) -> None:
    """`RtEpochs` on its client, which must not hand on the empty buffers between two chunks: they kill its thread."""
    base = realtime_client()
    from mne_realtime import RtEpochs

    class Client(base):
        def iter_raw_buffers(self) -> Iterator[np.ndarray]:
            return (buffer for buffer in super().iter_raw_buffers() if buffer.shape[1])

    with Client(host=source_id, wait_max=PATIENCE_S, buffer_size=N_SAMPLES) as client:
        codes = {label: k + 1 for k, label in enumerate(LABELS)}
        epochs = RtEpochs(
            client, codes, TMIN_S, TMAX_S, stim_channel="STI 014", baseline=None, picks="eeg", isi_max=5.0
        )
        client.client.open_stream(PATIENCE_S)
        epochs.start()
        say_ready()
        came = [epochs.next(return_event_id=True) for _ in LABELS]
        epochs.stop(stop_receive_thread=False)
    np.savez(to, data=np.array([epoch for epoch, _ in came]), codes=[code for _, code in came])


def mne_lsl_stream(source_id: str, to: Path) -> None:
    from mne_lsl.stream import StreamLSL

    stream = StreamLSL(bufsize=20, source_id=source_id)
    stream.connect(acquisition_delay=0.01, timeout=PATIENCE_S)
    say_ready()
    deadline_s = time.monotonic() + PATIENCE_S
    while stream.n_new_samples < N_SAMPLES and time.monotonic() < deadline_s:
        time.sleep(0.01)
    data, stamps_s = stream.get_data()
    info = stream.info
    np.savez(
        to,
        data=data[:, -N_SAMPLES:],
        stamps_s=stamps_s[-N_SAMPLES:],
        names=info["ch_names"],
        types=info.get_channel_types(),
        rate=info["sfreq"],
        units=stream.get_channel_units() and [str(unit) for unit in stream.get_channel_units()],
    )
    stream.disconnect()


def mne_lsl_epochs(source_id: str, to: Path, *, one_hot: bool) -> None:
    from mne_lsl.stream import EpochsStream, StreamLSL

    stream = StreamLSL(bufsize=20, source_id=source_id).connect(acquisition_delay=0.01, timeout=PATIENCE_S)
    events = None
    if one_hot:
        events = StreamLSL(bufsize=20, source_id=f"{source_id}-events")
        events.connect(acquisition_delay=0.01, timeout=PATIENCE_S)
    epochs = EpochsStream(
        stream,
        bufsize=len(LABELS),
        event_id=None if one_hot else {label: k + 1 for k, label in enumerate(LABELS)},
        event_channels=list(LABELS) if one_hot else "STI 014",
        event_stream=events,
        tmin=TMIN_S,
        tmax=TMAX_S,
        baseline=None,
        picks="eeg",
    ).connect(acquisition_delay=0.01)
    say_ready()
    deadline_s = time.monotonic() + PATIENCE_S
    while epochs.n_new_epochs < len(LABELS) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    np.savez(to, data=epochs.get_data(), codes=epochs.events)
    epochs.disconnect()
    stream.disconnect()
    if events is not None:
        events.disconnect()


def mne_lsl_player(source_id: str, to: Path) -> None:
    """Plays until standard input closes; FILE says what."""
    import mne
    from mne_lsl.player import PlayerLSL

    rng = np.random.default_rng(1)
    info = mne.create_info(["Fz", "Cz", "Oz"], 250.0, "eeg")
    raw = mne.io.RawArray(rng.normal(scale=1e-5, size=(3, N_SAMPLES)), info, verbose="error")
    player = PlayerLSL(raw, chunk_size=10, n_repeat=np.inf, name="their player", source_id=source_id)
    player.start()
    np.savez(to, data=raw.get_data())
    say_ready()
    sys.stdin.read()
    player.stop()


PROGRAMS = {
    "mne_realtime_client": mne_realtime_client,
    "mne_realtime_epochs": mne_realtime_epochs,
    "mne_lsl_stream": mne_lsl_stream,
    "mne_lsl_epochs_one_hot": lambda source_id, to: mne_lsl_epochs(source_id, to, one_hot=True),
    "mne_lsl_epochs_stim": lambda source_id, to: mne_lsl_epochs(source_id, to, one_hot=False),
    "mne_lsl_player": mne_lsl_player,
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](sys.argv[2], Path(sys.argv[3]))
