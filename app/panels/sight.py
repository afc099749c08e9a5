"""What the panels of reconstructions are shown at every tick: frozen values, no Qt, no process."""

from dataclasses import dataclass

from pipeline.reconstruction import GeneratingState, GeneratingStatus, Reconstruction

# How the process is called that is being started again.
RESTARTING = "restarting"


@dataclass(frozen=True, eq=False)
class Made:
    """A reconstruction beside what was true: the category and the picture's key, "" where nobody knows."""

    reconstruction: Reconstruction
    true: str = ""
    true_key: str = ""

    @property
    def trial(self) -> int:
        """The trial that it is from."""
        return self.reconstruction.wish.trial

    def replaces(self, shown: "Made | None", part: str) -> bool:
        """Whether its `part` (a field of a reconstruction) is to be shown now.

        What is still being made leaves the part of an earlier answer of its trial where it is.
        """
        if shown is None or shown.trial != self.trial or self.reconstruction.complete:
            return True
        value = getattr(self.reconstruction, part)
        return value is not None and not (isinstance(value, str) and not value)


@dataclass(frozen=True, eq=False)
class Sight:
    """The reconstructions as of now.

    `made` is the newest of each of the last trials, oldest first; `status` None where nothing is reconstructed, and
    then `why_not` says why; `caution` what to say wherever one is shown: "simulated", "pocket model", both or "".
    `whole` is the newest trial whose turn was answered to its end and is still known.
    """

    made: tuple[Made, ...] = ()
    status: GeneratingStatus | None = None
    why_not: str = ""
    caution: str = ""
    whole: int | None = None

    @property
    def newest(self) -> Made | None:
        """The last one that came."""
        return self.made[-1] if self.made else None

    @property
    def stands(self) -> str:
        """How the process stands: a state's word, `RESTARTING`, or "" where there is none."""
        if self.status is None:
            return ""
        again = self.status.state is GeneratingState.STARTING and self.status.restarts > 0
        return RESTARTING if again else self.status.state.value


def counted(status: GeneratingStatus) -> str:
    """What became of the wishes; what never happened is left out, except how many were made."""
    others = ("dropped", "skipped", "failed", "restarts")
    told = [f"{status.made} made", *(f"{n} {what}" for what in others if (n := getattr(status, what)))]
    if status.opened.beside:
        meshes = status.meshes
        told += [
            f"{meshes.made} meshes",
            *(f"{n} of them {what}" for what in ("dropped", "failed") if (n := getattr(meshes, what))),
        ]
    return " · ".join(told)


def made_by(made: Reconstruction, kind: str) -> str:
    """Which generator made the "picture", "mesh" or "caption", whether it is a pocket model, and how long it took."""
    name, took = dict(made.generators).get(kind, ""), dict(made.ms)
    pocket = " (pocket model)" if name in made.pocket and "pocket" not in name else ""
    return f"{name}{pocket}" + (f" {took[kind]:.0f} ms" if kind in took else "")
