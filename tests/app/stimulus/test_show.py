from app.stimulus.director import Director
from app.stimulus.show import Key, show
from calibration.protocol import load, steps, trials
from calibration.protocols.steps import markers_of

FRAME_S = 1 / 60


class FakeDisplay:
    """A screen of 60 Hz that misses the flips it is told to, and a keyboard played from a list."""

    frame_s = FRAME_S

    def __init__(self, missed=(), pressed=()):
        self._k, self._missed, self._pressed = 0, set(missed), list(pressed)
        self.drawn = []

    def now_s(self):
        return self._k * FRAME_S + 0.002

    def draw(self, frame):
        self.drawn.append(frame)

    def flip(self):
        self._k += 2 if self._k + 1 in self._missed else 1
        return self._k * FRAME_S

    def keys(self):
        due = [k for k in self._pressed if k.at_s < (self._k + 1) * FRAME_S]
        self._pressed = self._pressed[len(due) :]
        return tuple(due)


def quick(repeats=3):
    chosen = load("quick", n_categories=2, repeats=repeats)
    return steps(chosen, trials(chosen, 0))


def test_all_markers_are_sent_in_order_and_each_at_a_flip():
    run, sent = quick(), []
    shown = show(Director(run, 60.0), FakeDisplay(), sent.append, lambda: False)
    assert [m.label for m in sent] == [s.label for s in markers_of(run)] and sent == shown.markers
    assert all(abs(m.at_s / FRAME_S - round(m.at_s / FRAME_S)) < 1e-6 for m in sent)
    assert not shown.aborted and shown.log.n_late == 0


def test_missed_flips_are_counted():
    shown = show(Director(quick(), 60.0), FakeDisplay(missed=[100, 200, 201, 300]), lambda m: None, lambda: False)
    assert shown.log.n_late == len(shown.late) == 3 and shown.log.n_missed == 3


def test_escape_ends_with_a_marker_that_says_so():
    sent = []
    shown = show(Director(quick(), 60.0), FakeDisplay(pressed=[Key("escape", 9.0)]), sent.append, lambda: False)
    assert shown.aborted and sent[-1].label == "protocol/aborted" and 9.0 <= sent[-1].at_s < 9.05
    assert not any(m.label.startswith("response/") for m in sent)


def test_being_stopped_ends_within_a_frame():
    display = FakeDisplay()
    shown = show(Director(quick(), 60.0), display, lambda m: None, lambda: len(display.drawn) >= 40)
    assert shown.aborted and len(display.drawn) == 40


def test_keys_keep_the_time_at_which_they_were_pressed():
    sent = []
    show(Director(quick(), 60.0), FakeDisplay(pressed=[Key("x", 9.0031)]), sent.append, lambda: False)
    pressed = next(m for m in sent if m.label == "response/x")
    assert pressed.at_s == 9.0031
    assert [m.at_s for m in sent] == sorted(m.at_s for m in sent)
