import math

import numpy as np
import pytest
import torch

from engines.errors import InputError
from engines.models.coupling import CouplingIndex, noise_floor, shuffled
from engines.models.frames import ALPHA_HZ, THETA_HZ, CouplingConfig, Frames

STATIC = (250.0, 250)
DYNAMIC = (100.0, 600)
DEPTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
# stream, phase band, amplitude band, the slow rhythms and the carriers drawn in them
CASES = {
    "theta static": (STATIC, THETA_HZ, (30.0, 45.0), (4.5, 7.0), (36.0, 39.0)),
    "theta dynamic": (DYNAMIC, THETA_HZ, (30.0, 45.0), (4.5, 7.0), (36.0, 39.0)),
    "alpha static": (STATIC, ALPHA_HZ, (30.0, 56.0), (8.5, 12.0), (41.0, 45.0)),
    "alpha dynamic": (DYNAMIC, ALPHA_HZ, (19.0, 45.0), (8.5, 12.0), (31.0, 33.0)),
}


def within(stream, phase_hz=THETA_HZ, amplitude_hz=(30.0, 45.0), **others):
    others = {"n_channels": 1, **others}
    return CouplingConfig(stream[0], stream[0], phase_hz=phase_hz, amplitude_hz=amplitude_hz, **others)


def coupled(stream, depth, slow_hz=(4.5, 7.0), fast_hz=(36.0, 39.0), n_trials=100, noise=0.5, slow=2.0, seed=0):
    """(trial, 1, time): a slow rhythm, a carrier whose amplitude follows its phase, white noise."""
    sfreq_hz, n_samples = stream
    rng = np.random.default_rng([seed, round(100 * depth)])
    t_s = np.arange(n_samples) / sfreq_hz

    def phase(low, high):
        return 2 * np.pi * (rng.uniform(low, high, (n_trials, 1)) * t_s + rng.random((n_trials, 1)))

    theta = phase(*slow_hz)
    gamma = (1 + depth * np.cos(theta)) / (1 + depth) * np.cos(phase(*fast_hz))
    noises = noise * rng.standard_normal((n_trials, n_samples))
    return torch.from_numpy(slow * np.cos(theta) + gamma + noises)[:, None]


def index_of(config, x, y=None):
    with torch.inference_mode():
        return CouplingIndex(config).double()(x, x if y is None else y)


def separation(a, b):
    return float((a.mean() - b.mean()) / ((a.var() + b.var()) / 2).sqrt())


@pytest.mark.parametrize("case", CASES)
def test_the_index_rises_with_the_depth_of_coupling(case):
    stream, phase_hz, amplitude_hz, slow_hz, fast_hz = CASES[case]
    config = within(stream, phase_hz, amplitude_hz)
    values = [index_of(config, coupled(stream, depth, slow_hz, fast_hz)) for depth in DEPTHS]
    means = [float(v.mean()) for v in values]
    assert means == sorted(means)
    assert separation(values[-1], values[0]) > 2
    assert means[-1] > 2 * noise_floor(config, stream[1])[0]


@pytest.mark.parametrize("stream", [STATIC, DYNAMIC])
def test_a_strong_slow_wave_alone_is_no_coupling(stream):
    config = within(stream)
    uncoupled = index_of(config, coupled(stream, 0.0, slow=20.0))
    assert float(uncoupled.mean()) < noise_floor(config, stream[1])[0]


def test_one_long_window_for_both_would_be_blind_and_is_refused():
    with pytest.raises(InputError, match="averages the modulation away"):
        within(STATIC, amplitude_window_s=0.5)


@pytest.mark.parametrize("phase, amplitude", [(STATIC, DYNAMIC), (DYNAMIC, STATIC)])
def test_amplitude_that_follows_the_other_streams_phase_is_seen_across_streams(phase, amplitude):
    config = CouplingConfig(phase[0], amplitude[0], n_channels=1)
    rng = np.random.default_rng(0)
    n_frames = (
        CouplingIndex(config).front(*(torch.zeros(1, 1, round(s[0])) for s in (phase, amplitude))).amplitude.shape[-1]
    )
    assert 45 <= n_frames <= 50
    slow_hz = 6 / (n_frames * config.hop_s)  # the same phase whenever the shorter stream starts again
    start = 2 * np.pi * rng.random((100, 1))

    def theta(stream):
        return np.cos(2 * np.pi * slow_hz * np.arange(stream[1]) / stream[0] + start)

    def noisy(values):
        return torch.from_numpy(values + 0.3 * rng.standard_normal(values.shape))[:, None]

    carrier = np.cos(2 * np.pi * 37.5 * np.arange(amplitude[1]) / amplitude[0])
    slow = noisy(theta(phase))
    coupling = index_of(config, slow, noisy((1 + theta(amplitude)) * carrier))
    assert separation(coupling, index_of(config, slow, noisy(np.ones((100, 1)) * carrier))) > 2


def test_surrogates_of_other_trials_lose_what_the_trial_itself_holds():
    x = coupled(DYNAMIC, 1.0)
    index = CouplingIndex(within(DYNAMIC)).double()
    with torch.inference_mode():
        surrogates = shuffled(index, x, x, shifts=(1, 2, 3))
        true = index(x, x)
    assert surrogates.shape == (3, 100, 1)
    assert separation(true, surrogates) > 2
    torch.testing.assert_close(surrogates[1][:-2], index(x[:-2], x[2:]))


@pytest.mark.parametrize("shifts", [(), (0,), (1, 100)])
def test_a_surrogate_that_is_the_trial_itself_is_refused(shifts):
    x = coupled(STATIC, 1.0)
    with pytest.raises(InputError, match="100 trials"):
        shuffled(CouplingIndex(within(STATIC)).double(), x, x, shifts)


def test_noise_has_a_floor_that_falls_with_length():
    short, _ = noise_floor(within(DYNAMIC), 100)
    long, spread = noise_floor(within(DYNAMIC), 600)
    assert 0 < spread < long < short / 3


def reference(config, x, y, width_rad):
    """One channel of one trial, in plain numpy, one frame and one bin at a time."""

    def row(stream, sfreq_hz, centre, window_s, band_hz):
        half = int((window_s * sfreq_hz - 1) / 2 + 1e-9)
        n_rows = max(1, round((band_hz[1] - band_hz[0]) * window_s))
        edges = np.linspace(*band_hz, n_rows + 1)
        taps = np.arange(-half, half + 1)
        window = np.cos(np.pi * taps / (2 * half + 2)) ** 2
        wave = np.exp(-2j * np.pi * np.outer(taps / sfreq_hz, (edges[:-1] + edges[1:]) / 2)).sum(axis=1)
        wave = wave - (window * wave).sum() / window.sum()
        total = 0j
        for tap, weight in zip(taps, window * wave, strict=True):
            if 0 <= centre + tap < len(stream):
                total += weight * (stream[centre + tap] - stream.mean())
        return total

    def frames(stream, sfreq_hz, window_s, band_hz):
        hop = round(config.hop_s * sfreq_hz)
        reach = config.amplitude_window_s / 2
        centres = [k * hop for k in range(len(stream)) if k * config.hop_s >= reach]
        centres = [c for c in centres if c + reach * sfreq_hz <= len(stream) - 1 + 1 - 1e-9]
        return [row(stream, sfreq_hz, c, window_s, band_hz) for c in centres]

    slow = frames(x, config.phase_sfreq_hz, config.phase_window_s, config.phase_hz)
    fast = np.abs(frames(y, config.amplitude_sfreq_hz, config.amplitude_window_s, config.amplitude_hz))
    histogram = np.zeros(config.n_bins)
    for k in range(max(len(slow), len(fast))):
        for j in range(config.n_bins):
            centre = -np.pi + (2 * j + 1) * np.pi / config.n_bins
            apart = np.angle(np.exp(1j * (np.angle(slow[k % len(slow)]) - centre)))
            near = np.exp(-(apart**2) / (2 * width_rad**2))
            if config.kernel == "von-mises":
                near = np.exp((np.cos(apart) - 1) / width_rad**2)
            histogram[j] += fast[k % len(fast)] * near
    p = histogram / histogram.sum()
    return (np.log(config.n_bins) + (p * np.log(np.maximum(p, 1e-8))).sum()) / (
        np.log(config.n_bins) if config.normalised else 1
    )


@pytest.mark.parametrize("kernel", ["gaussian", "von-mises"])
@pytest.mark.parametrize("streams", [(STATIC, STATIC), (STATIC, DYNAMIC), (DYNAMIC, STATIC)])
def test_the_index_is_what_a_plain_loop_gives(streams, kernel):
    (rate_x, n_x), (rate_y, n_y) = streams
    config = CouplingConfig(rate_x, rate_y, n_channels=2, kernel=kernel, normalised=kernel == "von-mises")
    random = torch.Generator().manual_seed(1)
    x = torch.randn(1, 2, n_x, generator=random, dtype=torch.float64)
    y = torch.randn(1, 2, n_y, generator=random, dtype=torch.float64)
    index = CouplingIndex(config).double()
    torch.nn.init.uniform_(index.raw_width, -2, 0, generator=random)
    widths = index.width_rad.detach().numpy()
    got = index(x, y, pairwise=True).detach().numpy()[0]
    for c in range(2):
        for d in range(2):
            want = reference(config, x[0, c].numpy(), y[0, d].numpy(), widths[c])
            assert got[c, d] == pytest.approx(want, abs=1e-6)


def test_the_map_of_all_pairs_has_the_channels_own_index_on_its_diagonal():
    x = torch.randn(2, 5, 250, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    index = CouplingIndex(within(STATIC, n_channels=5)).double()
    torch.testing.assert_close(index(x, x, pairwise=True).diagonal(dim1=1, dim2=2), index(x, x))


def test_bins_meet_at_pi():
    """A phase just below pi is as near to the first bin as one just above -pi is to the last."""
    index = CouplingIndex(within(STATIC)).double()
    phase = torch.tensor([math.pi - 0.1, -math.pi + 0.1], dtype=torch.float64)
    direction = torch.stack([phase.cos(), phase.sin()])[None, None]
    near = index._nearness(direction)[0, 0]
    torch.testing.assert_close(near[:, 0], near[:, 1].flip(0))
    assert near[:, 0].argmax() == 17


def test_the_two_kernels_tell_the_same_story():
    x = torch.cat([coupled(STATIC, depth, n_trials=40) for depth in DEPTHS])
    gaussian = index_of(within(STATIC), x).ravel()
    von_mises = index_of(within(STATIC, kernel="von-mises"), x).ravel()
    assert np.corrcoef(gaussian, von_mises)[0, 1] > 0.999
    assert float((von_mises / gaussian).mean()) == pytest.approx(1, abs=0.1)


def test_normalised_is_one_when_all_amplitude_meets_one_phase():
    config = within(STATIC, normalised=True)
    index = CouplingIndex(config).double()
    torch.nn.init.constant_(index.raw_width, -20.0)
    direction = torch.stack([index.centres.cos(), index.centres.sin()])[None, None]
    amplitude = torch.zeros(1, 1, 18, dtype=torch.float64)
    amplitude[..., 4] = 18
    assert float(index.of(Frames(direction, amplitude)).detach()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("kernel", ["gaussian", "von-mises"])
@pytest.mark.parametrize("channel", [0.0, 0.1, 4000.0])
def test_a_channel_without_any_signal_has_no_coupling_and_no_infinite_gradient(kernel, channel):
    """The reference electrode of an average-free montage is flat by construction."""
    x = torch.full((1, 1, 250), channel, requires_grad=True)
    index = CouplingIndex(within(STATIC, kernel=kernel))
    value = index(x, x)
    value.sum().backward()
    assert float(value.detach()) == pytest.approx(0, abs=1e-6)
    assert torch.isfinite(x.grad).all() and torch.isfinite(index.raw_width.grad).all()


@pytest.mark.parametrize("kernel", ["gaussian", "von-mises"])
def test_gradients_reach_widths_and_both_streams(kernel):
    config = CouplingConfig(100.0, 100.0, n_channels=2, kernel=kernel)
    index = CouplingIndex(config).double()
    random = torch.Generator().manual_seed(0)
    x, y = (torch.randn(1, 2, 30, generator=random, dtype=torch.float64, requires_grad=True) for _ in range(2))

    def forward(x, y, raw_width):
        return torch.func.functional_call(index, {"raw_width": raw_width}, (x, y))

    assert torch.autograd.gradcheck(forward, (x, y, index.raw_width.detach().clone().requires_grad_()))


def test_widths_start_at_one_bin_and_stay_above_zero():
    index = CouplingIndex(within(STATIC))
    assert index.width_rad.tolist() == pytest.approx([2 * math.pi / 18])
    torch.nn.init.constant_(index.raw_width, -1000.0)
    assert index.width_rad.tolist() == pytest.approx([1e-3])


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"amplitude_hz": (30.0, 46.0)}, "0.45 x"),
        ({"phase_hz": (0.0, 7.5)}, "phase band"),
        ({"phase_hz": ALPHA_HZ}, "sidebands"),
        ({"amplitude_hz": (7.0, 45.0)}, "above the phase band"),
        ({"phase_window_s": 0.2}, "phase window"),
        ({"amplitude_window_s": 0.02}, "three samples"),
        ({"hop_s": 0.04}, "hop"),
        ({"hop_s": 0.015}, "whole samples"),
        ({"n_bins": 1}, "2 bins"),
    ],
)
def test_what_could_only_show_an_artefact_is_refused_with_the_reason(change, reason):
    with pytest.raises(InputError, match=reason):
        CouplingConfig(100.0, 100.0, **change)


def test_a_stream_shorter_than_a_window_is_refused():
    with pytest.raises(InputError, match="shorter than one amplitude window"):
        CouplingIndex(within(STATIC))(torch.zeros(1, 1, 18), torch.zeros(1, 1, 250))


def with_gradients(index, x, y):
    value = index(x, y)
    value.square().sum().backward()
    widths = index.raw_width.grad
    index.raw_width.grad = None
    return value.detach(), widths


@pytest.mark.parametrize("kernel", ["gaussian", "von-mises"])
@pytest.mark.parametrize("streams", [(STATIC, STATIC), (STATIC, DYNAMIC), (DYNAMIC, STATIC)])
def test_recordings_that_need_no_gradient_give_the_same_values_and_gradients_of_widths(streams, kernel):
    (rate_x, n_x), (rate_y, n_y) = streams
    index = CouplingIndex(CouplingConfig(rate_x, rate_y, n_channels=3, kernel=kernel)).double()
    random = torch.Generator().manual_seed(1)
    x, y = (torch.randn(4, 3, n, generator=random, dtype=torch.float64) for n in (n_x, n_y))
    y[1, 2] = 0.0
    torch.nn.init.uniform_(index.raw_width, -2, 0, generator=random)
    value, widths = with_gradients(index, x, y)
    through, through_widths = with_gradients(index, x.clone().requires_grad_(), y)
    torch.testing.assert_close(value, through)
    torch.testing.assert_close(widths, through_widths)


def test_blocks_of_trials_give_what_all_of_them_give(monkeypatch):
    index = CouplingIndex(within(STATIC, n_channels=3)).double()
    x = torch.randn(7, 3, 250, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole, widths = with_gradients(index, x, x)
    monkeypatch.setattr("engines.models.coupling._BLOCK", 2 * 3 * 250)
    value, in_blocks = with_gradients(index, x, x)
    torch.testing.assert_close(value, whole)
    torch.testing.assert_close(in_blocks, widths)
