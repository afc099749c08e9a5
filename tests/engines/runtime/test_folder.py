import json

import pytest

from engines.errors import InputError
from engines.runtime.errors import BadModel
from engines.runtime.folder import Exported
from tests.engines.runtime.small import RANGES, Small


def altered(copied, **fields):
    path = copied.folder / "spec.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_what_is_read_is_what_was_exported(exported):
    read = Exported.read(exported.folder)
    assert read == exported
    assert (read.spec, dict(read.ranges), read.network) == (Small().spec(), RANGES, "Small")
    assert read.about == {"trained on": "nothing"}


def test_a_folder_without_a_specification_is_no_exported_network(tmp_path):
    with pytest.raises(InputError, match="export one into it first"):
        Exported.read(tmp_path)


@pytest.mark.parametrize(
    "fields",
    [
        {"format": 2},
        {"inputs": "many"},
        {"ranges": {}},
        {"graphs": {"float64": {}}},
        {"reference": {}},
        {"opset": None},
    ],
)
def test_a_damaged_specification_is_told_as_such(copied, fields):
    altered(copied, **fields)
    with pytest.raises(BadModel, match="export the network again"):
        Exported.read(copied.folder)


def test_half_a_specification_is_told_as_such(copied):
    path = copied.folder / "spec.json"
    path.write_text(path.read_text()[:200])
    with pytest.raises(BadModel, match="damaged"):
        Exported.read(copied.folder)


def test_a_graph_whose_bytes_changed_is_refused(copied):
    path = copied.folder / "model.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadModel, match=r"model\.onnx was altered"):
        copied.graph_path("float32")


@pytest.mark.parametrize("name", ["model.onnx", "reference.safetensors"])
def test_a_missing_file_is_named(copied, name):
    (copied.folder / name).unlink()
    with pytest.raises(BadModel, match=name):
        copied.graph_path("float32") if name == "model.onnx" else copied.reference_outputs()


def test_a_precision_that_was_not_made_says_how_to_make_it(copied):
    with pytest.raises(InputError, match=r"engines build .* --half"):
        copied.graph_path("float16")
