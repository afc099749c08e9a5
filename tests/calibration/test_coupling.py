"""A recording's coupling: the same whether read in one piece or many, never across a gap."""

from collections.abc import Sequence

import numpy as np
import pytest

from calibration.coupling import PIECE_S, Plan, Pool, Reader, coupling_of_trials
from engines.errors import InputError
from pipeline.acquire import Acquisition
from pipeline.clock import FakeClock
from pipeline.coupling import CouplingBands, modulation_index, modulation_index_from
from pipeline.coupling.analytic import phase_and_amplitude
from pipeline.coupling.comodulogram import Piece
from pipeline.coupling.trials import trial_window
from pipeline.timing import Ledger
from pipeline.types import Array, Channel, EegChunk, Item, Kind, StreamInfo
from tests.pipeline.coupling.signals import coupled
from tests.scripted import ScriptedSource

FS = 250.0
INFO = StreamInfo("scripted", "EEG", 3, FS, channels=tuple(Channel(n, unit="uV") for n in ("Fz", "Cz", "Oz")))
PLAN = Plan(CouplingBands(mains_hz=None), n_surrogates=49)


def recording(seconds: float) -> Array:
    return np.vstack([coupled(depth, seconds, FS, seed=i) for i, depth in enumerate((0.0, 1.0, 0.0))])


def chunks(data: Array, size: int = 400, lost: tuple[int, int] = (0, 0)) -> list[Item]:
    firsts = [f for f in range(0, data.shape[1], size) if not lost[0] <= f < lost[1]]
    return [EegChunk(c := data[:, f : f + size], np.arange(f, f + c.shape[1]) / FS) for f in firsts]


def pieces_of(
    items: Sequence[Item], plan: Plan = PLAN, onsets_s: Sequence[float] = ()
) -> tuple[Reader, list[tuple[int, Piece]]]:
    acquisition = Acquisition(ScriptedSource(INFO, items), FakeClock(), Ledger())
    acquisition.open()
    reader = Reader(acquisition, plan)
    for time_s in onsets_s:
        reader.onset("go", time_s)
    found, more = [], True
    while more:
        more = acquisition.step(0.0)
        found += reader.read()
    found += reader.finish()
    return reader, found


@pytest.mark.parametrize("size", [50, 400, 5000])
def test_the_whole_recording_has_the_index_of_all_its_samples(size: int) -> None:
    data = recording(34.0)
    reader, pieces = pieces_of(chunks(data, size))
    pool = Pool(PLAN, reader.sfreq_hz, 3)
    for _, piece in pieces:
        pool.add(piece)
    found = pool.result()
    assert found.seconds == 34.0 and found.n_windows == len(pieces) == 4
    whole = modulation_index(data, data, FS, (4, 8), (30, 45))
    assert found.mi == pytest.approx(whole, rel=0.05, abs=2e-5)
    assert found.significance.z[1] > 5 and found.significance.p.tolist()[1] == 1 / 50
    assert np.argmax(found.mi) == 1 and found.significance.p_family[1] < 0.05


def test_pieces_cover_every_sample_once_and_carry_margins() -> None:
    data = recording(34.0)
    _, pieces = pieces_of(chunks(data))
    kept = [p.samples[:, p.margins[0] : p.samples.shape[1] - p.margins[1]] for _, p in pieces]
    assert np.array_equal(np.hstack(kept), data)
    assert pieces[0][1].margins == (0, 188) and pieces[1][1].margins == (188, 188)
    assert kept[0].shape[1] == PIECE_S * FS


def test_no_piece_spans_a_gap_and_what_is_shorter_than_2_s_is_left_out() -> None:
    data = recording(20.0)
    _, pieces = pieces_of(chunks(data, 100, lost=(2500, 2900)))
    kept = [p.samples[:, p.margins[0] : p.samples.shape[1] - p.margins[1]] for _, p in pieces]
    assert [k.shape[1] for k in kept] == [2500, 2100]
    assert np.array_equal(kept[1], data[:, 2900:])
    _, pieces = pieces_of(chunks(data[:, :3000], 100, lost=(2500, 2900)))
    assert len(pieces) == 1


def test_trials_are_cut_with_margins_and_rejected_with_reasons() -> None:
    data = recording(20.0)
    plan = Plan(CouplingBands(mains_hz=None), window_s=(0.0, 1.0), n_surrogates=49)
    reader, pieces = pieces_of(chunks(data, 100, lost=(2500, 2900)), plan, onsets_s=(0.2, 3.0, 5.0, 9.9, 15.0))
    assert [number for number, _ in pieces] == [1, 2, 4]
    assert reader.rejected == {"before data": 1, "gap": 1}
    piece = pieces[0][1]
    assert piece.margins == (188, 188)
    assert np.array_equal(piece.samples, data[:, 750 - 188 : 750 + 250 + 188])


def test_pooled_trials_are_their_samples_end_to_end_against_other_trials() -> None:
    plan = Plan(CouplingBands(mains_hz=None), window_s=(0.0, 1.0), n_surrogates=99)
    data = [coupled(1.0, 2.0, FS, n_channels=2, seed=s) for s in range(30)]
    windows = [trial_window(one, FS, plan.bands, (125, 125)) for one in data]
    found = coupling_of_trials(windows, FS, plan)
    inner = slice(125, -125)
    phase = np.hstack([phase_and_amplitude(one, FS, (4, 8))[0][:, inner] for one in data])
    amplitude = np.hstack([phase_and_amplitude(one, FS, (30, 45))[1][:, inner] for one in data])
    assert found.mi == pytest.approx(modulation_index_from(phase, amplitude), abs=1e-6)
    assert found.seconds == 30.0 and (found.significance.z > 4).all()


def test_a_channel_that_fails_in_one_piece_is_left_out_of_that_piece_only() -> None:
    data = recording(30.0)
    pool, alone = Pool(PLAN, FS, 3), Pool(PLAN, FS, 3)
    broken = data[:, 5000:].copy()
    broken[0] = 3.0
    broken[2, 7] = np.nan
    pool.add(Piece(data[:, :5000]))
    alone.add(Piece(data[:, :5000]))
    pool.add(Piece(broken))
    found, first = pool.result(), alone.result()
    assert found.mi[[0, 2]].tolist() == first.mi[[0, 2]].tolist()
    assert np.isfinite(found.mi).all() and found.mi[1] != first.mi[1]


def test_a_recording_in_which_nothing_can_be_measured_is_refused() -> None:
    with pytest.raises(InputError, match="2 s of samples without a gap"):
        Pool(PLAN, FS, 3).result()
    with pytest.raises(InputError, match="two trials"):
        coupling_of_trials([], FS, PLAN)
    for info, why in (
        (StreamInfo("slow", "EEG", 1, 0.0, channels=(Channel("Fz"),)), "no regular rate"),
        (StreamInfo("misc", "EEG", 1, FS, channels=(Channel("x", Kind.MISC),)), "no EEG channel"),
        (StreamInfo("low", "EEG", 1, 64.0, channels=(Channel("Fz"),)), "carry 28.8 Hz"),
    ):
        acquisition = Acquisition(ScriptedSource(info, []), FakeClock(), Ledger())
        acquisition.open()
        with pytest.raises(InputError, match=why):
            Reader(acquisition, PLAN)
