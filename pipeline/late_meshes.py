"""Whose mesh is made beside the pictures, and when."""

from dataclasses import replace

from pipeline.reconstruction import MeshCounts, Reconstruction, Shaped


class LateMeshes:
    """Of each trial its last answer, one at a time, the newest first; one that waits gives way to a newer trial's.

    Thread: one at a time, under the lock of its owner.
    """

    def __init__(self) -> None:
        self._newest: Reconstruction | None = None  # the last one made; its trial may go on
        self._due: Reconstruction | None = None
        self._asked: Reconstruction | None = None  # of the process
        self._no_more = False
        self._counts = MeshCounts()

    @property
    def counts(self) -> MeshCounts:
        """What became of them."""
        return replace(self._counts, waiting=sum(made is not None for made in (self._due, self._asked)))

    @property
    def busy(self) -> bool:
        """Whether one waits or is being made."""
        return self.counts.waiting > 0

    @property
    def ready(self) -> bool:
        """Whether one is to be asked for now."""
        return self._due is not None and self._asked is None

    def made(self, made: Reconstruction) -> None:
        """An answer whose mesh is to come, if it stays its trial's last."""
        self._newest = made
        if self._no_more:
            self._end()

    def turned_to(self, trial: int) -> None:
        """Wishes are of this trial now: what was made last of another was its last."""
        if self._newest is not None and self._newest.wish.trial != trial:
            self._end()

    def ended(self, trial: int) -> None:
        """No other answer of this trial comes: what was made last of it stays."""
        if self._newest is not None and self._newest.wish.trial == trial:
            self._end()

    def no_more(self) -> None:
        """No other answer comes at all."""
        self._no_more = True
        self._end()

    def ask(self) -> Reconstruction:
        """The one to ask for now, which is `ready`."""
        assert self._due is not None and self._asked is None
        self._asked, self._due = self._due, None
        return self._asked

    @property
    def asked(self) -> Reconstruction | None:
        """The answer whose mesh is being made."""
        return self._asked

    def came(self, shaped: Shaped) -> None:
        """What was asked for has come, and everybody has heard of it."""
        self._asked = None
        self._count("made" if shaped.mesh is not None else "failed")

    def let_go(self, counts_as: str) -> None:
        """Nobody will come to those that wait or are being made."""
        for _ in range(self.counts.waiting):
            self._count(counts_as)
        self._newest = self._due = self._asked = None

    def _end(self) -> None:
        """The one made last was its trial's last."""
        if self._newest is None:
            return
        if self._due is not None:
            self._count("dropped")
        self._due, self._newest = self._newest, None

    def _count(self, name: str) -> None:
        self._counts = replace(self._counts, **{name: getattr(self._counts, name) + 1})
