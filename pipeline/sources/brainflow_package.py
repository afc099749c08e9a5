"""BrainFlow without the warning of `pkg_resources`, which it imports at first use and users cannot do without."""

import warnings

from brainflow.board_shim import BoardIds, BoardShim, BrainFlowError, BrainFlowInputParams
from brainflow.exit_codes import BrainFlowExitCodes

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pkg_resources  # noqa: F401 - a module warns once, when it is first imported

__all__ = ["BoardIds", "BoardShim", "BrainFlowError", "BrainFlowExitCodes", "BrainFlowInputParams"]
