import mne
import numpy as np
import pytest

from calibration.brain.cited import AREAS_MNI_MM
from calibration.brain.head import ELECTRODES, Head, rms_scaled, scaled


@pytest.fixture(scope="module")
def head():
    return Head(np.random.default_rng(0))


def best(topography, n=6):
    return {ELECTRODES[k] for k in np.argsort(-np.abs(topography[:64]).sum(axis=1))[:n]}


def test_areas_are_seen_where_they_lie(head):
    assert set(head.areas) == set(AREAS_MNI_MM)
    assert best(head.areas["V1"]) & {"O1", "Oz", "O2", "Iz"}
    assert best(head.areas["FFA"]) & {"P7", "P8", "TP9", "TP10", "PO7", "PO8"}
    assert best(head.areas["MFC"]) & {"Fz", "AFz", "F1", "F2", "FC1", "FC2"}
    left, right = head.areas["M1"].T
    assert ELECTRODES[int(np.argmax(np.abs(left[:64])))] in {"C3", "C1", "CP3", "CP1", "FC3", "FC1"}
    assert ELECTRODES[int(np.argmax(np.abs(right[:64])))] in {"C4", "C2", "CP4", "CP2", "FC4", "FC2"}


def test_topographies_are_in_the_average_reference_and_recorded_against_fcz(head):
    assert np.abs(head.areas["V1"].sum(axis=0)).max() < 1e-9
    one = head.areas["V1"][:, 0]
    np.testing.assert_allclose(head.recorded(one), one[:64] - one[64])


def test_a_dipole_is_seen_as_mne_sees_it_on_its_own(head):
    """The same sphere through another door of MNE: a dipole's field by `simulate_evoked` of a forward solution."""
    at_m = head._centre_m + np.array([[0.0, -0.06, 0.02]])
    ours = head._fixed(at_m, np.array([[0.0, -1.0, 0.3]]))[:, 0]
    unit = np.array([[0.0, -1.0, 0.3]]) / np.linalg.norm([0.0, -1.0, 0.3])
    dipole = mne.Dipole([0.0], at_m, [1e-9], unit, [1.0])
    forward, stc = mne.make_forward_dipole(dipole, head._sphere, head._info, verbose="ERROR")
    theirs = (forward["sol"]["data"] @ stc.data)[:, 0] * 1e9
    np.testing.assert_allclose(ours, theirs - theirs.mean(), rtol=1e-4, atol=1e-6 * np.abs(ours).max())


def test_heads_differ_in_size_and_in_what_they_see():
    heads = [Head(np.random.default_rng(seed)) for seed in range(4)]
    breadths = [np.ptp(h.positions_m[:, 0]) for h in heads]
    assert 0.002 < np.std(breadths) < 0.02
    alike = np.corrcoef([h.areas["FFA"][:, 0] for h in heads])[np.triu_indices(4, 1)]
    assert 0.2 < alike.mean() < 0.999


def test_sizes_are_set_where_they_are_asked_for():
    rng = np.random.default_rng(0)
    topography, mixing = rng.standard_normal(65) + 1, rng.standard_normal((65, 7))
    assert scaled(topography, np.array([3, 4]), -6.0)[[3, 4]].mean() == pytest.approx(-6.0)
    assert np.median(np.sqrt((rms_scaled(mixing, np.arange(5), 4.0)[:5] ** 2).sum(axis=1))) == pytest.approx(4.0)
