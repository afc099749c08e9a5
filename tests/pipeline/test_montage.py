"""Labels as real amplifiers send them, and where their electrodes sit."""

from importlib.util import find_spec

import mne
import numpy as np
import pytest

from pipeline import montage
from pipeline.errors import FileUnreadable
from pipeline.types import Kind


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Fc5.", "FC5"),
        ("Iz..", "Iz"),
        ("FPZ", "Fpz"),
        (" oz ", "Oz"),
        ("EEG Fp1-Ref", "Fp1"),
        ("EEG FP1", "Fp1"),
        ("EEG C3-A2", "C3"),
        ("EEG O1-LE", "O1"),
        ("T3", "T7"),
        ("T4", "T8"),
        ("T5", "P7"),
        ("T6", "P8"),
        ("CB1", "CB1"),
        ("m2", "M2"),
        ("ffc5h", "FFC5h"),
        ("Fp1-F7", None),
        ("EEG 001", None),
        ("S1", None),
        ("", None),
    ],
)
def test_a_label_gets_its_10_05_name(label, name):
    assert montage.canonical(label) == name


@pytest.mark.parametrize(
    ("label", "declared", "kind"),
    [
        ("Fp1", None, Kind.EEG),
        ("Fpz", "EEG", Kind.EEG),
        ("EEG 001", None, Kind.EEG),
        ("ch7", "", Kind.EEG),
        ("M1", "EEG", Kind.EEG),
        ("VEOG", "EEG", Kind.EOG),
        ("HEO", None, Kind.EOG),
        ("EOG left", None, Kind.EOG),
        ("Fp1", "EOG", Kind.EOG),
        ("EMG1", None, Kind.EMG),
        ("EKG", "eeg", Kind.ECG),
        ("TRG", "EEG", Kind.STIM),
        ("Trigger", "EEG", Kind.STIM),
        ("Status", None, Kind.STIM),
        ("STI 014", None, Kind.STIM),
        ("ACC_X", "EEG", Kind.MISC),
        ("AUX_RIGHT", "EEG", Kind.MISC),
        ("Right AUX", None, Kind.MISC),
        ("Sample Counter", None, Kind.MISC),
        ("X", "Gyroscope", Kind.MISC),
        ("O1", "something else", Kind.EEG),
    ],
)
def test_the_kind_follows_label_and_declared_type(label, declared, kind):
    assert montage.kind_of(label, declared) is kind


def test_real_64_channel_labels_are_all_placed(data):
    raw = mne.io.read_raw_edf(data / "eeg" / "eegmmidb64" / "S001R03.edf", verbose=False)
    places = montage.positions(raw.ch_names)
    assert list(places) == raw.ch_names
    assert montage.why_no_positions(raw.ch_names, places) == ""


def test_positions_are_those_mne_gives_a_recording_in_the_head_frame():
    names = ["Cz", "T7", "M1"]
    raw = mne.io.RawArray(np.zeros((3, 1)), mne.create_info(names, 100.0, "eeg"), verbose=False)
    raw.set_montage(mne.channels.make_standard_montage("colin27_1005"))
    ours = montage.positions(names)
    for channel in raw.info["chs"]:
        np.testing.assert_allclose(ours[channel["ch_name"]], channel["loc"][:3], atol=1e-12)


def test_the_neuroscan_cap_has_64_places_and_its_cerebellar_sites_follow_mne():
    places = montage.positions(montage.NEUROSCAN_64)
    assert len(set(places.values())) == 64
    old = mne.channels.make_standard_montage("colin27_postfixed").get_positions()["ch_pos"]
    new = mne.channels.make_standard_montage("colin27_1005").get_positions()["ch_pos"]
    np.testing.assert_array_equal(old["Cb1"], new["PO9"])
    assert places["CB1"] == montage.positions(["PO9"])["PO9"]
    assert places["CB2"] == montage.positions(["PO10"])["PO10"]


def test_left_is_negative_x_and_front_is_positive_y():
    places = montage.positions(["T7", "T8", "Fpz", "Oz"])
    assert places["T7"][0] < -0.05 < 0.05 < places["T8"][0]
    assert places["Oz"][1] < 0 < places["Fpz"][1]


def test_a_montage_numbered_by_letter_has_no_10_05_names():
    labels = [f"{letter}{n}" for letter in "ABCD" for n in range(1, 33)]
    assert montage.canonical_names(labels) == [None] * 128
    assert montage.canonical_names(["A1", "A2", "C3"]) == ["A1", "A2", "C3"]


def test_of_two_labels_with_one_name_only_the_first_is_placed():
    assert montage.canonical_names(["T3", "T7"]) == ["T7", None]


def test_the_reason_for_missing_positions_names_the_labels():
    labels = ["Cz", *(f"ch{n}" for n in range(8))]
    reason = montage.why_no_positions(labels, montage.positions(labels))
    assert "8 of 9" in reason
    assert "ch0" in reason
    assert "2 more" in reason


def test_a_location_file_is_read_in_metres(tmp_path):
    path = tmp_path / "cap.sfp"
    path.write_text(
        "FidNz 0 9.071585155 -2.359754454\nFidT9 -6.711765 0.040402876 -3.251600355\n"
        "FidT10 6.711765 0.040402876 -3.251600355\nE1 5.787677636 5.520863216 -2.577468644\nE2 0 0 9\n"
    )
    places = montage.read_locations(path)
    assert {"E1", "E2"} <= set(places)
    assert np.linalg.norm(places["E2"]) == pytest.approx(0.13, abs=0.04)


LOCATIONS = {
    "cap.loc": "1 0 0.0 Cz\n2 -90 0.5 T7\n3 90 0.5 T8\n4 180 0.5 Oz\n",
    "cap.elc": (
        "# ASA electrode file\nReferenceLabel\tavg\nUnitPosition\tmm\nNumberPositions=\t7\nPositions\n"
        "-86 -20 -48\n86 -20 -48\n0 87 -40\n0 -10 100\n-84 -16 -9\n84 -16 -9\n0 -115 15\n"
        "Labels\nLPA\nRPA\nNz\nCz\nT7\nT8\nOz\n"
    ),
    "cap.tsv": "name\tx\ty\tz\nCz\t0\t0\t0.13\nT7\t-0.085\t0\t0.04\nT8\t0.085\t0\t0.04\nOz\t0\t-0.09\t0.05\n",
    "cap.bvef": (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Electrodes defaults="false">\n'
        + "".join(
            f"<Electrode><Name>{name}</Name><Theta>{theta}</Theta><Phi>{phi}</Phi><Radius>1</Radius>"
            f"<Number>{i}</Number></Electrode>\n"
            for i, (name, theta, phi) in enumerate(
                [("Cz", 0, 0), ("T7", -90, 0), ("T8", 90, 0), ("Oz", 90, -90), ("Fpz", 90, 90)],
                1,
            )
        )
        + "</Electrodes>\n"
    ),
    "cap.csd": (
        "// MatLab   Sphere coordinates [degrees]         Cartesian coordinates\n"
        "// Label       Theta       Phi    Radius         X         Y         Z       off sphere surface\n"
        + "".join(
            f"{name} {theta} {phi} 1.0 {x} {y} {z} 0.0\n"
            for name, theta, phi, x, y, z in [
                ("Cz", 90, 90, 0, 0, 1),
                ("T7", 180, 0, -1, 0, 0),
                ("T8", 0, 0, 1, 0, 0),
                ("Oz", -90, 0, 0, -1, 0),
            ]
        )
    ),
}


NEEDS_DEFUSEDXML = pytest.mark.skipif(find_spec("defusedxml") is None, reason="MNE reads .bvef with defusedxml")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=NEEDS_DEFUSEDXML if n.endswith(".bvef") else ()) for n in LOCATIONS]
)
def test_every_kind_of_location_file_gives_a_head_in_metres(tmp_path, name):
    (tmp_path / name).write_text(LOCATIONS[name])
    places = montage.read_locations(tmp_path / name)
    assert {"Cz", "T7", "T8", "Oz"} <= set(places)
    assert places["T7"][0] < -0.05 < 0.05 < places["T8"][0]
    assert places["Oz"][1] < -0.05
    assert places["Cz"][2] > max(places["T7"][2], places["Oz"][2]) + 0.03
    assert max(np.linalg.norm(place) for place in places.values()) < 0.2


@pytest.mark.parametrize("name", ["missing.sfp", "cap.xyz123", "empty.elc"])
def test_an_unreadable_location_file_says_what_was_expected(tmp_path, name):
    (tmp_path / "cap.xyz123").write_text("Cz 0 0 1")
    (tmp_path / "empty.elc").write_text("")
    with pytest.raises(FileUnreadable, match="expected electrode locations"):
        montage.read_locations(tmp_path / name)
