"""A continuous recording in any format MNE reads (EDF, BDF, BrainVision, EEGLAB, FIF...) as a source.

Samples are read from the disk block by block. Numbers stay as MNE gives them, volts for electrodes; a channel whose
file declares no unit stays without one. Stamps are sample numbers over the rate.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import FileUnreadable, SourceFailed, StreamMissing
from pipeline.montage import kind_of
from pipeline.sources.base import SourceEnded
from pipeline.types import Channel, EegChunk, Item, Kind, MarkerChunk, SourceEvent, StreamInfo

ANNOTATIONS = "annotations"
_BLOCK_S = 1.0
# MNE's channel types; what is none of these is measured, and no electrode.
_KINDS = {"eeg": Kind.EEG, "eog": Kind.EOG, "emg": Kind.EMG, "ecg": Kind.ECG, "stim": Kind.STIM}
# How MNE spells a unit that the file does not declare.
_NO_UNIT = ("n/a", "")


class MneSource:
    """Plays one file, as fast as it is read.

    Annotations are the marker stream "annotations": their description as label, stamped with the nearest sample. Stim
    channels stay channels, of kind STIM. `markers` None takes the annotations where there are any; otherwise each
    selector must name them (`name=annotations`).

    Thread: as every source, one thread only.
    """

    live = False

    def __init__(self, path: Path | str, markers: Sequence[Mapping[str, str]] | None = None) -> None:
        self.path = Path(path)
        self._markers = markers
        self._raw: Any = None
        self._batches: Iterator[list[Item]] = iter(())
        self.marker_streams: dict[str, StreamInfo] = {}

    @property
    def info(self) -> StreamInfo:
        """The recording as one stream; known after `open`."""
        return self._info

    def open(self) -> None:
        """Read the header.

        Raises:
            FileUnreadable: MNE cannot read it as a continuous recording; the message says why.
            StreamMissing: annotations are asked for and there are none, or something else is.
        """
        self._raw, told = _read_header(self.path)
        self._info = _stream_info(self._raw, self.path)
        wanted = len(self._raw.annotations) > 0 if self._markers is None else self._wants_annotations(self._markers)
        if wanted:
            self.marker_streams = {ANNOTATIONS: StreamInfo(ANNOTATIONS, "Markers", 1, 0.0, "string")}
        self._batches = self._play(wanted, told)

    def _wants_annotations(self, selectors: Sequence[Mapping[str, str]]) -> bool:
        for selector in selectors:
            if set(selector.items()) - {("name", ANNOTATIONS), ("id", ANNOTATIONS), ("type", "Markers")}:
                wish = ",".join(f"{key}={value}" for key, value in selector.items())
                raise StreamMissing(f"{self.path} has no marker stream {wish}; its markers are name={ANNOTATIONS}")
        if selectors and not len(self._raw.annotations):
            raise StreamMissing(f"{self.path} holds no annotations")
        return bool(selectors)

    def read(self, timeout_s: float) -> Sequence[Item]:
        """The next block of samples, after the markers that lie in it; never waits.

        Raises:
            SourceEnded: the file is read.
            SourceFailed: the file broke while it was read.
        """
        batch = next(self._batches, None)
        if batch is None:
            raise SourceEnded
        return batch

    def close(self) -> None:
        """Forget the file. Safe to call twice."""
        self._batches = iter(())
        if self._raw is not None:
            self._raw.close()
            self._raw = None

    def _play(self, with_markers: bool, told: list[str]) -> Iterator[list[Item]]:
        yield [SourceEvent("file_warning", text) for text in told]
        raw, sfreq_hz = self._raw, self._info.sfreq_hz
        markers = _annotations(raw) if with_markers else []
        n_block = max(1, round(_BLOCK_S * sfreq_hz))
        for start in range(0, raw.n_times, n_block):
            stop = min(start + n_block, raw.n_times)
            due = [(at, label) for at, label in markers if at < stop]
            markers = markers[len(due) :]
            # Counted from 1: a stamp of 0 means none in LSL.
            stamps = np.arange(start + 1, stop + 1, dtype=np.float64) / sfreq_hz
            yield [*_marker_items(due, sfreq_hz), EegChunk(self._block(start, stop), stamps)]
        yield _marker_items(markers, sfreq_hz)

    def _block(self, start: int, stop: int) -> Any:
        try:
            return self._raw.get_data(start=start, stop=stop, verbose="error")
        except (OSError, ValueError, RuntimeError, IndexError) as error:
            raise SourceFailed(f"{self.path} cannot be read from sample {start} on: {error}") from error


def _marker_items(due: list[tuple[int, str]], sfreq_hz: float) -> list[Item]:
    if not due:
        return []
    labels = tuple(label for _, label in due)
    return [MarkerChunk(ANNOTATIONS, labels, tuple((at + 1) / sfreq_hz for at, _ in due))]


def _annotations(raw: Any) -> list[tuple[int, str]]:
    """(sample, description), sorted by sample."""
    onsets_s = raw.annotations.onset - raw.first_time
    samples = np.round(onsets_s * raw.info["sfreq"]).astype(np.int64)
    return sorted(zip(samples.tolist(), map(str, raw.annotations.description), strict=True), key=lambda pair: pair[0])


def _read_header(path: Path) -> tuple[Any, list[str]]:
    """MNE's reader and the sentences it warned with.

    Raises:
        FileUnreadable: MNE refuses the file.
    """
    import mne  # a second to import, and only files that are no XDF need it

    if not path.exists():
        raise FileUnreadable(f"{path} does not exist")
    with warnings.catch_warnings(record=True) as caught, _off_the_terminal():
        warnings.simplefilter("always")
        try:
            raw = mne.io.read_raw(path, preload=False, verbose="warning")
        except Exception as error:  # MNE raises anything, a bare Exception for bad annotations
            raise FileUnreadable(_why(path, error)) from error
    if raw.n_times == 0 or not raw.ch_names:
        raise FileUnreadable(f"{path} holds no samples")
    return raw, [str(warning.message) for warning in caught]


@contextmanager
def _off_the_terminal() -> Iterator[None]:
    """MNE logs to standard output, which belongs to the report; what it warns of is caught as warnings."""
    log = logging.getLogger("mne")
    handlers, propagate = log.handlers[:], log.propagate
    log.handlers[:], log.propagate = [logging.NullHandler()], False
    try:
        yield
    finally:
        log.handlers[:], log.propagate = handlers, propagate


def _why(path: Path, error: Exception) -> str:
    text = " ".join(str(error).split())
    if "number of trials" in text:
        return (
            f"{path} holds cut epochs where a continuous recording is needed; export the data set before it was "
            f"epoched ({text})"
        )
    return f"{path} cannot be read as a continuous recording, {type(error).__name__}: {text}"


def _stream_info(raw: Any, path: Path) -> StreamInfo:
    units = getattr(raw, "_orig_units", None) or {}
    channels = tuple(
        _channel(name, kind, place, units.get(name))
        for name, kind, place in zip(raw.ch_names, raw.get_channel_types(), raw.info["chs"], strict=True)
    )
    return StreamInfo(
        name=path.stem,
        type="EEG",
        n_channels=len(channels),
        sfreq_hz=float(raw.info["sfreq"]),
        dtype="float64",
        stream_id="0",
        channels=channels,
    )


def _channel(name: str, mne_kind: str, place: Mapping[str, Any], declared_unit: str | None) -> Channel:
    from mne.io.constants import FIFF

    kind = _KINDS.get(mne_kind, Kind.MISC)
    if kind is Kind.EEG:  # EDF and others call every channel EEG
        kind = kind_of(name, mne_kind)
    in_volts = place["unit"] == FIFF.FIFF_UNIT_V and declared_unit not in _NO_UNIT
    xyz = np.asarray(place["loc"][:3], dtype=np.float64)
    located = kind is Kind.EEG and bool(np.isfinite(xyz).all() and xyz.any())
    position = (float(xyz[0]), float(xyz[1]), float(xyz[2])) if located else None
    return Channel(name.strip(), kind, "V" if in_volts else None, position)
