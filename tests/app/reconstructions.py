"""Reconstructions as a script says them, none of them made by a generator."""

from collections.abc import Callable

import numpy as np

from app.panels.sight import Made, Sight
from pipeline.reconstruction import GeneratingState, GeneratingStatus, Mesh, Opened, Reconstruction, Wish
from pipeline.types import Decision

GENERATORS = (("picture", "pocket-sdxl"), ("mesh", "pocket-shape"), ("caption", "words"))
TETRAHEDRON = Mesh(
    np.array([[0, 0, 1], [0.9, 0, -0.4], [-0.5, 0.8, -0.4], [-0.5, -0.8, -0.4]], np.float32),
    np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]], np.int32),
    np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]], np.uint8),
)


def wish(trial: int = 0, stage: str = "static") -> Wish:
    return Wish(trial, stage, 100.0 + 8 * trial, np.zeros(4), 7, "chair", "red", ("chair/03",), certainty=0.25)


def reconstruction(trial: int = 0, stage: str = "static", **changes: object) -> Reconstruction:
    """All of it: a green picture, a tetrahedron, a sentence put together of words."""
    values: dict[str, object] = {
        "picture": np.full((64, 64, 3), (0, 160, 0), np.uint8),
        "mesh": TETRAHEDRON,
        "caption": "a red chair",
        "caption_route": "words",
        "generators": GENERATORS,
        "pocket": ("pocket-sdxl", "pocket-shape"),
        "ms": (("picture", 212.0), ("mesh", 85.0), ("caption", 0.2)),
        "complete": True,
    }
    return Reconstruction(wish(trial, stage), **{**values, **changes})  # type: ignore[arg-type]


def made(trial: int = 0, stage: str = "static", true_key: str = "chair/03", **changes: object) -> Made:
    return Made(reconstruction(trial, stage, **changes), true_key.partition("/")[0], true_key)


def status(state: str = "ready", **changes: object) -> GeneratingStatus:
    values: dict[str, object] = {"opened": Opened(GENERATORS, ("pocket-sdxl", "pocket-shape")), "made": 3, "put": 3}
    return GeneratingStatus(GeneratingState(state), **{**values, **changes})  # type: ignore[arg-type]


def sight(*of: Made, **changes: object) -> Sight:
    values: dict[str, object] = {"status": status(), "caution": "simulated · pocket model"}
    return Sight(of, **{**values, **changes})  # type: ignore[arg-type]


class FakeWorker:
    """Makes of every answer what `reconstruction` says, at once, in the thread that asks."""

    def __init__(self, on_made: Callable[[Reconstruction], None]) -> None:
        self.on_made = on_made
        self.decisions: list[Decision] = []
        self.closed = self.ended = False
        self.encoder, self.seed = "made up", 3
        self.status = status(made=0, put=0)

    def decided(self, decision: Decision) -> None:
        self.decisions.append(decision)
        self.on_made(reconstruction(decision.trial, decision.stage))

    def picture(self, decision: Decision, nth: int = 0) -> Reconstruction:
        """Noise told by the embedding and the seed, a third of it."""
        assert decision.embedding is not None
        rng = np.random.default_rng((int(np.abs(decision.embedding).sum() * 1000) % 2**32, nth))
        picture = np.where(rng.random((32, 32, 1)) < 1 / 3, 200, 60).astype(np.uint8).repeat(3, axis=2)
        return reconstruction(decision.trial, decision.stage, picture=picture, mesh=None)

    def no_more(self) -> None:
        self.ended = True

    def idle(self, timeout_s: float) -> bool:
        return True

    def close(self) -> None:
        self.closed = True
