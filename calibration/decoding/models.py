"""A trained decoder as a folder.

    model.json           what it is and what it was made of, with the SHA-256 of the other file
    model.safetensors    every array: weights, scaling, prototypes

Nothing in it is code and nothing is unpickled. `model.json` is written last: a folder without it holds no model.

    folder = tmp / "brainssd"
    save_model(folder, fitted, about)
    read_about(folder).system, load_model(folder).predict(trials)

Thread: any, one at a time for a folder.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from calibration.decoding.fitted import Fitted, FittedNetwork, FittedRidge, Scaling
from calibration.decoding.steps import Step
from calibration.decoding.trials import TrialSet
from calibration.decoding.wiring import WIRINGS
from calibration.store import Strict, replace_file
from engines.errors import InputError
from engines.models.base import Network, parameters_by_part, work
from engines.models.brainssd import BrainSsd, BrainSsdConfig
from engines.models.enigma import Enigma, EnigmaConfig
from engines.models.neuro3d import Neuro3d, Neuro3dConfig
from engines.models.ridge import Ridge

ABOUT, WEIGHTS = "model.json", "model.safetensors"
SCHEMA = 1
RIDGE = "ridge"
NETWORKS: Mapping[str, tuple[type[Network], type[Any]]] = MappingProxyType(
    {"brainssd": (BrainSsd, BrainSsdConfig), "neuro3d": (Neuro3d, Neuro3dConfig), "enigma": (Enigma, EnigmaConfig)}
)

Arrays = dict[str, NDArray[Any]]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class TrialsRecord(Strict):
    """The trials that were used: `digest` as `TrialSet.digest` has it, `objects` the numbers that were shown."""

    digest: Digest
    n_trials: Annotated[int, Field(ge=1)]
    n_items: Annotated[int, Field(ge=1)]
    objects: tuple[int, ...]

    @classmethod
    def of(cls, trials: TrialSet) -> "TrialsRecord":
        """Of these."""
        return cls(
            digest=trials.digest(),
            n_trials=len(trials),
            n_items=len(np.unique(trials.item)),
            objects=tuple(np.unique(trials.number).tolist()),
        )


class StepRecord(Strict):
    """An epoch, as `Step`."""

    share: float
    epoch: int
    epochs: int
    loss: float
    score: float


class WorkRecord(Strict):
    """Arithmetic of one trial and where learned numbers are, as `engines/models/base.py` counts them.

    `counter` says who counted; "" in models of before.
    """

    parameters: dict[str, int]
    multiply_adds: int | None = None
    flops: int | None = None
    tokens: int | None = None
    counter: str = ""

    @classmethod
    def of(cls, fitted: "Fitted") -> "WorkRecord | None":
        """Of a trained decoder; None where its arithmetic is not known."""
        if isinstance(fitted, FittedNetwork):
            counted = work(fitted.network)
            return cls(
                parameters=parameters_by_part(fitted.network),
                multiply_adds=counted.multiply_adds,
                flops=counted.flops,
                tokens=counted.tokens,
                counter="by torch's counter",
            )
        if isinstance(fitted, FittedRidge):
            n = fitted.ridge.weight.size
            parts = {"weight": n, "bias": fitted.ridge.bias.size}
            return cls(parameters=parts, multiply_adds=n, flops=2 * n, counter="by hand, one a weight")
        return None


class Making(Strict):
    """What whoever trains knows and the trained decoder does not.

    `budget` and `loss` are those of the recipe, {} where it has none; `data` the data set's own name.
    """

    system: str
    size: str
    seed: int
    budget: dict[str, Any] = Field(default_factory=dict)
    loss: dict[str, Any] = Field(default_factory=dict)
    data: str
    participant: str
    training: TrialsRecord
    selection: TrialsRecord
    categories: Annotated[tuple[str, ...], Field(min_length=2)]
    encoder: str
    simulated: bool
    offline_reason: str
    versions: dict[str, str] = Field(default_factory=dict)


class About(Making):
    """Everything about a model but its arrays; `kind` and `config` rebuild it, `wiring` says what it takes."""

    schema_version: Literal[1] = 1
    kind: Literal["brainssd", "neuro3d", "enigma", "ridge"]
    config: dict[str, Any]
    wiring: dict[str, Any]
    scale: Annotated[float, Field(gt=0)]
    channels: Annotated[tuple[str, ...], Field(min_length=1)]
    work: WorkRecord
    score: float
    history: tuple[StepRecord, ...]
    weights: Digest

    @property
    def offline_only(self) -> bool:
        """Whether it may not run live."""
        return bool(self.offline_reason)


def making_of(
    training: TrialSet, selection: TrialSet, *, system: str, size: str, seed: int, data: str, **more: Any
) -> Making:
    """`Making` of those sets; `more` are `budget`, `loss` and `versions`."""
    return Making(
        system=system,
        size=size,
        seed=seed,
        data=data,
        participant=training.participant,
        training=TrialsRecord.of(training),
        selection=TrialsRecord.of(selection),
        categories=training.categories,
        encoder=training.encoder,
        simulated=training.simulated,
        offline_reason=training.offline_reason,
        **more,
    )


def save_model(folder: Path, fitted: Fitted, making: Making) -> About:
    """Write a model; one that is there is replaced. Answers what `model.json` says.

    Raises:
        InputError: a decoder of another kind.
        OSError: it cannot be written.
    """
    if isinstance(fitted, FittedNetwork):
        told, arrays = _network_parts(fitted)
    elif isinstance(fitted, FittedRidge):
        told, arrays = _ridge_parts(fitted)
    else:
        raise InputError(f"expected a fitted network or ridge; got {type(fitted).__name__}")
    arrays |= {"centre": fitted.scaling.centre}
    arrays |= {"prototypes": fitted.prototypes, "colour_prototypes": fitted.colour_prototypes}
    content = save_arrays({name: np.ascontiguousarray(values) for name, values in arrays.items()})
    about = About(
        **making.model_dump(),
        **told,
        scale=fitted.scaling.scale,
        channels=fitted.channels,
        score=fitted.score,
        history=tuple(StepRecord(**vars(step)) for step in fitted.history),
        weights=hashlib.sha256(content).hexdigest(),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ABOUT).unlink(missing_ok=True)
    replace_file(folder / WEIGHTS, content)
    replace_file(folder / ABOUT, (json.dumps(about.model_dump(mode="json"), indent=2) + "\n").encode())
    return about


def read_about(folder: Path) -> About:
    """What `model.json` says.

    Raises:
        InputError: none there, another version's, or one that was damaged.
    """
    path = folder / ABOUT
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{folder} holds no trained model ({path.name}: {error.strerror}); make one with `afterimage train`"
        ) from error
    try:
        values = json.loads(text)
        version = values.get("schema_version") if isinstance(values, dict) else None
        if version != SCHEMA:
            raise InputError(f"{path}: expected a model of version {SCHEMA}, got {version!r}; train it again")
        return About.model_validate_json(text)
    except (ValidationError, json.JSONDecodeError) as error:
        where = _first(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(f"{path} is damaged ({where}); restore it or train again") from error


def load_model(folder: Path) -> FittedNetwork | FittedRidge:
    """The trained decoder, on the CPU.

    Raises:
        InputError: no model there, or one that was damaged or changed.
    """
    about = read_about(folder)
    arrays = _checked(folder / WEIGHTS, about.weights)
    try:
        return _ridge(about, arrays) if about.kind == RIDGE else _network(about, arrays)
    except (KeyError, TypeError, RuntimeError) as error:
        raise InputError(
            f"{folder / WEIGHTS} does not fit what {ABOUT} says ({error}); restore both or train again"
        ) from error


def _network_parts(fitted: FittedNetwork) -> tuple[dict[str, Any], Arrays]:
    network = fitted.network
    kinds = [kind for kind, (network_type, _) in NETWORKS.items() if type(network) is network_type]
    if not kinds:
        raise InputError(f"expected a network among {', '.join(NETWORKS)}; got {type(network).__name__}")
    told = {
        "kind": kinds[0],
        "config": asdict(network.config),
        "wiring": vars(fitted.wiring),
        "work": WorkRecord.of(fitted),
    }
    return told, {f"network.{name}": value.cpu().numpy() for name, value in network.state_dict().items()}


def _network(about: About, arrays: Arrays) -> FittedNetwork:
    network_type, config_type = NETWORKS[about.kind]
    network = network_type(config_type(**about.config))
    state = {name: torch.from_numpy(values) for name, values in _under("network.", arrays).items()}
    network.load_state_dict(state)
    wiring = WIRINGS[about.kind](**about.wiring)
    return FittedNetwork(network.eval(), wiring, *_common(about, arrays))


def _ridge_parts(fitted: FittedRidge) -> tuple[dict[str, Any], Arrays]:
    ridge = fitted.ridge
    told = {
        "kind": RIDGE,
        "config": {"alpha": ridge.alpha, "alphas": list(ridge.alphas), "errors": list(ridge.errors)},
        "wiring": {"turns": fitted.turns},
        "work": WorkRecord.of(fitted),
    }
    arrays = {"weight": ridge.weight, "bias": ridge.bias, "mean": fitted.mean, "deviation": fitted.deviation}
    return told, {f"ridge.{name}": values for name, values in arrays.items()}


def _ridge(about: About, arrays: Arrays) -> FittedRidge:
    stored, config = _under("ridge.", arrays), about.config
    ridge = Ridge(stored["weight"], stored["bias"], config["alpha"], tuple(config["alphas"]), tuple(config["errors"]))
    return FittedRidge(ridge, stored["mean"], stored["deviation"], about.wiring["turns"], *_common(about, arrays))


def _common(about: About, arrays: Arrays) -> tuple[Any, ...]:
    """The fields that both kinds end with, in their order."""
    return (
        Scaling(arrays["centre"], about.scale),
        arrays["prototypes"],
        arrays["colour_prototypes"],
        about.channels,
        about.score,
        tuple(Step(**step.model_dump()) for step in about.history),
    )


def _checked(path: Path, digest: str) -> Arrays:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; restore it or train again") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise InputError(f"{path} is not the file that {ABOUT} describes: it was damaged or changed; train again")
    try:
        arrays: Arrays = load_arrays(content)
    except SafetensorError as error:
        raise InputError(f"{path} is no safetensors file ({error}); train again") from error
    return arrays


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
