"""At an SNR of 0 nothing that learns can tell what was shown; at 1 the same test can, so it is able to fail."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import binom
from sklearn.model_selection import KFold

from calibration.calibrate import calibrate
from calibration.simulate import SimulateConfig, plan, to_file
from pipeline.simulation import Player
from pipeline.sources.select import open_source

SEEDS = (1, 2, 3)
CATEGORIES = ("face", "house", "car", "chair")
PATTERNS = {category: (f"stim/{category}/*",) for category in CATEGORIES}
REPEATS = 30
N_TRIALS = len(SEEDS) * REPEATS * len(CATEGORIES)


def config(seed, snr):
    return SimulateConfig(seed=seed, snr=snr, repeats=REPEATS, n_categories=len(CATEGORIES))


def pipeline_accuracies(seed, snr, folder):
    """Held-out accuracy of every system of the pipeline, and of the one it chooses."""
    path = folder / f"{seed}-{snr:g}.xdf"
    to_file(config(seed, snr), path, lambda share: None)
    found = calibrate([partial(open_source, str(path))], PATTERNS, n_permutations=0)
    return {row.system + row.scheme: row.mean for row in found.evaluation.rows}


def run_of(seed, snr):
    performance = plan(config(seed, snr))
    player = Player(performance.participant, snr=snr)
    for shown in performance.shown:
        player.show(shown)
    return player.next(round(performance.stop_s * 250)).astype(float), performance.shown


def raw_epochs(data_uv, shown):
    """Unfiltered but for the offset: drift, eyes, muscles and gamma are all in it."""
    referenced = data_uv - np.median(data_uv, axis=0)
    pictures = [s for s in shown if s.label.startswith("stim/")]
    starts = [round(s.at_s * 250) for s in pictures]
    x = np.stack([referenced[:, k : k + 150] - referenced[:, k - 25 : k].mean(axis=1, keepdims=True) for k in starts])
    scale = np.median(np.abs(x), axis=(0, 2), keepdims=True)
    labels = np.unique([s.label.split("/")[1] for s in pictures], return_inverse=True)[1]
    return torch.tensor(np.clip(x / scale / 3, -3, 3), dtype=torch.float32), torch.tensor(labels)


def network():
    """Spatial filters, temporal filters, their mean power and course: a small EEGNet-like decoder."""
    return torch.nn.Sequential(
        torch.nn.Conv1d(64, 16, 1),
        torch.nn.Conv1d(16, 24, 25, padding=12, groups=8),
        torch.nn.BatchNorm1d(24),
        torch.nn.ELU(),
        torch.nn.AvgPool1d(10),
        torch.nn.Dropout(0.3),
        torch.nn.Flatten(),
        torch.nn.Linear(24 * 15, len(CATEGORIES)),
    )


def network_hits(data_uv, shown):
    """Held-out answers over five folds in the order of time."""
    torch.manual_seed(0)
    x, y = raw_epochs(data_uv, shown)
    hits = []
    for train, test in KFold(5).split(x):
        model = network()
        optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
        for _ in range(40):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(x[train]), y[train], label_smoothing=0.1).backward()
            optimiser.step()
        model.eval()
        with torch.no_grad():
            hits.append((model(x[test]).argmax(dim=1) == y[test]).numpy())
    return np.concatenate(hits)


def accuracies(snr, folder):
    """The best of the pipeline's systems, and the network, each over all people; and the bound that chance keeps."""
    torch.set_num_threads(1)
    systems = [pipeline_accuracies(seed, snr, folder) for seed in SEEDS]
    linear = max(np.mean([one[name] for one in systems if name in one]) for name in systems[0])
    deep = np.mean([network_hits(*run_of(seed, snr)).mean() for seed in SEEDS])
    return float(linear), float(deep), float(binom.ppf(0.999, N_TRIALS, 1 / len(CATEGORIES)) / N_TRIALS)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_at_snr_zero_neither_the_pipeline_nor_a_network_beats_chance(tmp_path):
    linear, deep, chance = accuracies(0.0, tmp_path)
    assert linear < chance and deep < chance, (linear, deep, chance)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_at_snr_one_both_do(tmp_path):
    linear, deep, chance = accuracies(1.0, tmp_path)
    assert linear > chance + 0.05 and deep > chance, (linear, deep, chance)


def test_at_snr_zero_the_samples_are_the_same_bits_whatever_is_shown():
    """Neither order nor kind of what is shown, nor keys pressed: eyes, fatigue, gamma and faults go on regardless."""
    performance = plan(SimulateConfig(seed=3, n_categories=3, repeats=2, protocol="quick"))
    player, blind = (Player(performance.participant, snr=0.0) for _ in range(2))
    for shown in performance.shown:
        player.show(shown)
    assert np.array_equal(player.next(250 * 10), blind.next(250 * 10))
