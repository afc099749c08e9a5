"""What can go wrong between a network and its numbers.

AfterimageError
├── InputError
│   └── NoRuntime       none of the allowed runtimes is there; the message says what to install
└── WorkError
    ├── Disagreement    two runtimes of one network give different numbers; the message has them
    ├── ExportFailed    a network that cannot be written as an ONNX graph
    ├── EngineFailed    TensorRT did not build, load or run an engine
    └── BadModel        a folder whose files are missing, altered or not ours
"""

from engines.errors import InputError, WorkError


class NoRuntime(InputError):
    """None of the allowed runtimes can run this model here."""


class Disagreement(WorkError):
    """A runtime gives other numbers than the reference, by more than was agreed on."""


class ExportFailed(WorkError):
    """The network could not be written as an ONNX graph."""


class EngineFailed(WorkError):
    """TensorRT refused to build, load or run."""


class BadModel(WorkError):
    """An exported model whose files do not fit together."""
