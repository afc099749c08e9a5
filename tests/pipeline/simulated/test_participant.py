import numpy as np

from pipeline.simulated.participant import stream_infos
from tests.pipeline.simulated.people import bump, quiet, response


def test_the_streams_say_that_they_are_simulated_and_where_the_electrodes_are():
    eeg, markers = stream_infos(quiet(), snr=1.0, run=1, source_id="x")
    assert eeg.simulated and markers.simulated and markers.is_marker
    assert (eeg.n_channels, eeg.sfreq_hz, eeg.dtype, eeg.unit, eeg.type) == (3, 250.0, "float32", "microvolts", "EEG")
    assert eeg.channels[1].name == "Oz" and eeg.channels[1].position_m == (0.0, -0.11, 0.0)
    assert (eeg.source_id, markers.source_id) == ("x-eeg", "x-markers")


def test_the_digest_names_the_participant_down_to_the_last_number():
    assert quiet().digest == quiet().digest
    others = [
        quiet(alpha_hz=10.1),
        quiet(responses={"stim/face/00": response(2 * bump())}),
        quiet(responses={"stim/face/01": response(bump())}),
        quiet(responses={"stim/face/00": response(bump(), held=True)}),
        quiet(depth=np.array([0.5, 0.4])),
        quiet(evoked_fall=0.1),
    ]
    assert len({quiet().digest, *(o.digest for o in others)}) == 7


def test_the_first_thing_a_response_does_may_be_any_of_its_parts():
    wave = bump()
    assert response(wave).first == 11  # a Hann window begins with a zero
    gaze = np.zeros((2, 100))
    gaze[1, 4] = 1.0
    assert response(wave, gaze=gaze).first == 4
    assert response(np.zeros((3, 7))).first == 7


def test_fatigue_grows_towards_one():
    fatigue = quiet(time_s=100.0).fatigue
    assert fatigue.at(0.0) == 0.0 and 0.6 < fatigue.at(100.0) < 0.65 and fatigue.at(1000.0) > 0.99
