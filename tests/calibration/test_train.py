import numpy as np
import pytest

from calibration.datasets.eeg3d_trials import NAMES_FILE
from calibration.decoding.models import load_model, read_about
from calibration.decoding.read import from_eeg3d
from calibration.sets.errors import SetUnusable
from calibration.train import Order
from engines.errors import InputError
from tests.calibration.decoding.folders import small_folder

STATIC = "brainssd/static only"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two participants of three categories. The second's trials of objects 08 and 09 are no numbers."""
    folder = small_folder(tmp_path_factory.mktemp("data") / "eeg3d", repeats=1)
    place = folder / "EEGdata" / "sub02"
    tested = [str(name)[-2:] >= "08" for name in np.load(place / NAMES_FILE)]
    for path in place.glob("process_data_*.npy"):
        trials = np.load(path)
        trials[tested] = np.nan
        np.save(path, trials)
    return folder


def order(data, out, system=STATIC, **more):
    return Order(data, "sub02", system, out, **({"epochs": 1} | more))


def test_a_system_is_trained_without_reading_the_test_objects(data, tmp_path):
    with pytest.raises(SetUnusable):
        from_eeg3d(data, "sub02")
    told = []
    fields = order(data, tmp_path)(told.append)
    assert fields["training"]["objects"] == [0, 1, 2, 3, 4, 5, 6] and fields["selection"]["objects"] == [7]
    assert fields["resumed_after_epoch"] is None and [step.epoch for step in told] == [1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "model.safetensors"]
    about = read_about(tmp_path)
    assert (about.system, about.participant, about.data) == (STATIC, "sub02", "EEG-3D layout, a test, SNR 7")
    assert about.simulated and about.budget["epochs"] == 1 and about.loss["categories"] == 3
    selection = from_eeg3d(data, "sub02", objects=[7])
    assert load_model(tmp_path).predict(selection).category.shape == (3, 3)


class Interrupted(Exception):
    pass


def test_the_same_order_goes_on_where_it_was_interrupted(data, tmp_path):
    def progress(step):
        raise Interrupted

    with pytest.raises(Interrupted):
        order(data, tmp_path, epochs=2)(progress)
    assert order(data, tmp_path).checkpoint.is_file()
    with pytest.raises(InputError, match="another budget"):
        order(data, tmp_path, epochs=3)()
    fields = order(data, tmp_path, epochs=2)()
    assert fields["resumed_after_epoch"] == 1 and len(fields["history"]) == 2
    assert not order(data, tmp_path).checkpoint.exists()
    with pytest.raises(InputError, match="holds a trained model already"):
        order(data, tmp_path)()


def test_the_floor_is_trained_in_one_step_and_has_no_epochs(data, tmp_path):
    with pytest.raises(InputError, match="leave out --epochs"):
        order(data, tmp_path, "ridge").check()
    fields = order(data, tmp_path, "ridge", epochs=None)()
    assert fields["n_parameters"] > 0 and fields["budget"] == {} and fields["device"] == "CPU"
    assert fields["work"]["multiply_adds"] == fields["work"]["parameters"]["weight"]
    assert "counted by hand" in dict(fields["tables"][0]["rows"])["FLOPs of one trial"]


def test_another_learning_rate_is_used_and_kept(data, tmp_path):
    usual, other = (order(data, tmp_path / str(rate), learning_rate=rate) for rate in (None, 1e-4))
    told = [one() for one in (usual, other)]
    assert [one["budget"]["learning_rate"] for one in told] == [3e-3, 1e-4]
    assert read_about(tmp_path / "0.0001").budget["learning_rate"] == 1e-4
    assert told[0]["weights"] != told[1]["weights"]
    assert "learning rate 0.0001" in dict(told[1]["tables"][0]["rows"])["budget"]


def test_a_report_says_what_the_score_is_worth(data, tmp_path):
    fields = order(data, tmp_path)()
    assert fields["score_chance"] == pytest.approx(11 / 18)
    assert "no measure of accuracy" in fields["verdict"]["text"]
    rows = dict(fields["tables"][0]["rows"])
    assert fields["work"]["flops"] == 2 * fields["work"]["multiply_adds"]
    assert f"{fields['work']['tokens']}" == rows["tokens of the first level"]
    assert rows["may run live"] == "yes"
    assert "counted by torch's counter" in rows["FLOPs of one trial"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"system": "oracle"}, "expected a system to train"),
        ({"participant": ""}, "one of sub01, sub02"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_read(change, said, data, tmp_path):
    call = {"data": data, "participant": "sub02", "system": STATIC, "out": tmp_path} | change
    with pytest.raises(InputError, match=said):
        Order(**call).check()


def test_data_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(SetUnusable):
        order(tmp_path / "nowhere", tmp_path).check()
