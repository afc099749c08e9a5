import pytest

from app.stimulus.director import Director, Marker
from calibration.protocol import load, steps, trials
from calibration.protocols.steps import Screen, Step
from calibration.stimuli import Item
from engines.errors import InputError

HZ = 60.0
FRAME_S = 1 / HZ
PICTURE = Step(Screen.PICTURE, 0.1, ("stim/cup/00",), 0, Item("cup", "00"))
BLANK = Step(Screen.BLANK, 0.05, ("blank",))
END = Step(Screen.END, 0.0, ("protocol/end",))


def played(director, flips_s, keys=None):
    """[(screen, frame number)] drawn, onsets and markers, for flips at the given times."""
    drawn, onsets, sent = [], [], []
    for at_s in flips_s:
        frame = director.frame(at_s)
        drawn.append((frame.step.screen.value, frame.number))
        sent += [m for key in (keys or {}).get(round(at_s * HZ), ()) for m in director.pressed(key, at_s - 0.001)]
        onset, markers = director.flipped(at_s)
        onsets += [onset] if onset else []
        sent += markers
        if director.finished:
            break
    return drawn, onsets, sent


def regular(n, start_s=5.0):
    return [start_s + k * FRAME_S for k in range(n)]


def test_a_step_lasts_the_nearest_whole_number_of_frames():
    drawn, onsets, sent = played(Director([PICTURE, BLANK, END], HZ), regular(20))
    assert drawn == [("picture", k) for k in range(6)] + [("blank", k) for k in range(3)] + [("end", 0)]
    assert [m.label for m in sent] == ["stim/cup/00", "blank", "protocol/end"]
    assert [m.at_s for m in sent] == pytest.approx([5.0, 5.1, 5.15])
    assert max(abs(o.error_s) for o in onsets) < 1e-9


def test_markers_carry_the_time_of_the_flip_not_of_the_drawing():
    director = Director([PICTURE, END], HZ)
    director.frame(1.0)
    assert director.flipped(1.004)[1] == (Marker("stim/cup/00", 1.004),)


def test_a_frame_that_comes_late_delays_the_next_onset_and_is_told_as_its_error():
    flips = regular(5) + [t + 2 * FRAME_S for t in regular(20)[5:]]
    _, onsets, _ = played(Director([PICTURE, BLANK, END], HZ), flips)
    assert [o.error_s for o in onsets] == pytest.approx([0.0, 2 * FRAME_S - FRAME_S, 0.0], abs=1e-9)


def test_after_a_long_stall_no_step_is_left_out():
    sequence = [Step(Screen.PICTURE, 0.1, (f"stim/cup/{n:02d}",), n, Item("cup", "00")) for n in range(5)]
    flips = [*regular(4), *regular(60, 9.0)]
    _, _, sent = played(Director([*sequence, END], HZ), flips)
    assert [m.label for m in sent] == [*(f"stim/cup/{n:02d}" for n in range(5)), "protocol/end"]


def test_a_break_waits_for_its_key_and_everything_pressed_is_told():
    pause = Step(Screen.BREAK, 1.0, ("break",), keys=(("space", ""),), until_key=True, waits=True)
    keys = {310: ("x",), 420: ("space", "space")}
    drawn, _, sent = played(Director([pause, END], HZ), regular(200), keys)
    assert drawn[-1] == ("end", 0) and len(drawn) == 122
    assert [m.label for m in sent] == ["break", "response/x", "response/space", "response/space", "protocol/end"]


def test_a_key_that_means_more_says_so_once():
    asked = Step(Screen.READING, 0.5, ("blank",), keys=(("1", "reading/cat"), ("2", "reading/hat")), until_key=True)
    _, onsets, sent = played(Director([asked, BLANK, END], HZ), regular(60), {305: ("2", "1")})
    assert [m.label for m in sent][:4] == ["blank", "response/2", "reading/hat", "response/1"]
    assert onsets[1].at_s == pytest.approx(5.1) and onsets[1].error_s == 0.0


def test_a_key_pressed_before_the_question_is_seen_does_not_answer_it():
    asked = Step(Screen.READING, 0.5, ("blank",), keys=(("1", "reading/cat"),), until_key=True)
    _, _, sent = played(Director([PICTURE, asked, END], HZ), regular(60), {306: ("1",)})
    assert [m.label for m in sent] == ["stim/cup/00", "response/1", "blank", "protocol/end"]


def test_what_is_not_ready_is_waited_for():
    prepared = iter([False] * 12 + [True] * 100)
    director = Director([BLANK, PICTURE, END], HZ, lambda step: step is not PICTURE or next(prepared))
    _, onsets, _ = played(director, regular(60))
    assert onsets[1].error_s == pytest.approx(12 * FRAME_S)


def test_a_flicker_counts_frames():
    flicker = Step(Screen.FLICKER, 0.4, ("flicker/10/cup/00",), 0, Item("cup", "00"), hz=10.0)
    director = Director([flicker, END], HZ)
    lit = []
    for at_s in regular(24):
        lit.append(director.frame(at_s).lit)
        director.flipped(at_s)
    assert lit == ([True] * 3 + [False] * 3) * 4


def test_after_a_missed_flip_the_flicker_is_in_phase_again():
    flicker = Step(Screen.FLICKER, 1.0, (), 0, Item("cup", "00"), hz=10.0)
    director = Director([flicker, END], HZ)
    lit = []
    for k in [0, 1, 2, 5, 6, 7, 8, 9]:
        lit.append(director.frame(5 + k * FRAME_S).lit)
        director.flipped(5 + k * FRAME_S)
    assert lit == [True, True, True, False, True, True, True, False]


def test_a_flicker_the_display_cannot_show_is_refused_before_anything_is_shown():
    chosen = load("flicker")
    with pytest.raises(InputError, match=r"75 Hz.*frequencies_hz"):
        Director(steps(chosen, trials(chosen, 0)), 75.0)


def test_an_aborted_run_says_so_once_and_a_finished_one_does_not():
    director = Director([PICTURE, END], HZ)
    director.frame(0.0)
    assert director.aborted(0.1) == (Marker("protocol/aborted", 0.1),)
    assert director.finished and director.aborted(0.2) == ()


def test_every_marker_of_a_whole_protocol_is_sent_at_its_time():
    chosen = load("quick", n_categories=2, repeats=4)
    run = steps(chosen, trials(chosen, 3))
    _, onsets, sent = played(Director(run, HZ), regular(60 * 40))
    assert [m.label for m in sent] == [label for step in run for label in step.markers]
    assert max(abs(o.error_s) for o in onsets) <= FRAME_S / 2 + 1e-9
