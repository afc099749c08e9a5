"""The network itself beside its graph, so that torch runs an exported folder too: as the peer that other runtimes are
compared with, and where no ONNX Runtime is.

Only networks of ours are rebuilt. A folder names a class of `NETWORKS`, never a module to import, and what was learned
lies in safetensors: nothing in a folder is run. Thread: any; imports torch.
"""

from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save

from engines.errors import InputError
from engines.models.base import Network
from engines.runtime.errors import BadModel
from engines.runtime.files import sha256
from engines.runtime.folder import NETWORK, Exported, Source

# Class: its module, and the frozen dataclass it is built from, whose fields are plain values.
NETWORKS = {
    "BrainSsd": ("engines.models.brainssd", "BrainSsdConfig"),
    "Enigma": ("engines.models.enigma", "EnigmaConfig"),
    "Neuro3d": ("engines.models.neuro3d", "Neuro3dConfig"),
}


def write_network(network: Network, folder: Path) -> Source | None:
    """Write what it learned into `folder`; None, and nothing written, where it is none of ours."""
    module, _ = NETWORKS.get(type(network).__name__, (None, None))
    if type(network).__module__ != module:
        return None
    path = folder / NETWORK
    path.write_bytes(save({name: value.contiguous() for name, value in network.state_dict().items()}))
    return Source(asdict(network.config), sha256(path))


def network_of(exported: Exported) -> Network:
    """The network of a folder, on the CPU.

    Raises:
        InputError: the folder holds the graph alone.
        BadModel: its parts do not fit together, or were altered.
    """
    if exported.source is None or exported.network not in NETWORKS:
        raise InputError(
            f"expected a network for torch in {exported.folder}; it holds the graph alone; export it again"
        )
    content = exported.network_bytes(exported.source)
    name, of_config = NETWORKS[exported.network]
    module = import_module(name)
    try:
        network: Network = getattr(module, exported.network)(getattr(module, of_config)(**exported.source.config))
        network.load_state_dict(load(content))
    except (InputError, TypeError, RuntimeError, SafetensorError) as error:  # torch's of names and shapes is the third
        raise BadModel(
            f"{exported.folder / NETWORK} is not of the network that its specification tells of ({error}); "
            "export the network again"
        ) from error
    return network
