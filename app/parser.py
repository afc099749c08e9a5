"""What can be said on the command line: every command with its options, checked as they are read.

Light to import: --help needs neither Qt nor liblsl.
"""

import argparse
import re
from pathlib import Path

from engines.errors import InputError
from pipeline.units import microvolts_per

FILE = "an .xdf file, or anything that MNE reads (EDF, BDF, BrainVision, EEGLAB, FIF...)"
STREAM_KEYS = "name=, type=, source_id=, id=, several with commas"
NEW_FILE = "the file to write; never one that exists"
MARKERS = "marker stream (KEY=VALUE), trigger:CHANNEL?mask=..., or annotations; may be repeated (default: all)"


class _Parser(argparse.ArgumentParser):
    """argparse, raising instead of exiting, so that every error takes the same way out."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise InputError(f"{message} (see {self.prog} --help)")


def _above_zero(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text!r}")
    return int(text)


def _seeds(text: str) -> tuple[int, ...]:
    found: list[int] = []
    for part in text.split(","):
        numbers = re.fullmatch(r"(\d+)(?:-(\d+))?", part, re.ASCII)
        first, last = (int(numbers[1]), int(numbers[2] or numbers[1])) if numbers else (1, 0)
        if first > last:
            raise argparse.ArgumentTypeError(f"expected seeds such as 9-13 or 9,11, got {text!r}")
        found += range(first, last + 1)
    return tuple(dict.fromkeys(found))


def _unit(text: str) -> str:
    if microvolts_per(text) is None:
        raise argparse.ArgumentTypeError(f"expected a unit of voltage (V, mV or uV), got {text!r}")
    return text


def _new_file(text: str) -> Path:
    if Path(text).exists():
        raise argparse.ArgumentTypeError(f"{text} exists and is never overwritten; choose another name")
    return Path(text)


def _common() -> _Parser:
    common = _Parser(add_help=False)
    group = common.add_argument_group("everywhere")
    group.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for what is made (default: a new one under ./out)"
    )
    group.add_argument("--config", type=Path, metavar="FILE", help="TOML configuration, see docs/configuration.md")
    group.add_argument("--json", action="store_true", help="the report on standard output, nothing else there")
    group.add_argument("--headless", action="store_true", help="never open a window")
    group.add_argument("--seconds", type=_above_zero, metavar="N", help="stop after N seconds of data")
    group.add_argument("--seed", type=int, metavar="N", help="seed of everything random (default 0; of demo 3)")
    group.add_argument("--unit", type=_unit, metavar="U", help="unit of the source: V, mV or uV (default: as declared)")
    group.add_argument(
        "--locations", type=Path, metavar="FILE", help="electrode locations: .elc, .sfp, .loc, .csd, .bvef, .tsv"
    )
    group.add_argument("--debug", action="store_true", help="log everything, show tracebacks")
    return common


def build_parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    common = _common()
    parser = _Parser(prog="afterimage", description="Decode what a person sees, while they see it, from EEG.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[common])

    _add_window(add("window", "open the window (what plain `afterimage` does)"))
    add("doctor", "say what this machine has, and what has never run here")
    add("demo", "simulated participant over real LSL: calibrate, decode live, report")
    _add_simulate(add("simulate", "a simulated 64-channel participant, live over LSL or into a file"))
    _add_present(add("present", "show a protocol to a person, on vertical sync, with LSL markers"))
    files = add("import", "turn another published layout into XDF")
    files.add_argument("kind", metavar="KIND", help="muse-csv, uci-smni or eeg3d")
    files.add_argument("files", nargs="+", type=Path, metavar="FILE", help="what is to become one recording")
    files.add_argument("--to", type=_new_file, required=True, metavar="FILE.xdf", help=NEW_FILE)
    info = add("info", "what a recording holds, and what is wrong with it")
    info.add_argument("file", type=Path, metavar="FILE", help=FILE)
    info.add_argument("--stream", metavar="KEY=VALUE", help=f"the stream to look at: {STREAM_KEYS}")
    salvage = add("salvage", "rescue a damaged XDF file into a new one")
    salvage.add_argument("file", type=Path, metavar="FILE.xdf", help="the damaged file; it is only read")
    salvage.add_argument("--to", type=_new_file, required=True, metavar="FILE.xdf", help=NEW_FILE)
    record = add("record", "record streams to XDF")
    _add_source(record, markers_required=False)
    record.add_argument(
        "--to", type=Path, required=True, metavar="FILE.xdf", help="the recording; numbered where the file exists"
    )
    _add_replay(add("replay", "run a recording through the live pipeline"))
    _add_calibrate(add("calibrate", "fit and honestly evaluate a decoder on recordings"))
    _add_stimuli(commands, common)
    _add_engines(commands, common)
    _add_weights(commands, common)
    _add_coupling(add("coupling", "phase-amplitude coupling in a recording"))
    _add_train(add("train", "train a decoder on a participant's trials, or a network that Afterimage comes with"))
    _add_compare(add("compare", "systems side by side, on trials that taught them nothing, in one honest table"))
    _add_evaluate(add("evaluate", "how good a trained model is on objects it has never seen"))
    live = add("live", "decode live")
    _add_source(live, markers_required=False)
    live.add_argument("--subject", type=Path, metavar="DIR", help="a calibrated subject; without it nothing is decoded")
    live.add_argument("--reconstruct", action="store_true", help="pictures, meshes and captions of what is decoded")
    _add_events(live)
    live.add_argument(
        "--wait", type=_above_zero, default=30.0, metavar="N", help="look for a missing stream for N s (default 30)"
    )
    live.add_argument("--share-eeg", action="store_true", help="send the EEG with a stimulus channel, for MNE programs")
    live.add_argument("--no-record", action="store_true", help="do not record the session")
    return parser


def _add_simulate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--snr", type=float, default=1.0, metavar="X", help="1: evoked amplitudes as published (default); 0: none"
    )
    parser.add_argument(
        "--categories", type=int, metavar="N", help="how many categories of pictures (default: the protocol's)"
    )
    parser.add_argument("--repeats", type=int, metavar="N", help="trials of each category (default: the protocol's)")
    parser.add_argument(
        "--objects", type=_seeds, metavar="N-M", help="the objects shown of each category, as 0-7 (default: all)"
    )
    parser.add_argument("--rate", type=float, metavar="HZ", help="sampling rate, 100 to 5000 (default 250)")
    parser.add_argument(
        "--minutes", type=_above_zero, metavar="M", help="stop after M minutes (default: the protocol's end)"
    )
    parser.add_argument("--protocol", metavar="NAME", help="pictures (default), or another that `present` knows")
    parser.add_argument(
        "--run", type=int, metavar="N", help="day of the participant of --seed (default 0 into a file, 1 live)"
    )
    parser.add_argument(
        "--to", type=_new_file, metavar="FILE.xdf", help="write a new file, faster than real time, instead of streaming"
    )
    parser.add_argument(
        "--dataset", type=Path, metavar="DIR", help="write epochs in the layout of EEG-3D: its protocol, 24 sessions"
    )
    parser.add_argument(
        "--participants",
        type=_seeds,
        metavar="N-M",
        help="seeds of the participants of --dataset, as 9-13 or 9,11; one that is there is left alone",
    )


def _add_stimuli(commands: "argparse._SubParsersAction[_Parser]", common: _Parser) -> None:
    text = "stimulus sets: the built-in one, and folders of your own"
    actions = commands.add_parser("stimuli", help=text, description=text).add_subparsers(
        dest="action", metavar="ACTION", required=True, parser_class=_Parser
    )

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=text, description=text, parents=[common])

    which = "builtin, or a folder of pictures, videos and meshes, in the layout of EEG-3D, or of THINGS"
    add("list", "what is in a set").add_argument(
        "set", nargs="?", default="builtin", metavar="SET", help=f"{which} (default: builtin)"
    )
    add("check", "read a whole set and say what is wrong with it").add_argument("set", metavar="SET", help=which)
    index = add("index", "write the manifest of a folder: every file with its hash")
    index.add_argument("folder", type=Path, metavar="DIR", help="the folder; stimuli.toml in it is replaced")
    index.add_argument("--name", required=True, metavar="NAME", help="what reports call the set")
    index.add_argument("--licence", required=True, metavar="TEXT", help="on what terms you have the files")
    build = add("build", "make the built-in set's pictures and descriptors again, which takes minutes")
    build.add_argument("--to", type=_new_file, required=True, metavar="DIR", help="a new folder for them")
    sheet = add("sheet", "all pictures of a set on one sheet")
    sheet.add_argument("set", metavar="SET", help=which)
    sheet.add_argument("--to", type=_new_file, required=True, metavar="FILE.png", help=NEW_FILE)


def _add_engines(commands: "argparse._SubParsersAction[_Parser]", common: _Parser) -> None:
    text = "exported networks: what runs them here, whether it gives their numbers, and how fast"
    actions = commands.add_parser("engines", help=text, description=text).add_subparsers(
        dest="action", metavar="ACTION", required=True, parser_class=_Parser
    )

    def add(name: str, text: str) -> argparse.ArgumentParser:
        parser = actions.add_parser(name, help=text, description=text, parents=[common])
        parser.add_argument("folder", type=Path, metavar="DIR", help="an exported network or a live subject")
        parser.add_argument("--runtime", action="append", default=[], metavar="NAME",
                            help="tensorrt, onnx, torch and so on; may be repeated (default: all here)")  # fmt: skip
        parser.add_argument("--threads", type=_count, default=1, metavar="N", help="threads of the CPU (default 1)")
        parser.add_argument(
            "--most", type=_count, default=64, metavar="N", help="the largest batch an engine takes (default 64)"
        )
        parser.add_argument(
            "--cache", type=Path, metavar="DIR", help="where engines are kept (default: the user's cache)"
        )
        return parser

    build = add("build", "make what the runtimes here need, and check it")
    build.add_argument("--half", action="store_true", help="write the graph in half precision beside it first")
    build.add_argument("--keep", action="append", default=[], metavar="MODULE",
                       help="with --half: a part of the network that stays in float32")  # fmt: skip
    add("check", "compare every runtime's numbers with those of the export")
    bench = add("bench", "time every runtime, each in a process of its own")
    bench.add_argument("--calls", type=_count, default=200, metavar="N", help="how many calls (default 200)")
    bench.add_argument("--batch", type=_count, default=1, metavar="N", help="trials in a call (default 1)")


def _add_window(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reconstruct", action="store_true", help="pictures and meshes of what is decoded, at once")


def _add_weights(commands: "argparse._SubParsersAction[_Parser]", common: _Parser) -> None:
    text = "pretrained parts: what they are for, on what terms, which are here, and whether they are whole"
    actions = commands.add_parser("weights", help=text, description=text).add_subparsers(
        dest="action", metavar="ACTION", required=True, parser_class=_Parser
    )
    for name, text in (
        ("list", "what each part is for, its licence and size, and whether it is here"),
        ("check", "compare every file that is here with its hash; status 1 where one is damaged"),
        ("where", "where each part is looked for, in order, and how to get it"),
    ):
        parser = actions.add_parser(name, help=text, description=text, parents=[common])
        parser.add_argument("name", nargs="?", metavar="NAME", help="one part (default: all)")


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "system",
        metavar="SYSTEM",
        help='brainssd, "brainssd/without coupling" and other ablations, neuro3d, enigma, ridge; or pocket-vision, '
        "pocket-pictures, pocket-shape; or adapter, a picture generator's, to a trained decoder; or caption-map, from "
        "embeddings to what a captioner sees",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="trials in the layout of EEG-3D")
    parser.add_argument(
        "--participant", default="", metavar="NAME", help="whose (default: the only participant there is)"
    )
    parser.add_argument(
        "--size", choices=("pocket", "full"), default="pocket", help="pocket (default), or as published, for a GPU"
    )
    parser.add_argument(
        "--epochs", type=_count, metavar="N", help="how often all trials are seen (default: the size's budget)"
    )
    parser.add_argument(
        "--learning-rate", type=_above_zero, metavar="R", help="at the top of its cycle (default: the system's budget)"
    )
    parser.add_argument(
        "--encoder", metavar="NAME", help="embeddings of pictures: auto (default), published, pocket or openclip"
    )
    parser.add_argument("--weights", type=Path, metavar="DIR", help="the folder of openclip's weights")
    parser.add_argument("--model", type=Path, metavar="DIR", help="of adapter: the trained decoder it is tuned to")
    parser.add_argument(
        "--generator", choices=("pocket", "sdxl-turbo"), default="pocket",
        help="of adapter: the picture generator it belongs to (default pocket)",
    )  # fmt: skip
    parser.add_argument(
        "--pictures", type=Path, metavar="DIR", help="of caption-map: a folder of pictures (default: built-in objects)"
    )


def _add_present(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "protocol", nargs="?", metavar="PROTOCOL",
        help="eeg3d, pictures, quick, oddball, rsvp, imagery-passive, imagery-active, tangrams, flicker, or a file",
    )  # fmt: skip
    parser.add_argument("--set", metavar="SET", help="builtin, or a folder of stimuli (default: the protocol's)")
    parser.add_argument("--screen", type=int, default=0, metavar="N", help="which screen (see --list-screens)")
    parser.add_argument("--list-screens", action="store_true", help="say which screens there are")
    parser.add_argument("--window", action="store_true", help="in a window instead of the whole screen")
    parser.add_argument("--photodiode", action="store_true", help="a patch in the corner, white while a picture is on")
    parser.add_argument("--hold", action="store_true", help="wait for the space bar before the first trial")
    parser.add_argument("--run", type=int, default=0, metavar="N", help="which run of --seed (default 0)")
    parser.add_argument("--categories", type=int, metavar="N", help="how many categories (default: the protocol's)")
    parser.add_argument("--repeats", type=int, metavar="N", help="trials of each category (default: the protocol's)")
    parser.add_argument("--minutes", type=_above_zero, metavar="M", help="end after the last trial within M minutes")


def _add_source(parser: argparse.ArgumentParser, markers_required: bool) -> None:
    parser.add_argument(
        "--source", required=True, metavar="S", help="lsl:KEY=VALUE,... | brainflow:BOARD?k=v | sim | FILE"
    )
    parser.add_argument("--markers", action="append", default=[], required=markers_required, metavar="M",
                        help="marker stream (KEY=VALUE), or trigger:CHANNEL?mask=...; may be repeated")  # fmt: skip


def _add_events(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--event", action="append", default=[], metavar="CLASS=PATTERN",
                        help="a class and the glob that its marker labels match; repeat for each class")  # fmt: skip
    parser.add_argument("--trial", metavar="PATTERN",
                        help="marker that begins a trial of several windows; they count once")  # fmt: skip


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help=FILE)
    parser.add_argument(
        "--speed", default="max", metavar="X|max", help="1 is the original timing (default: as fast as possible)"
    )
    parser.add_argument("--over-lsl", action="store_true", help="stream the file over LSL and receive it again")
    parser.add_argument("--subject", type=Path, metavar="DIR", help="decode with this subject")
    parser.add_argument("--reconstruct", action="store_true", help="picture, mesh and caption of each trial")
    parser.add_argument(
        "--dependency",
        action="store_true",
        help="with --reconstruct, which stream each picture hangs on, and over the session; takes minutes",
    )
    parser.add_argument("--stream", metavar="KEY=VALUE", help=f"the stream to replay: {STREAM_KEYS}")
    parser.add_argument("--markers", action="append", default=[], metavar="M", help=MARKERS)
    _add_events(parser)


def _add_calibrate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=FILE)
    parser.add_argument("--stream", metavar="KEY=VALUE", help=f"the stream to use: {STREAM_KEYS}")
    parser.add_argument("--markers", action="append", default=[], metavar="M", help=MARKERS)
    parser.add_argument(
        "--system",
        metavar="NAME",
        help="auto (default: chosen inside training folds), lda, ridge, riemann, bandpower, cca; of two windows "
        'brainssd, "brainssd/without coupling" and other ablations',
    )
    parser.add_argument(
        "--size", choices=("pocket", "full"), help="of a network: pocket (default), or as published, for a GPU"
    )
    parser.add_argument("--epochs", type=_count, metavar="N", help="of training a network (default: the size's)")
    parser.add_argument("--set", metavar="SET", help="what was shown: builtin (default), or a folder of stimuli")
    parser.add_argument("--encoder", metavar="NAME", help="embeddings of what was shown: pocket (default) or openclip")
    parser.add_argument("--weights", type=Path, metavar="DIR", help="the folder of openclip's weights")
    _add_events(parser)


def _band(text: str) -> tuple[float, float]:
    low, _, high = text.partition("-")
    try:
        return float(low), float(high)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected LOW-HIGH in Hz, such as 4-8, got {text!r}") from None


def _add_coupling(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help=FILE)
    parser.add_argument(
        "--phase", type=_band, default=(4.0, 8.0), metavar="LOW-HIGH", help="band of the phase, Hz (default 4-8)"
    )
    parser.add_argument(
        "--amplitude", type=_band, default=(30.0, 45.0), metavar="LOW-HIGH", help="of the amplitude (default 30-45)"
    )
    parser.add_argument("--surrogates", type=int, default=200, metavar="N", help="0: no z and no p (default 200)")
    parser.add_argument("--event", action="append", default=[], metavar="CLASS=PATTERN",
                        help="a class and the glob of its marker labels (default: the whole recording)")  # fmt: skip
    parser.add_argument(
        "--window", nargs=2, type=float, metavar=("T0", "T1"), help="seconds around each marker (default 0 1)"
    )
    parser.add_argument("--stream", metavar="KEY=VALUE", help=f"the stream to use: {STREAM_KEYS}")
    parser.add_argument("--markers", action="append", default=[], metavar="M", help=MARKERS)


def _add_data(parser: argparse.ArgumentParser, required: bool = True) -> None:
    parser.add_argument("--data", type=Path, required=required, metavar="DIR", help="a folder in the layout of EEG-3D")
    parser.add_argument(
        "--permutations", type=_count, default=999, metavar="N", help="shuffles behind each p (default 999)"
    )
    parser.add_argument(
        "--encoder", default="auto", metavar="NAME", help="embeddings: auto (default), published, pocket or openclip"
    )
    parser.add_argument("--weights", type=Path, metavar="DIR", help="the folder of openclip's weights")


def _add_compare(parser: argparse.ArgumentParser) -> None:
    _add_data(parser, required=False)
    parser.add_argument("--participants", metavar="A,B", help="by name or number (default: all)")
    parser.add_argument(
        "--systems", metavar="X,Y", help="recipes, also X@shuffled, X@eyes, X@published (default: docs/evaluation.md)"
    )
    parser.add_argument(
        "--seeds", type=_seeds, default=(0, 1, 2), metavar="0-2", help="numbers and ranges with commas (default 0-2)"
    )
    parser.add_argument(
        "--size", choices=("pocket", "full"), help="of networks (default: full for the published data, else pocket)"
    )
    parser.add_argument(
        "--as-published", action="store_true",
        help="train systems as published tables were made too (default for the published data without --systems)",
    )  # fmt: skip
    parser.add_argument("--jobs", type=_count, default=1, metavar="N", help="runs at a time (default 1)")
    parser.add_argument("--note", default="", metavar="TEXT", help="what the table shall say of the data")
    recordings = parser.add_argument_group("instead of --data", "networks of one window beside the linear systems")
    recordings.add_argument("files", nargs="*", type=Path, metavar="FILE", help=f"{FILE}; or .tar of SMNI trials")
    recordings.add_argument(
        "--leave-out", choices=("block", "participant"), default="block",
        help="what is held out in turn: blocks of time or runs (default), or participants, a file each",
    )  # fmt: skip
    recordings.add_argument("--stream", metavar="KEY=VALUE", help=f"the stream to use: {STREAM_KEYS}")
    recordings.add_argument("--markers", action="append", default=[], metavar="M", help=MARKERS)
    _add_events(recordings)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "models", nargs="+", type=Path, metavar="DIR",
        help="a trained model; several of one system, each on a participant of its own, are pooled",
    )  # fmt: skip
    _add_data(parser)
    parser.add_argument("--participant", metavar="P", help="by name or number (default: whom it was trained on)")
    parser.add_argument(
        "--reconstruct", action="store_true",
        help="pictures and shapes of what was decoded, measured beside floors, on contact sheets; takes minutes",
    )  # fmt: skip
    parser.add_argument(
        "--as-published", action="store_true", help="train it again as published tables were made, and show both"
    )
