"""A pass through a UNet recorded once on a GPU and played back: thousands of small kernels launched as one.

One recording a batch size; the first pass of a size records. What it reads and writes are buffers of its own, into
which what comes is copied, and the weights at the very places where they were; whoever moves weights calls `forget`.
What is recorded may neither take anything from the processor nor tell it anything.

It was written to torch's documentation of CUDA graphs and has never run.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

_N_WARM_UPS = 3  # libraries choose their kernels in the first passes, which must not be recorded


@dataclass(frozen=True, eq=False)
class Recording:
    """The graph, and its own buffers."""

    graph: torch.cuda.CUDAGraph
    latents: Tensor
    time: Tensor
    embeddings: Tensor
    predicted: Tensor


class GraphedUnet:
    """Plays back `predicted(latents, time, embeddings)`; all must be on the GPU. Thread: one only."""

    def __init__(self, predicted: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        self._predicted = predicted
        self._recordings: dict[int, Recording] = {}

    def __call__(self, latents: Tensor, time: Tensor, embeddings: Tensor) -> Tensor:
        """One pass; the answer is copied out of the buffer, which the next pass overwrites."""
        if len(latents) not in self._recordings:
            self._recordings[len(latents)] = self._recorded(latents.clone(), time.clone(), embeddings.clone())
        recording = self._recordings[len(latents)]
        recording.latents.copy_(latents)
        recording.time.copy_(time)
        recording.embeddings.copy_(embeddings)
        recording.graph.replay()
        return recording.predicted.clone()

    def forget(self) -> None:
        """Drop all recordings and their memory: weights are elsewhere, and the next pass records anew."""
        self._recordings.clear()

    def _recorded(self, latents: Tensor, time: Tensor, embeddings: Tensor) -> Recording:
        beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(_N_WARM_UPS):
                self._predicted(latents, time, embeddings)
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            predicted = self._predicted(latents, time, embeddings)
        return Recording(graph, latents, time, embeddings, predicted)
