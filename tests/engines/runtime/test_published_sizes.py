"""The one export on the networks themselves, at their published sizes."""

import pytest
import torch

from engines.models.brainssd import BrainSsd
from engines.models.enigma import Enigma
from engines.models.neuro3d import Neuro3d
from engines.runtime.agreement import TOLERANCES, Agreement
from engines.runtime.check import check
from engines.runtime.export import export
from engines.runtime.half import add_half


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "ranges", "keep"),
    [
        (BrainSsd, {"n_dynamic": (0, 600)}, ["coupling"]),
        (Neuro3d, {}, []),
        (Enigma, {"subject": (0, 9)}, []),
    ],
)
def test_a_network_is_exported_halved_and_agrees_in_both_precisions(network, ranges, keep, tmp_path):
    torch.manual_seed(0)
    exported = add_half(export(network(), tmp_path / "model", ranges), keep)
    for precision, graph in exported.graphs.items():
        assert all(Agreement(**told).within(TOLERANCES[precision]) for told in graph.agreement)
    threads = torch.get_num_threads()
    found = [checked for checked in check(exported) if checked.runtime in ("onnx", "torch")]
    torch.set_num_threads(threads)
    assert [(checked.runtime, checked.precision, checked.refused) for checked in found] == [
        ("onnx", "float32", ""),
        ("onnx", "float16", ""),
        ("torch", "float32", ""),
    ]
    kept_exactly = [a for a in found[1].agreement if a.output in keep]
    assert all(a.max_abs == 0 for a in kept_exactly)
