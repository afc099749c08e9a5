"""Archives of trials in the layout of the UCI "EEG Database", with an effect of known size."""

import gzip
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

LABELS = ("FP1", "OZ", "PZ", "CZ", "X", "Y", "nd")
CONDITIONS = ("S2 match", "S2 nomatch")
N_SAMPLES = 256


def trial_text(person: str, condition: str, number: int, data: np.ndarray, labels: Sequence[str] = LABELS) -> str:
    """One trial; `data` (n_channels, n_samples) in microvolts."""
    said = f"{condition}," if condition.startswith("S2") else condition
    lines = [f"# {person}.rd", "# 120 trials, 64 chans, 416 samples 368 post_stim samples"]
    lines += ["# 3.906000 msecs uV", f"# {said} trial {number}"]
    for channel, (label, values) in enumerate(zip(labels, data, strict=True)):
        lines.append(f"# {label} chan {channel}")
        lines += [f"{number} {label} {sample} {value:.3f}" for sample, value in enumerate(values)]
    return "\n".join(lines) + "\n"


def archive(folder: Path, person: str, seed: int, n: int = 20, effect_uv: float = 20.0) -> Path:
    """`n` trials of a person, matches and others in random order; matches have a bump at PZ 0.4 s after the picture."""
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(np.arange(n) % 2)
    bump = effect_uv * np.exp(-0.5 * ((np.arange(N_SAMPLES) / 256 - 0.4) / 0.05) ** 2)
    path = folder / f"{person}.tar"
    with tarfile.open(path, "w") as tar:
        for number, kind in enumerate(kinds):
            data = rng.standard_normal((len(LABELS), N_SAMPLES)) * 5
            data[LABELS.index("PZ")] += (1 - kind) * bump
            packed = gzip.compress(trial_text(person, CONDITIONS[kind], 2 * number + 1, data).encode())
            member = tarfile.TarInfo(f"{person}.rd.{number:03d}.gz")
            member.size = len(packed)
            tar.addfile(member, io.BytesIO(packed))
    return path
