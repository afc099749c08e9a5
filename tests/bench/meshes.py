"""From an embedding to a mesh with the pocket shape decoder, on the CPU: docs/reconstruction.md."""

import torch

from calibration.objects.embeddings import builtin_embeddings
from engines.generators.base import Seen
from engines.generators.shape import PocketShape
from tests.bench.measure import seconds_each, show
from tests.bench.rows import Row

BENCH = "meshes"
N_OBJECTS = 12
GOAL_MS = 300


def main() -> None:
    shape, known = PocketShape.load(), builtin_embeddings().raw
    shape.warm_up()
    some = [Seen(raw) for raw in known[:: len(known) // N_OBJECTS]]

    def meshes(threads: int) -> None:
        torch.set_num_threads(threads)
        for seen in some:
            shape.surface(seen)

    calls = {f"{threads} thread{'s'[: threads - 1]}": lambda threads=threads: meshes(threads) for threads in (1, 2)}
    for name, taken_s in seconds_each(calls).items():
        show(Row(BENCH, f"embedding to mesh, {name}", 1e3 * taken_s / len(some), "ms", goal=f"ours <= {GOAL_MS}"))


if __name__ == "__main__":
    main()
