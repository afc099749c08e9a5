"""How processes of ours end, and how they make room."""

import multiprocessing
import os
import sys
import threading
from multiprocessing.process import BaseProcess

_NICENESS = 10
_BELOW_NORMAL = 0x4000  # BELOW_NORMAL_PRIORITY_CLASS of Windows


def end(process: BaseProcess, within_s: float) -> None:
    """Wait until a process that was told to leave has left, kill it after `within_s`, and let go of it."""
    process.join(within_s)
    if process.is_alive():
        process.kill()
        process.join()
    process.close()


def leave_with_parent() -> None:
    """From now on this process ends, wherever it is, as soon as its parent is gone: nobody would take its answer."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def lower_priority() -> None:
    """Let everything else on this machine go first: it may be in a session."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.kernel32.SetPriorityClass(ctypes.windll.kernel32.GetCurrentProcess(), _BELOW_NORMAL)
    else:
        os.nice(_NICENESS)
