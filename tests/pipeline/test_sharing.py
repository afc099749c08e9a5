import numpy as np
import pylsl

from pipeline.acquire import Acquisition
from pipeline.clock import LslClock
from pipeline.sharing import Sharing
from pipeline.timing import Ledger
from tests.scripted import EEG, ScriptedSource, chunk


def test_other_programs_receive_every_sample_in_volts_with_the_trials_on_the_stimulus_channel() -> None:
    acquisition = Acquisition(ScriptedSource(EEG, [chunk(i, 50) for i in range(0, 500, 50)]), LslClock(), Ledger())
    acquisition.open()
    sharing = Sharing(acquisition, ("face", "house"))
    (found,) = pylsl.resolve_byprop("name", "AfterimageEEG", timeout=10.0)
    inlet = pylsl.StreamInlet(found)
    inlet.open_stream(10.0)
    sharing.mark("house", 1.0)
    while acquisition.step(0.0):
        sharing.step(0.0)
    sharing.step(0.0)
    sharing.stop()
    rows: list[list[float]] = []
    while len(rows) < 500:
        got, _ = inlet.pull_chunk(timeout=10.0, max_samples=500 - len(rows))
        assert got
        rows += got
    inlet.close_stream()
    received = np.array(rows)
    np.testing.assert_allclose(received[:, 0], np.arange(500) * 1e-6)
    assert set(received[:, -1]) == {0.0, 2.0}
    assert np.flatnonzero(received[:, -1])[0] == 100
