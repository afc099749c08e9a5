"""A trained model from its folder, judged on objects it has never seen, with the linear baseline beside it.

It is a comparison of one participant and one seed: the same measures, tables and controls (`table.report_of`).

Thread: any, one at a time.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from calibration.comparing.plan import BASELINE, Plan, chosen_among, participant_digest
from calibration.comparing.run import PUBLISHED, Parts, Record, Run, RunOrder, carry_out, cost_of, parts_of
from calibration.datasets.eeg3d import Eeg3d
from calibration.decoding.evaluate import evaluate
from calibration.decoding.models import About, load_model, read_about
from calibration.decoding.read import from_eeg3d
from calibration.decoding.targets import AUTO
from calibration.decoding.trials import TrialSet
from calibration.objects.catalogue import HELD_OUT
from calibration.recipes.networks import SIZES, Size
from engines.errors import InputError

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Judgement:
    """What `table.report_of` takes, what the model says of itself, and what a reader must know."""

    plan: Plan
    records: Mapping[Run, Record]
    about: About
    warnings: tuple[str, ...]


def judge(
    folder: Path,
    data: Path,
    participant: str = "",
    as_published: bool = False,
    n_permutations: int = 999,
    encoder: str = AUTO,
    weights: Path | None = None,
    progress: Progress = lambda share, what: None,
    unfolding_s: Collection[float] | None = None,
) -> Judgement:
    """Evaluate the model in `folder` on objects 08 and 09 of `data`; "" takes the participant it was trained on.

    `as_published` trains its system once more as published tables were made, which takes as long as training. `encoder`
    and `weights` as `calibration.decoding.targets` takes them: what the model was trained towards. `unfolding_s` as
    `calibration.decoding.evaluate` takes it.

    Raises:
        InputError: no model there, no such participant, or a model that has seen the test objects or fits other data.
        SetUnusable: `data` is not a folder in the layout of EEG-3D.
    """
    about, stored = read_about(folder), Eeg3d(data)
    (chosen,) = chosen_among(stored.subjects, [participant or about.participant])
    _require_unseen(about)
    size: Size = next((one for one in SIZES if one == about.size), "pocket")
    names = dict.fromkeys([about.system, BASELINE, *([f"{about.system}@{PUBLISHED}"] if as_published else [])])
    digest = participant_digest(data, chosen, encoder)
    plan = Plan(data, stored.name, (chosen,), tuple(names), (about.seed,), (digest,), folder, size, n_permutations)
    progress(0.0, "reading trials")
    trials = from_eeg3d(data, chosen, encoder, weights)
    _require_fitting(about, trials)
    records = {}
    for number, order in enumerate(plan.orders):
        progress((number + 1) / (len(plan.orders) + 1), order.run.system)
        if order.run.system == about.system:
            records[order.run] = _of_model(folder, about, order, trials, unfolding_s)
        else:
            budget = about.budget if order.run.parts[0] == about.system else None
            records[order.run] = carry_out(order, trials, unfolding_s, budget)
    return Judgement(plan, records, about, tuple(_warnings(about, chosen, parts_of(trials, "", 0))))


def pooled(each: Sequence[Judgement]) -> Judgement:
    """Several judgements of one system, each of another participant, as one.

    Raises:
        InputError: systems, sizes, seeds or embeddings differ, or one participant was judged twice.
    """
    first, people = each[0], [name for one in each for name in one.plan.participants]
    kinds = {(one.about.system, one.about.size, one.about.seed, one.about.encoder) for one in each}
    if len(kinds) > 1 or len(set(people)) < len(people):
        told = ", ".join(sorted("/".join(map(str, kind)) for kind in kinds))
        raise InputError(
            "expected models of one system, size, seed and encoder, each of another participant; "
            f"got {told} of {', '.join(people)}; evaluate them apart"
        )
    digests = tuple(digest for one in each for digest in one.plan.digests)
    records = {run: record for one in each for run, record in one.records.items()}
    warnings = tuple(text for one in each for text in one.warnings)
    plan = replace(first.plan, participants=tuple(people), digests=digests)
    return Judgement(plan, records, first.about, warnings)


def _of_model(
    folder: Path, about: About, order: RunOrder, trials: TrialSet, unfolding_s: Collection[float] | None
) -> Record:
    fitted, parts = load_model(folder), parts_of(trials, "", 0)
    evaluation = evaluate(
        fitted, parts.selection, parts.test, n_permutations=order.n_permutations, unfolding_s=unfolding_s
    )
    told = {
        "fit_s": None,
        "fit_cpu_s": None,
        "budget": about.budget,
        **cost_of(fitted),
        "selection_score": about.score,
        "n_trials": {name: len(part) for name, part in vars(parts).items()},
        "classes": trials.categories,
        "encoder": trials.encoder,
        "simulated": trials.simulated,
        "offline_reason": trials.offline_reason,
    }
    return Record(order.run, order.digest, about.size, told, evaluation)


def _require_unseen(about: About) -> None:
    for what, seen in (("trained", about.training.objects), ("selected", about.selection.objects)):
        if both := sorted(set(seen) & set(HELD_OUT)):
            raise InputError(
                f"expected a model that has never seen objects {', '.join(f'{n:02d}' for n in HELD_OUT)}; "
                f"it was {what} on {', '.join(f'{n:02d}' for n in both)}; train one with `afterimage train`"
            )


def _require_fitting(about: About, trials: TrialSet) -> None:
    for what, own, theirs in (
        ("categories", about.categories, trials.categories),
        ("channels", about.channels, trials.channels),
        ("embeddings", (about.encoder,), (trials.encoder,)),
    ):
        if own != theirs:
            raise InputError(
                f"the model was trained with {len(own)} {what} ({', '.join(own[:4])}...), the data have {len(theirs)} "
                f"({', '.join(theirs[:4])}...); expected the same; name the data it was trained on"
            )


def _warnings(about: About, participant: str, parts: Parts) -> list[str]:
    said = []
    if participant != about.participant:
        said.append(f"trained on participant {about.participant}, tested on {participant}")
    elif (about.training.digest, about.selection.digest) != (parts.training.digest(), parts.selection.digest()):
        said.append(
            "the model was trained on other trials than objects 00 to 06 of these data, chosen by others than 07"
        )
    return said
