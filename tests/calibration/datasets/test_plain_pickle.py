import collections
import os
import pickle
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.datasets.plain_pickle import read_plain_pickle
from calibration.sets.errors import SetUnusable

RELEASE = {
    "preprocessed_eeg_data": np.arange(24.0).reshape(2, 3, 4),
    "ch_names": ["Fp1", "Fp2"],
    "times": np.linspace(-0.2, 1.0, 7),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_containers_are_read_from_every_protocol(tmp_path, protocol):
    path = tmp_path / "eeg.npy"
    path.write_bytes(pickle.dumps(RELEASE, protocol=protocol))
    read = read_plain_pickle(path)
    assert read["ch_names"] == RELEASE["ch_names"]
    for key in ("preprocessed_eeg_data", "times"):
        np.testing.assert_array_equal(read[key], RELEASE[key])


def test_a_dictionary_inside_a_saved_array_is_read(tmp_path):
    np.save(tmp_path / "eeg.npy", RELEASE)
    np.testing.assert_array_equal(read_plain_pickle(tmp_path / "eeg.npy")["times"], RELEASE["times"])


def test_the_names_that_numpy_1_wrote_are_known(tmp_path):
    old = pickle.dumps(RELEASE, protocol=2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert b"numpy.core.multiarray" in old
    (tmp_path / "eeg.npy").write_bytes(old)
    np.testing.assert_array_equal(read_plain_pickle(tmp_path / "eeg.npy")["times"], RELEASE["times"])


class Attack:
    def __init__(self, call, *arguments):
        self.made_by = (call, arguments)

    def __reduce__(self):
        return self.made_by


def attacks(mark):
    return {
        "system": Attack(os.system, f"touch {mark}"),
        "remove": Attack(shutil.rmtree, str(mark.parent)),
        "popen": Attack(subprocess.Popen, ["touch", str(mark)]),
        "eval": Attack(eval, f"open({str(mark)!r}, 'w')"),
        "getattr": Attack(getattr, "text", "format"),
        "numpy load": Attack(np.load, str(mark)),
        "fromfile": Attack(np.fromfile, str(mark)),
        "memmap": Attack(np.memmap, str(mark), "u1", "w+", 0, (1,)),
        "import": Attack(__import__, "antigravity"),
        "open": Attack(open, str(mark), "w"),
        "container": Attack(collections.OrderedDict),
    }


@pytest.mark.parametrize("kind", list(attacks(Path("x"))))
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_pickle_that_asks_for_anything_else_runs_nothing(tmp_path, kind, wrapped):
    mark = tmp_path / "inner" / "ran"
    mark.parent.mkdir()
    bad = {"preprocessed_eeg_data": RELEASE["times"], "ch_names": attacks(mark)[kind]}
    path = tmp_path / "eeg.npy"
    np.save(path, bad) if wrapped else path.write_bytes(pickle.dumps(bad))
    with pytest.raises(SetUnusable, match="asks for"):
        read_plain_pickle(path)
    assert mark.parent.is_dir()
    assert not mark.exists()


def test_a_dotted_way_to_a_harmful_name_is_refused(tmp_path):
    """Protocol 4 looks up dotted names: numpy.dtype is allowed, numpy.ndarray.tofile and numpy.lib.x are not."""
    for name in ("ndarray.tofile", "os.system", "lib.npyio.load"):
        path = tmp_path / "eeg.npy"
        path.write_bytes(b"\x80\x04\x8c\x05numpy\x8c" + bytes([len(name)]) + name.encode() + b"\x93.")
        with pytest.raises(SetUnusable, match="asks for"):
            read_plain_pickle(path)


def test_an_extension_code_and_a_persistent_id_are_refused(tmp_path):
    for content in (b"\x80\x02\x82\x01.", b"\x80\x02U\x01xQ.", b"Pname\n."):
        (tmp_path / "eeg.npy").write_bytes(content)
        with pytest.raises(SetUnusable):
            read_plain_pickle(tmp_path / "eeg.npy")


@given(st.binary(max_size=80))
def test_damage_is_told_and_nothing_else_happens(tmp_path_factory, noise):
    path = tmp_path_factory.getbasetemp() / "eeg.npy"
    whole = pickle.dumps({"a": np.arange(3)}, protocol=4)
    path.write_bytes(whole[: len(whole) - 1 - len(noise)] + noise)
    try:
        read_plain_pickle(path)
    except SetUnusable as error:
        assert "eeg.npy" in str(error)


def test_a_plain_array_is_no_dictionary(tmp_path):
    np.save(tmp_path / "eeg.npy", np.arange(3))
    with pytest.raises(SetUnusable, match="expected a dictionary"):
        read_plain_pickle(tmp_path / "eeg.npy")
