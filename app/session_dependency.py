"""`replay --reconstruct --dependency`: which stream each trial's reconstruction hangs on, over a whole recording.

OUT/dependency/trial-0012.png      what was made of it, its map, the spread over seeds, the map with another trial's EEG
OUT/dependency/maps.npz            `trial` (n,); `index`, `spread`, `control` (n, height, width); `mean`, `mean_control`
OUT/dependency.png                 the mean over trials, and trials evenly from the first to the last

As live for the last trial (`app.apart`), but when everything is known: in the place of a picture's stream stand those
of trials drawn from the whole session, without a look at what they showed, and the control is the trial before, of the
first the last. What no map can be made of is counted and told.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from app.apart import LEAST_OTHERS, N_OTHERS, Asked, Maker, Memory, Remembering, Whole, question
from app.config import Config
from app.mapping import Apart, Comparing, Mapped
from app.reconstructing import with_embeddings
from calibration.contact_sheet import Tile, sheet
from calibration.decoding.scores import mean_interval
from calibration.decoding.steps import Told
from calibration.decoding.subject import AnytimeSubject
from calibration.dominance import CAVEATS, KEY, tinted
from calibration.open_set import open_set
from calibration.report_figures import ReportFigures
from calibration.stimuli import evenly
from calibration.subjects import AnySubject
from engines.errors import AfterimageError, InputError
from engines.generators.config import GeneratorsConfig
from pipeline.reconstruction import Picture
from pipeline.types import Array, Decision

FOLDER, SHEET, MAPS = "dependency", "dependency.png", "maps.npz"
MOST, TILE_PX = 10, 112
OWN, CONTROL = "own EEG", "another trial's EEG"
MEASURES = {
    "picture": "unlike the whole answer: picture alone",
    "turn": "unlike the whole answer: turn alone",
    "index": "index",
}


@dataclass(eq=False)
class SessionDependency:
    """The maps of every trial of a recording that `subject` decodes; `config` says where networks are looked for.

    Thread: `decided` from the session's; everything else from one, `make` when the session has ended.
    """

    subject: AnytimeSubject
    config: GeneratorsConfig
    seed: int = 0
    maps: list[Mapped] = field(default_factory=list)
    keys: Mapping[int, str] = field(default_factory=dict)
    left_out: int = 0

    def __post_init__(self) -> None:
        """Nothing is remembered yet."""
        self._memory = Memory(None)
        self._whole: dict[int, tuple[Decision, Whole]] = {}
        self._shown = cache(self._find_shown)

    @property
    def remembering(self) -> AnytimeSubject:
        """The subject, whose decoder remembers what it was given."""
        return replace(self.subject, decoder=Remembering(**vars(self.subject.decoder), memory=self._memory))

    def decided(self, decision: Decision) -> None:
        """An answer of the session. Never waits."""
        whole = self._memory.of(decision)
        if whole is not None:
            self._whole[decision.trial] = decision, whole

    def make(
        self,
        maker: Maker,
        labels: Mapping[int, str],
        progress: Told = lambda share, what: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Make the maps; `labels` are markers of what was shown, by trial, where they are known. Minutes."""
        self.keys = {trial: _key(label) for trial, label in labels.items()}
        trials, comparing = self._asked(maker), Comparing(self.config)
        try:
            for number, asked in enumerate(trials):
                if stopped():
                    self.left_out = len(trials) - number
                    break
                progress(number / len(trials), f"{number} of {len(trials)} trials")
                self.maps.append(_mapped(comparing, asked))
        finally:
            comparing.close()

    def enter(self, report: dict[str, Any], shown: ReportFigures | None, out: Path) -> ReportFigures:
        """Write what was made into `out`; add `dependency`, a table and warnings to `report`, and the sheet to `shown`.

        Raises:
            OSError: it cannot be written.
        """
        made = [one for one in self.maps if not one.error]
        report["dependency"] = self._fields(made)
        report["warnings"] += self._warnings(made)
        shown = shown or ReportFigures()
        if not made:
            return shown
        report["tables"] = [*report.get("tables", []), *_tables(made, self.marks(made))]
        self._write(made, out / FOLDER)
        drawn = self._sheet(made)
        Image.fromarray(drawn).save(out / SHEET, optimize=True)
        return replace(shown, sheets=(*shown.sheets, ("dependency over the session", drawn)))

    def marks(self, made: Sequence[Mapped]) -> tuple[str, ...]:
        """What the maps are not."""
        simulated = ("simulated participant",) if self.subject.simulated else ()
        return (*simulated, *(("pocket model",) if any("pocket model" in note for note in made[0].notes) else ()))

    def _asked(self, maker: Maker) -> list[Asked]:
        """Every trial whose turn was whole, with windows of others, and those of the one before."""
        rng = np.random.default_rng([self.seed, 8])
        trials = sorted(self._whole)
        found = []
        for place, trial in enumerate(trials):
            decision, whole = self._whole[trial]
            others = [one for one in trials if one != trial]
            drawn = rng.permutation(len(others))[:N_OTHERS]
            statics = tuple(self._whole[others[at]][1].static_uv for at in drawn)
            control = self._whole[trials[place - 1]][1]
            before = (control.static_uv, control.dynamic_uv) if others else None
            whole = replace(whole, others=statics, before=before)
            key = self.keys.get(trial, "")
            found.append(Asked(decision, whole, maker, lambda: self.subject, self.subject.manifest.stimuli, key))
        return found

    def _fields(self, made: Sequence[Mapped]) -> dict[str, Any]:
        return {
            "n": len(made),
            "not_mapped": {one.trial: one.error for one in self.maps if one.error},
            "over_trials": _over_trials(made),
            "files": {"sheet": SHEET, "maps": f"{FOLDER}/{MAPS}"} if made else {},
            "notes": _notes(made),
            "caveats": list(CAVEATS),
            "trials": [self._row(one) for one in made],
        }

    def _row(self, one: Mapped) -> dict[str, Any]:
        return {
            "trial": one.trial,
            "shown": self.keys.get(one.trial, ""),
            "file": f"{FOLDER}/{_stem(one)}.png",
            OWN: None if one.apart is None else vars(one.apart),
            CONTROL: None if one.control_apart is None else vars(one.control_apart),
            "parts": [vars(part) for part in one.parts],
        }

    def _warnings(self, made: Sequence[Mapped]) -> list[str]:
        said = []
        if len(self._whole) <= LEAST_OTHERS:
            said.append(
                f"dependency maps need {LEAST_OTHERS + 1} trials whose turn was whole, and there are {len(self._whole)}"
            )
        elif failed := len(self.maps) - len(made):
            why = next(one.error for one in self.maps if one.error)
            said.append(f"{failed} of {len(self.maps)} trials have no dependency map: {why}")
        if self.left_out:
            said.append(f"{self.left_out} trials have no dependency map: it was interrupted")
        return said

    def _write(self, made: Sequence[Mapped], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            folder / MAPS,
            trial=np.array([one.trial for one in made]),
            index=_stacked([one.index for one in made]),
            spread=_stacked([one.spread for one in made]),
            control=_stacked([one.control for one in made]),
            mean=_mean([one.index for one in made]).astype(np.float32),
            mean_control=_mean([one.control for one in made]).astype(np.float32),
        )
        for one in made:
            title = f"Dependency, trial {one.trial}"
            page = sheet([self._tiles(one)], _HEADS, title, self.marks(made), (KEY, *one.notes, *CAVEATS))
            Image.fromarray(page).save(folder / f"{_stem(one)}.png", optimize=True)

    def _sheet(self, made: Sequence[Mapped]) -> Picture:
        rows = [self._mean_tiles(made), *(self._tiles(made[at]) for at in evenly(len(made), MOST))]
        title = f"Dependency over a session of {len(made)} trials"
        return sheet(rows, _HEADS, title, self.marks(made), (KEY, *_notes(made), *CAVEATS), tile_px=TILE_PX)

    def _mean_tiles(self, made: Sequence[Mapped]) -> tuple[Tile, ...]:
        pictures = np.stack([one.picture for one in made if one.picture is not None])
        under: Picture = np.asarray(pictures.mean(axis=0).round(), dtype=np.uint8)
        index, spread, control = (
            _mean([getattr(one, name) for one in made]) for name in ("index", "spread", "control")
        )
        return (
            Tile(np.full_like(under, 255), "mean over trials"),
            Tile(under),
            Tile(tinted(index, under)),
            Tile(_grey(spread), f"± {spread.mean():.2f}"),
            Tile(tinted(control, under)),
        )

    def _tiles(self, one: Mapped) -> tuple[Tile, ...]:
        assert one.picture is not None and one.index is not None and one.spread is not None
        best = sorted(one.parts, key=lambda part: -abs(part.index))[:2]
        parts = ", ".join(f"{part.name} {part.index:+.2f}" for part in best)
        control = None if one.control is None else tinted(one.control, one.picture)
        return (
            Tile(self._shown().get(self.keys.get(one.trial, "")), f"trial {one.trial} {self.keys.get(one.trial, '')}"),
            Tile(one.picture),
            Tile(tinted(one.index, one.picture), parts),
            Tile(_grey(one.spread), f"± {one.spread.mean():.2f}"),
            Tile(control),
        )

    def _find_shown(self) -> Mapping[str, Picture]:
        """Pictures of what was shown, by key; none where the set is not here."""
        keys = set(self.keys.values())
        try:
            stimuli = open_set(self.subject.manifest.stimuli)
            return {item.key: stimuli.picture(item) for item in stimuli.items if item.key in keys}
        except AfterimageError:  # the tiles stay empty
            return {}


def asked_for(reconstruct: bool, config: Config, subject: AnySubject | None, seed: int) -> SessionDependency:
    """What `--dependency` asks for.

    Raises:
        InputError: nothing is reconstructed, or the subject's decoder gives no embedding.
    """
    if not reconstruct:
        raise InputError("--dependency compares reconstructions: add --reconstruct")
    return SessionDependency(with_embeddings(subject), config.reconstruction.generators(), seed)


def _key(label: str) -> str:
    """Of a marker such as "stim/chair/08", what stimulus sets call it; any other label as it is."""
    _, slash, key = label.partition("/")
    return key if slash else label


def _mapped(comparing: Comparing, asked: Asked) -> Mapped:
    """Its map, or why there is none: one trial that fails takes no other's."""
    try:
        return comparing.mapped(question(asked))
    except AfterimageError as error:
        return Mapped(asked.decision.trial, error=str(error))


def _over_trials(made: Sequence[Mapped]) -> list[dict[str, Any]]:
    """Each measure over trials: own EEG, another's, and the difference, with Student's intervals."""
    pairs = [(one.apart, one.control_apart) for one in made if one.apart and one.control_apart]
    return [_line(name, told, pairs) for name, told in MEASURES.items()] if len(pairs) > 1 else []


def _line(name: str, told: str, pairs: Sequence[tuple[Apart, Apart]]) -> dict[str, Any]:
    own, other = (np.array([getattr(pair[side], name) for pair in pairs]) for side in (0, 1))
    return {
        "measure": told,
        OWN: float(own.mean()),
        CONTROL: float(other.mean()),
        "difference": float((own - other).mean()),
        "ci95": mean_interval((own - other).tolist()),
        "n": len(pairs),
    }


def _tables(made: Sequence[Mapped], marks: Sequence[str]) -> list[dict[str, Any]]:
    rows = [
        [line["measure"], *(f"{line[name]:.3f}" for name in (OWN, CONTROL, "difference")),
         "{:.3f} to {:.3f}".format(*line["ci95"])]
        for line in _over_trials(made)
    ]  # fmt: skip
    title = "; ".join([f"Dependency over {len(made)} trials, where the object is", *marks])
    head = ["", OWN, CONTROL, "difference", "95 % interval over trials"]
    return [
        {"title": title, "head": head, "rows": rows, "n_text": 1},
        {"title": "How to read the dependency index", "head": [""], "rows": [[one] for one in CAVEATS], "n_text": 1},
    ]


def _notes(made: Sequence[Mapped]) -> list[str]:
    """What is so of every trial."""
    return [note for note in made[0].notes if all(note in one.notes for one in made)] if made else []


def _mean(maps: Sequence[Array | None]) -> Array:
    """(height, width) over the trials that have such a map."""
    return np.asarray(np.mean([one for one in maps if one is not None], axis=0))


def _stacked(maps: Sequence[Array | None]) -> Array:
    """(n, height, width) in half precision, which has them to 0.0005."""
    return np.stack([one for one in maps if one is not None]).astype(np.float16)


def _grey(spread: Array) -> Picture:
    """A deviation over seeds, white where it is 1."""
    return np.repeat(np.round(255 * np.clip(spread, 0, 1)).astype(np.uint8)[..., None], 3, axis=2)


def _stem(one: Mapped) -> str:
    return f"trial-{one.trial:04d}"


_HEADS = ("shown", "both streams", "map", "± over seeds", CONTROL)
