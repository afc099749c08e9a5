from app.panels.scope_layers import uncovered


def test_of_two_labels_in_one_place_the_newer_one_is_shown() -> None:
    assert uncovered([(0.0, 1.0, 0), (0.5, 1.5, 0)]) == [False, True]


def test_labels_on_two_levels_or_side_by_side_are_both_shown() -> None:
    assert uncovered([(0.0, 1.0, 0), (0.5, 1.5, 1), (1.0, 2.0, 0)]) == [True, True, True]


def test_a_label_that_is_left_out_covers_no_other() -> None:
    assert uncovered([(0.0, 1.0, 0), (0.5, 1.5, 0), (1.2, 2.0, 0)]) == [True, False, True]
