"""TRELLIS: pictures to a mesh, by a worker process under an interpreter of its own.

TRELLIS (Xiang et al. 2024, arXiv:2412.01506) pins its own torch, spconv and more, so it never shares our environment:
`trellis_worker.py` runs by its path under the interpreter that the configuration names, and loads the pipeline once.
Asked is its published call, mesh format only, with the published steps and guidance.
"""

import io
import queue
import struct
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from engines.errors import InputError, WorkError
from engines.generators.base import NoSurface, Seen, Surface
from engines.generators.config import GeneratorsConfig
from engines.vision.base import Pictures
from engines.weights import part, require_here

WORKER = Path(__file__).with_name("trellis_worker.py")

_LENGTH = struct.Struct("<Q")
_LAST_WORDS = 2000
_NAME_IT = "install TRELLIS into an interpreter of its own and name that in [reconstruction] trellis_python"

Answer = dict[str, NDArray[np.generic]]


class Trellis:
    """TRELLIS behind its published call; its process starts with the first picture, or with `warm_up`.

    A worker that dies or takes too long is gone, the next call starts another one. `close` ends it, and so does our
    own end, however it comes.

    Thread: any, one at a time.
    """

    name = "trellis"
    pocket = False
    slow = True
    encoder = None

    def __init__(
        self,
        python: Path,
        weights: Path,
        *,
        steps: int = 12,
        guidance: tuple[float, float] = (7.5, 3.0),
        start_s: float = 600.0,
        answer_s: float = 300.0,
    ) -> None:
        self._python, self._weights = python, weights
        self._settings = {"steps": np.array(steps), "guidance": np.array(guidance)}
        self._start_s, self._answer_s = start_s, answer_s
        self._worker: _Worker | None = None

    @classmethod
    def find(cls, config: GeneratorsConfig) -> Self:
        """TRELLIS as configured, looked for and not yet loaded (some seconds: torch is asked for a GPU).

        Raises:
            InputError: no interpreter, package, weights or GPU, or what its pipeline would fetch by itself is not
                there; the message says what to do.
            WorkError: the interpreter itself does not work.
        """
        if config.trellis_python is None:
            raise InputError(f"TRELLIS has no interpreter; {_NAME_IT}")
        if not config.trellis_python.is_file():
            raise InputError(f"{config.trellis_python} is no interpreter; {_NAME_IT}")
        weights, _, _ = (require_here(part(name), config).place for name in ("trellis", "dinov2", "u2net"))
        with _Worker(config.trellis_python, weights, check=True) as worker:
            worker.expect_ready(60.0)
        return cls(config.trellis_python, weights)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def warm_up(self) -> None:
        """Start the worker and wait until the pipeline is loaded: minutes.

        Raises:
            InputError: what it needs is missing.
            WorkError: it did not start.
        """
        if self._worker is None:
            worker = _Worker(self._python, self._weights)
            try:
                worker.expect_ready(self._start_s)
            except (InputError, WorkError):
                worker.close()
                raise
            self._worker = worker

    def surface(self, seen: Seen) -> Surface:
        """The mesh of `seen.picture`, from `seen.seed`.

        Raises:
            InputError: there is no picture, or what TRELLIS needs is missing.
            NoSurface: it answered none.
            WorkError: it failed, died, or took too long.
        """
        if seen.picture is None:
            raise InputError(f"{self.name} takes a reconstructed picture, and there is none; allow a picture generator")
        return self.surface_of(seen.picture[None], seen.seed)

    def surface_of(self, pictures: Pictures, seed: int = 0) -> Surface:
        """The mesh of one thing from one picture (n, height, width, 3) of it, or of several views.

        For whoever has several views: of an answer one picture is reconstructed, and that of another answer is another
        guess at the object, no other view of it.

        Raises:
            InputError: no pictures, or what TRELLIS needs is missing.
            NoSurface: it answered none.
            WorkError: it failed, died, or took too long.
        """
        if pictures.ndim != 4 or pictures.shape[-1] != 3 or pictures.dtype != np.uint8 or len(pictures) == 0:
            raise InputError(f"expected pictures (n, height, width, 3) uint8, got {pictures.dtype} {pictures.shape}")
        self.warm_up()
        assert self._worker is not None
        try:
            answer = self._worker.ask({"pictures": pictures, "seed": np.array(seed), **self._settings}, self._answer_s)
        except WorkError:
            self.close()
            raise
        if "failed" in answer:
            raise WorkError(f"TRELLIS failed: {answer['failed']}")
        if "nothing" in answer:
            raise NoSurface(str(answer["nothing"]))
        return _placed(answer)

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None


class _Worker:
    """One process, and the thread that reads from it."""

    def __init__(self, python: Path, weights: Path, check: bool = False) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - closed in `close`
        self._process = subprocess.Popen(
            [python, WORKER, weights, *(["--check"] if check else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
        )  # fmt: skip
        self._answers: queue.Queue[Answer | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, name="trellis answers", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def expect_ready(self, within_s: float) -> None:
        """Wait until it says so.

        Raises:
            InputError: it says what is missing.
            WorkError: it died or took too long.
        """
        answer = self._next(within_s, "start")
        if "refused" in answer:
            raise InputError(str(answer["refused"]))

    def ask(self, request: dict[str, NDArray[np.generic]], within_s: float) -> Answer:
        """One request, one answer.

        Raises:
            WorkError: it died or took too long.
        """
        buffer = io.BytesIO()
        np.savez(buffer, **request)  # type: ignore[arg-type]
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(_LENGTH.pack(buffer.tell()) + buffer.getvalue())
            self._process.stdin.flush()
        except OSError as error:
            raise self._died() from error
        return self._next(within_s, "answer")

    def close(self) -> None:
        """End the process, whatever it does, and let go of all that belonged to it."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:  # what it no longer took
                continue

    def _next(self, within_s: float, what: str) -> Answer:
        try:
            answer = self._answers.get(timeout=within_s)
        except queue.Empty:
            raise WorkError(
                f"TRELLIS did not {what} within {within_s:g} s and was ended; is the GPU busy? {self._last_words()}"
            ) from None
        if answer is None:
            raise self._died()
        return answer

    def _died(self) -> WorkError:
        status = self._process.wait()
        return WorkError(f"TRELLIS' process ended with status {status}; it is started anew. {self._last_words()}")

    def _last_words(self) -> str:
        end = self._errors.seek(0, io.SEEK_END)
        self._errors.seek(max(0, end - _LAST_WORDS))
        said = self._errors.read().decode(errors="replace").strip()
        return f"Its last words: {said}" if said else "It said nothing."

    def _read(self) -> None:
        """Pass on every whole answer, then None."""
        pipe = self._process.stdout
        assert pipe is not None
        while len(head := pipe.read(_LENGTH.size)) == _LENGTH.size:
            size = _LENGTH.unpack(head)[0]
            body = pipe.read(size)
            if len(body) < size:
                break
            with np.load(io.BytesIO(body), allow_pickle=False) as values:
                self._answers.put(dict(values))
        self._answers.put(None)


def _placed(answer: Answer) -> Surface:
    """Centred, the farthest vertex at distance 1; TRELLIS' own frame is z up with the front towards -y, as ours."""
    vertices = np.asarray(answer["vertices"], dtype=np.float32)
    faces = np.asarray(answer["faces"], dtype=np.int32)
    if len(faces) == 0 or not np.isfinite(vertices).all():
        raise WorkError(f"TRELLIS answered {len(faces)} faces of {len(vertices)} vertices; expected a surface")
    centred = vertices - (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    placed = centred / np.linalg.norm(centred, axis=1).max()
    colours = np.round(255 * np.clip(np.asarray(answer["colours"], dtype=np.float32), 0, 1))
    return Surface(placed, faces, colours.astype(np.uint8))
