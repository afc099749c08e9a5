"""Any BrainFlow board as a source: EEG in microvolts, its other rows, its package counter, its marker row.

BrainFlow stamps samples with the computer's wall clock (UNIX seconds). The stamps stay as they are; the way to the LSL
clock is measured beside them, like a remote sender's clock, so that a wall clock being set shows up as an offset.
"""

import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pylsl import local_clock

from engines.errors import AfterimageError, InputError
from pipeline.errors import SourceFailed, StreamMissing
from pipeline.sources.brainflow_package import (
    BoardIds,
    BoardShim,
    BrainFlowError,
    BrainFlowExitCodes,
    BrainFlowInputParams,
)
from pipeline.types import (
    Array,
    Channel,
    ClockOffset,
    EegChunk,
    Item,
    Kind,
    MarkerChunk,
    SourceEvent,
    StreamInfo,
)

MARKERS = "brainflow:markers"
BUFFER_S = 60.0
MEASURE_EVERY_S = 5.0
# BrainFlow cannot be waited for: half of this is the mean price in latency, polling faster costs CPU.
POLL_S = 0.005
_KINDS = {"eeg": Kind.EEG, "eog": Kind.EOG, "emg": Kind.EMG, "ecg": Kind.ECG}
_VIRTUAL = {BoardIds.PLAYBACK_FILE_BOARD, BoardIds.STREAMING_BOARD}
_REMEDIES = {
    BrainFlowExitCodes.INVALID_ARGUMENTS_ERROR: "give the parameters this board needs, such as serial_port or "
    "mac_address: brainflow:CYTON_BOARD?serial_port=/dev/ttyUSB0",
    BrainFlowExitCodes.UNABLE_TO_OPEN_PORT_ERROR: "check the port's name, that the dongle is plugged in, and that no "
    "other program holds it",
    BrainFlowExitCodes.PORT_ALREADY_OPEN_ERROR: "close the other program that holds the port",
    BrainFlowExitCodes.ANOTHER_BOARD_IS_CREATED_ERROR: "close the other session with this board",
    BrainFlowExitCodes.BOARD_NOT_READY_ERROR: "switch the board on and bring it near",
}
_WRONG_CALL = {BrainFlowExitCodes.INVALID_ARGUMENTS_ERROR, BrainFlowExitCodes.UNSUPPORTED_BOARD_ERROR}


class BrainFlowSource:
    """One board, by name or number, with BrainFlow's own input parameters.

    Items: samples with UNIX stamps, markers of the marker row (key "brainflow:markers"), a `ClockOffset` for both
    first of all and every 5 s, and `SourceEvent`s "package_loss" and "overrun" (n samples lost).

    Thread: whoever opened it, one thread only.
    """

    live = True

    def __init__(self, board: str, params: Mapping[str, str] | None = None) -> None:
        self._board = board_id(board)
        self._params = input_params(params or {})
        self._shim: BoardShim | None = None
        self._next_measure_s = -math.inf
        self._last_stamp_s = math.nan

    @property
    def info(self) -> StreamInfo:
        """The board's EEG and other rows; known after `open`."""
        return self._info

    @property
    def marker_streams(self) -> dict[str, StreamInfo]:
        """The marker row."""
        return {MARKERS: StreamInfo("BrainFlow markers", "Markers", 1, 0.0, "string", stream_id=MARKERS)}

    def open(self) -> None:
        """Connect to the board and start it.

        Raises:
            InputError: the board is unknown to BrainFlow, has no EEG, or lacks a parameter.
            StreamMissing: the board does not answer.
        """
        BoardShim.disable_board_logger()  # it writes to standard output and error
        descriptor = self._descriptor()
        self._rows, channels = rows_of(descriptor)
        self._row_of = {key: int(descriptor[f"{key}_channel"]) for key in ("timestamp", "marker")}
        package_row = descriptor.get("package_num_channel")
        self._package_row = None if package_row is None else int(package_row)
        self._packages = PackageCounter()
        rate_hz = float(descriptor["sampling_rate"])
        self._capacity = int(BUFFER_S * rate_hz)
        self._info = StreamInfo(
            name=str(descriptor["name"]),
            type="EEG",
            n_channels=len(channels),
            sfreq_hz=rate_hz,
            dtype="float64",
            source_id=f"brainflow:{self._board.name}",
            channels=channels,
            manufacturer="BrainFlow",
            simulated=self._board is BoardIds.SYNTHETIC_BOARD,
        )
        try:
            self._shim = BoardShim(self._board, self._params)
            self._shim.prepare_session()
            self._shim.start_stream(self._capacity)
        except BrainFlowError as error:
            self.close()
            raise self._explained(error) from error

    def _descriptor(self) -> dict[str, Any]:
        described = self._params.master_board if self._board in _VIRTUAL else self._board
        try:
            return dict(BoardShim.get_board_descr(described))
        except BrainFlowError as error:
            raise InputError(
                f"BrainFlow cannot describe the board {self._board.name}; for a playback or streaming board also give "
                "master_board=NAME, for example brainflow:PLAYBACK_FILE_BOARD?file=rec.csv&master_board=CYTON_BOARD"
            ) from error

    def _explained(self, error: BrainFlowError) -> AfterimageError:
        code = BrainFlowExitCodes(error.exit_code)
        remedy = _REMEDIES.get(code, "check that the board is on, charged and near, and that its parameters are right")
        kind = InputError if code in _WRONG_CALL else StreamMissing
        return kind(f"the board {self._board.name} did not start ({code.name}); {remedy}")

    def read(self, timeout_s: float) -> Sequence[Item]:
        """What came, within `timeout_s`.

        Raises:
            SourceFailed: BrainFlow reports a failure while running.
        """
        if self._shim is None:
            raise SourceFailed(f"the board {self._board.name} is not open; open it before reading")
        deadline_s = local_clock() + timeout_s
        items: list[Item] = self._measured()
        try:
            while not (waiting := self._shim.get_board_data_count()):
                left_s = deadline_s - local_clock()
                if items or left_s <= 0:
                    return items
                time.sleep(min(POLL_S, left_s))
            block = self._shim.get_board_data()
        except BrainFlowError as error:
            raise SourceFailed(f"the board {self._board.name} failed while running: {error}; reconnect it") from error
        return items + self._unpacked(block, full=waiting >= self._capacity)

    def _measured(self) -> list[Item]:
        now_s = local_clock()
        if now_s < self._next_measure_s:
            return []
        self._next_measure_s = now_s + MEASURE_EVERY_S
        at_s, value_s = wall_clock_offset()
        return [ClockOffset(stream, at_s, value_s) for stream in ("", MARKERS)]

    def _unpacked(self, block: Array, full: bool) -> list[Item]:
        arrived_s = local_clock()
        stamps_s = block[self._row_of["timestamp"]].copy()
        items: list[Item] = []
        step = round((float(stamps_s[0]) - self._last_stamp_s) * self._info.sfreq_hz) - 1 if full else 0
        if step > 0:
            items.append(SourceEvent("overrun", f"BrainFlow's buffer overflowed: {step} samples lost", n=step))
        elif self._package_row is not None and (n_lost := self._packages.lost(block[self._package_row])):
            items.append(SourceEvent("package_loss", f"the package counter skips {n_lost} samples", n=n_lost))
        self._last_stamp_s = float(stamps_s[-1])
        marker_row = block[self._row_of["marker"]]
        at = np.flatnonzero(marker_row)
        if at.size:
            labels = tuple(f"{value:g}" for value in marker_row[at])
            items.append(MarkerChunk(MARKERS, labels, tuple(stamps_s[at].tolist()), arrived_s))
        items.append(EegChunk(block[self._rows], stamps_s, arrived_s))
        return items

    def insert_marker(self, value: float) -> None:
        """Mark the sample that comes next. Thread: any.

        Raises:
            InputError: zero, which means "no marker" in BrainFlow's marker row.
            SourceFailed: the board is not open.
        """
        if value == 0:
            raise InputError("a BrainFlow marker of 0 means no marker; use any other number")
        if self._shim is None:
            raise SourceFailed(f"the board {self._board.name} is not open; open it before marking")
        self._shim.insert_marker(value)

    def close(self) -> None:
        """Stop and release the board. Safe to call twice."""
        shim, self._shim = self._shim, None
        if shim is not None and shim.is_prepared():
            shim.release_session()  # stops the stream as well


class PackageCounter:
    """Counts lost samples in a board's package counter, whatever its period and step.

    Boards wrap at different numbers (256, 201, 2**16...) and some share one number between several samples: both are
    learned, the period as the largest number seen. So nothing is claimed before it is known; a loss of a whole period
    cannot be seen, nor one across the first wrap.
    """

    def __init__(self) -> None:
        self._last = math.nan
        self._largest = -math.inf
        self._step = math.inf
        self._repeats = 0
        self._run = 0
        self._wrapped = False

    def lost(self, counts: Array) -> int:
        """Samples lost before and between `counts` (n,), the next ones of the counter."""
        n_lost = 0
        for count in counts.tolist():
            n_lost += self._next(count)
        return n_lost

    def _next(self, count: float) -> int:
        step, before = count - self._last, self._last
        self._last = count
        if math.isnan(before) or step == 0:
            self._run += 1
            return 0
        self._repeats, self._run = max(self._repeats, self._run), 1
        if step > 0:
            self._step = min(self._step, step)
        elif not self._wrapped:
            self._wrapped = True
            self._largest = max(self._largest, before)
            return 0
        self._largest = max(self._largest, before)
        if step < 0:
            step += self._largest + self._step
        return round(step / self._step - 1) * self._repeats if step > self._step else 0


def board_id(board: str) -> BoardIds:
    """A board by BrainFlow's name or number.

    Raises:
        InputError: BrainFlow has no such board.
    """
    if re.fullmatch(r"-?\d+", board) and int(board) in set(BoardIds):
        return BoardIds(int(board))
    if board.upper() in BoardIds.__members__:
        return BoardIds[board.upper()]
    names = ", ".join(name for name in BoardIds.__members__ if name != "NO_BOARD")
    raise InputError(f"BrainFlow has no board {board!r}; write for example brainflow:SYNTHETIC_BOARD; it has: {names}")


def input_params(params: Mapping[str, str]) -> BrainFlowInputParams:
    """BrainFlow's parameters from texts.

    Raises:
        InputError: an unknown parameter, or text where a number belongs.
    """
    result = BrainFlowInputParams()
    known = vars(result)
    for key, text in params.items():
        if key not in known:
            raise InputError(f"BrainFlow has no parameter {key!r}; it has: {', '.join(known)}")
        if key == "master_board":
            result.master_board = board_id(text)
        elif isinstance(known[key], int) and not re.fullmatch(r"-?\d+", text):
            raise InputError(f"BrainFlow's parameter {key} is a whole number; came {text!r}")
        else:
            setattr(result, key, type(known[key])(text))
    return result


def rows_of(descriptor: Mapping[str, Any]) -> tuple[list[int], tuple[Channel, ...]]:
    """The rows that carry measurements and what they measure; the potentials in microvolts, EEG first.

    Raises:
        InputError: the board measures no EEG.
    """
    eeg = descriptor.get("eeg_channels", [])
    if not eeg:
        raise InputError(f"the board {descriptor['name']} measures no EEG; choose another")
    names = str(descriptor.get("eeg_names", "")).split(",")
    names = names if len(names) == len(eeg) else [f"EEG {k + 1}" for k in range(len(eeg))]
    found = {row: Channel(name, Kind.EEG, "microvolts") for row, name in zip(eeg, names, strict=True)}
    potentials = [word for word in _KINDS if f"{word}_channels" in descriptor]
    others = sorted(key.removesuffix("_channels") for key in descriptor if key.endswith("_channels"))
    for word in (*potentials, *(word for word in others if word not in _KINDS)):
        for k, row in enumerate(descriptor[f"{word}_channels"]):
            unit = "microvolts" if word in _KINDS else None
            found.setdefault(row, Channel(f"{word} {k + 1}", _KINDS.get(word, Kind.MISC), unit))
    return list(found), tuple(found.values())


def wall_clock_offset(rounds: int = 5) -> tuple[float, float]:
    """(UNIX seconds, what to add to them for the LSL clock), from the tightest of a few bracketed readings."""
    best = (math.inf, 0.0, 0.0)
    for _ in range(rounds):
        before_s, wall_s, after_s = local_clock(), time.time(), local_clock()
        best = min(best, (after_s - before_s, wall_s, (before_s + after_s) / 2 - wall_s))
    return best[1], best[2]
