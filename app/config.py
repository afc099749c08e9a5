"""The configuration: TOML, checked by a schema; command-line options win over it.

Only entry points read it. The resolved copy, with versions and seed, goes into the output folder as `config.toml`.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from engines.errors import InputError
from engines.generators.config import GeneratorsConfig
from engines.runtime.base import ALLOWED
from pipeline.coupling.bands import CouplingBands
from pipeline.coupling.values import CouplingConfig
from pipeline.epochs import EpochConfig
from pipeline.preprocess import ChainConfig
from pipeline.units import microvolts_per


def known_unit(text: str) -> str:
    """A unit of voltage.

    Raises:
        ValueError: it is none we know.
    """
    if microvolts_per(text) is None:
        raise ValueError(f"expected a unit of voltage (V, mV or uV), got {text!r}")
    return text


Positive = Annotated[float, Field(gt=0)]
Unit = Annotated[str, AfterValidator(known_unit)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChainSection(_Strict):
    """`[chain]`: the decoding chain. Every key is optional; what is absent keeps the default of the task."""

    low_hz: Positive | None = None
    high_hz: Positive | None = None
    mains_hz: Literal[0, 50, 60] | None = None
    rate_hz: Positive | None = None
    reference: str | None = None
    bads: tuple[str, ...] | None = None
    interpolate_bads: bool | None = None
    eog_regression: bool | None = None
    asr: bool | None = None


class EpochSection(_Strict):
    """`[epoch]`: the window around an onset."""

    tmin_s: float | None = None
    tmax_s: float | None = None
    baseline_s: tuple[float, float] | None = None
    reject_uv: Positive | None = None


class CalibrateSection(_Strict):
    """`[calibrate]`: how a decoder is chosen."""

    system: str | None = None
    n_permutations: Annotated[int, Field(ge=0)] = 199


class DecodingSection(_Strict):
    """`[decoding]`: what may run a network, in order (the first that can is taken), on how many threads of the CPU."""

    runtimes: Annotated[tuple[str, ...], Field(min_length=1)] = ALLOWED
    threads: Annotated[int, Field(ge=1)] = 1


Band = tuple[Positive, Positive]


class CouplingSection(_Strict):
    """`[coupling]`: the live coupling. `run` absent: in the window only."""

    run: bool | None = None
    phase_hz: Band | None = None
    amplitude_hz: Band | None = None
    window_s: Positive | None = None
    updates_hz: Positive | None = None
    n_surrogates: Annotated[int, Field(ge=0)] | None = None


class ReconstructionSection(_Strict):
    """`[reconstruction]`: which generators may run, in order, and where weights are, of measures too.

    An answer whose embedding has a cosine above `skip_cosine` to the last one made of its trial is not made again.
    `mesh_formats` are those that the meshes of a session are written in.
    """

    pictures: tuple[Literal["sdxl-turbo", "pocket"], ...] = ("sdxl-turbo", "pocket")
    shapes: tuple[Literal["trellis", "pocket"], ...] = ("trellis", "pocket")
    captions: tuple[Literal["git", "blip2", "words"], ...] = ("git", "blip2", "words")
    sdxl_turbo: Path | None = None
    adapter: Path | None = None
    tiny_vae: Path | None = None
    trellis_python: Path | None = None
    trellis: Path | None = None
    git: Path | None = None
    blip2: Path | None = None
    sam: Path | None = None
    alexnet: Path | None = None
    vgg19: Path | None = None
    lpips: Path | None = None
    inception: Path | None = None
    efficientnet_b1: Path | None = None
    swav: Path | None = None
    swag: Path | None = None
    clip: Path | None = None
    sbert: Path | None = None
    caption_route: Literal["picture", "embedding"] = "picture"
    caption_map: Path | None = None
    steps: Annotated[int, Field(ge=1, le=4)] = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: Annotated[int, Field(ge=1)] = 1
    skip_cosine: Annotated[float, Field(ge=-1, le=1)] = 0.99
    mesh_formats: Annotated[tuple[Literal["glb", "ply", "obj", "npy"], ...], Field(min_length=1)] = ("glb",)

    def generators(self) -> GeneratorsConfig:
        """What the engines take."""
        return GeneratorsConfig(**self.model_dump(exclude={"skip_cosine", "mesh_formats"}))


class Config(_Strict):
    """The whole file."""

    unit: Unit | None = None
    seed: int = 0
    events: dict[str, list[str]] = Field(default_factory=dict)
    chain: ChainSection = ChainSection()
    epoch: EpochSection = EpochSection()
    calibrate: CalibrateSection = CalibrateSection()
    coupling: CouplingSection = CouplingSection()
    decoding: DecodingSection = DecodingSection()
    reconstruction: ReconstructionSection = ReconstructionSection()

    def chain_from(self, default: ChainConfig) -> ChainConfig:
        """`default` with the keys of `[chain]` laid over it."""
        given = self.chain.model_dump(exclude_none=True)
        if given.get("mains_hz") == 0:
            given["mains_hz"] = None
        return ChainConfig.from_dict({**default.to_dict(), **given})

    def epoch_from(self, default: EpochConfig) -> EpochConfig:
        """`default` with the keys of `[epoch]` laid over it."""
        return EpochConfig.from_dict({**default.to_dict(), **self.epoch.model_dump(exclude_none=True)})

    def live_coupling(self, by_default: bool) -> CouplingConfig | None:
        """The default live coupling with the keys of `[coupling]` laid over it, the mains as in `[chain]`; None: none.

        Raises:
            InputError: a band that does not go up.
        """
        given = self.coupling.model_dump(exclude_none=True)
        if not given.pop("run", by_default):
            return None
        bands: dict[str, Any] = {name: given.pop(name) for name in ("phase_hz", "amplitude_hz") if name in given}
        if self.chain.mains_hz is not None:
            bands["mains_hz"] = self.chain.mains_hz or None
        return CouplingConfig(bands=CouplingBands(**bands), **given)


def load(path: Path | None) -> Config:
    """Read a configuration, or give the defaults.

    Raises:
        InputError: no such file, no TOML, or a key or value the schema does not know.
    """
    if path is None:
        return Config()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        return Config.model_validate(values)
    except OSError as error:
        raise InputError(f"cannot read the configuration {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']}; docs/configuration.md lists the keys") from error


def save(config: Config, folder: Path, extra: dict[str, Any]) -> None:
    """Write the resolved configuration to `folder`/config.toml; `extra` holds the command, versions and so on."""
    values = {**config.model_dump(mode="json", exclude_none=True), **extra}
    (folder / "config.toml").write_text(tomli_w.dumps(values), encoding="utf-8")
