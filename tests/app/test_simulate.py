from app.cli import build_parser
from app.commands.simulate import config_from


def test_the_participant_live_is_another_day_than_the_one_in_a_file() -> None:
    parser = build_parser()
    to_file, live = (parser.parse_args(["simulate", *more]) for more in (["--to", "calibration.xdf"], []))
    assert config_from(to_file).run != config_from(live).run
    assert config_from(to_file).seed == config_from(live).seed


def test_the_day_that_is_asked_for_is_played() -> None:
    assert config_from(build_parser().parse_args(["simulate", "--run", "7"])).run == 7
