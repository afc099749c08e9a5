"""What a report says of the reconstructions of a session, headless or in the window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.album import Album, SheetWanted
from calibration.report_figures import ReportFigures
from engines.errors import AfterimageError
from pipeline.reconstruction import GeneratingStatus, MeshCounts, Picture
from pipeline.session import Session

COUNTS = ("made", "dropped", "skipped", "failed", "restarts")
MESH_COUNTS = ("made", "dropped", "failed")

Draw = Callable[[SheetWanted], Picture | None]


@dataclass(frozen=True, eq=False)
class Account:
    """What is in `album`, and how it was made: for embeddings of `encoder`, from `seed`; `status` after the last of it.

    `stimuli` is the subject's set. `lost` says why some is not in the album.
    """

    album: Album
    status: GeneratingStatus
    encoder: str
    seed: int
    simulated: bool
    stimuli: str
    lost: tuple[str, ...] = ()

    @property
    def marks(self) -> tuple[str, ...]:
        """What the pictures are not."""
        pocket = self.status.opened.pocket
        return (
            *(["simulated participant"] if self.simulated else []),
            *([f"pocket generators: {', '.join(pocket)}"] if pocket else []),
        )

    def enter(self, report: dict[str, Any], shown: ReportFigures | None, session: Session, draw: Draw) -> ReportFigures:
        """Add the `reconstruction` entry and the warnings to `report`, and the sheet to what is shown with it."""
        fields = self._fields(session)
        report["reconstruction"] = fields
        report["warnings"] += self._warnings()
        picture = None
        try:
            picture = self._sheet(session, fields["trials"], draw)
        except (AfterimageError, OSError) as error:
            report["warnings"].append(f"no contact sheet of the reconstructions: {error}")
        return replace(shown or ReportFigures(), sheet=picture)

    def _fields(self, session: Session) -> dict[str, Any]:
        now, scorer = self.status, session.scorer
        return {
            "generators": dict(now.opened.generators),
            "pocket": list(now.opened.pocket),
            "passed_over": dict(now.opened.passed_over),
            "told": "; ".join(self.marks),
            "encoder": self.encoder,
            "seed": self.seed,
            **{name: getattr(now, name) for name in COUNTS},
            **({"meshes": {name: getattr(now.meshes, name) for name in MESH_COUNTS}} if now.opened.beside else {}),
            "ms": self.album.ledger.summary_ms(),
            "trials": self.album.rows(scorer.truth, scorer.labels),
        }

    def _sheet(self, session: Session, rows: Sequence[dict[str, Any]], draw: Draw) -> Picture | None:
        """Truth beside reconstruction, written into the report's folder; None where nothing was made."""
        title = f"{session.acquisition.info.name}: what was shown, and what was made of it"
        picture = draw(SheetWanted(self.album.out, rows, self.stimuli, title, self.marks)) if rows else None
        if picture is not None:
            self.album.save_sheet(picture)
        return picture

    def _warnings(self) -> list[str]:
        said = []
        if self.status.failed:
            said.append(f"{self.status.failed} answers could not be reconstructed; `reconstruction` says why")
        if self.status.meshes.failed:
            said.append(f"meshes that could not be made: {self.status.meshes.failed}; `reconstruction` says why")
        if self.status.reason:
            said.append(f"reconstruction: {self.status.reason.strip().splitlines()[-1]}")
        return [*said, *self.lost]


def together(statuses: Sequence[GeneratingStatus]) -> GeneratingStatus:
    """The last of them, with the counts of all: one after the other worked for the same session."""
    if not statuses:
        return GeneratingStatus()
    counted = ("put", "waiting", *COUNTS)
    reasons = [status.reason for status in statuses if status.reason]
    meshes = {name: sum(getattr(status.meshes, name) for status in statuses) for name in (*MESH_COUNTS, "waiting")}
    return replace(
        statuses[-1],
        meshes=MeshCounts(**meshes),
        reason=reasons[-1] if reasons else "",
        **{name: sum(getattr(status, name) for status in statuses) for name in counted},
    )
