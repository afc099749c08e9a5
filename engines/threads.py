"""How many cores the numbers of this process may use."""

import threadpoolctl
import torch


def bound_threads(n: int) -> None:
    """Let torch, and the linear algebra that is loaded by now, use `n` threads. Thread: the process's first."""
    torch.set_num_threads(n)
    threadpoolctl.threadpool_limits(n)
