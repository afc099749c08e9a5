"""How a process of ours ends."""

from multiprocessing.process import BaseProcess


def end(process: BaseProcess, within_s: float) -> None:
    """Wait until a process that was told to leave has left, kill it after `within_s`, and let go of it."""
    process.join(within_s)
    if process.is_alive():
        process.kill()
        process.join()
    process.close()
