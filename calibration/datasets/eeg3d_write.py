"""Writes the layout of EEG-3D, so that what trains on the published data trains on generated data from the same files.

The folder says in `origin.json` that it is not the published data. Arrays are written trial by trial: none is in memory
whole.
"""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from calibration.datasets.eeg3d import ORIGIN_FILE, Origin
from calibration.datasets.eeg3d_names import Label
from calibration.datasets.eeg3d_trials import CUTS, N_CHANNELS, NAMES_FILE, Part, Stream, open_trials
from calibration.sets.errors import SetUnusable
from calibration.stimuli import Item, Picture, StimulusSet
from pipeline.types import Array

_CRF = "18"
_XLSX = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Target="xl/workbook.xml" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Target="worksheets/sheet1.xml" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
}
_SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)


def labels_of(stimuli: StimulusSet) -> dict[Item, Label]:
    """Names for the items of any set, categories numbered from 01 in their own order.

    Raises:
        SetUnusable: more than 99 categories, or an object that is no number from 00 to 99.
    """
    categories = list(dict.fromkeys(item.category for item in stimuli.items))
    labels = {}
    for item in stimuli.items:
        labels[item] = Label.parse(f"{categories.index(item.category) + 1:02d}_{item.category}_{item.object}")
    return labels


def write_stimuli(folder: Path, stimuli: StimulusSet, origin: Origin, videos: bool = True) -> None:
    """Pictures, turns, point clouds and colour labels of `stimuli`; what it has not got is left out. Videos take long.

    Raises:
        SetUnusable: a set that has no such names.
        FileExistsError: there is such a folder.
    """
    labels = labels_of(stimuli)
    for place in ("image", "video_new", "point_cloud_simple"):
        (folder / place).mkdir(parents=True)
    (folder / ORIGIN_FILE).write_text(origin.model_dump_json(indent=1) + "\n", encoding="utf-8")
    colours = {}
    for item, label in labels.items():
        picture = folder / "image" / item.category / f"{label}.png"
        picture.parent.mkdir(exist_ok=True)
        Image.fromarray(stimuli.picture(item)).save(picture)
        if videos and (turn := stimuli.turn(item)) is not None:
            write_video(folder / "video_new" / f"{label}.mp4", *turn)
        if (points := stimuli.point_cloud(item)) is not None:
            np.save(folder / "point_cloud_simple" / f"{label.key}.npy", points.astype(np.float32))
        if (colour := stimuli.colour_label(item)) is not None:
            colours[label.key] = colour
    if colours:
        write_colours(folder / "color_label.xlsx", colours)


def write_subject(
    folder: Path,
    subject: str,
    labels: Sequence[Label],
    epochs: Iterable[tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]],
) -> Path:
    """Arrays of one subject: for each of `labels` a static (64, 250) and a dynamic (64, 600) epoch. Returns its folder.

    Epochs are written as they come, in float32; `standardised` makes of one what the authors make.

    Raises:
        SetUnusable: an epoch of another shape, or not as many as labels.
        FileExistsError: the subject is there already.
    """
    place = folder / "EEGdata" / subject
    place.mkdir(parents=True)
    arrays = {
        stream: _create(place / f"process_data_{cut.name}.npy", (len(labels),), stream) for stream, cut in CUTS.items()
    }
    source = iter(epochs)
    for number, label in enumerate(labels):
        pair = next(source, None)
        if pair is None:
            raise SetUnusable(f"{subject}: expected {len(labels)} epochs, came {number}")
        for (stream, array), epoch in zip(arrays.items(), pair, strict=True):
            if epoch.shape != array.shape[1:]:
                raise SetUnusable(f"{label}, {stream}: expected an epoch {array.shape[1:]}, came {epoch.shape}")
            array[number] = epoch
    if next(source, None) is not None:
        raise SetUnusable(f"{subject}: expected {len(labels)} epochs, came more epochs than labels")
    for array in arrays.values():
        array.flush()
    np.save(place / NAMES_FILE, np.array([str(label) for label in labels]))
    return place


def organise(place: Path) -> None:
    """Write the sorted training and test arrays beside the recorded ones, as EEG_organization.py does.

    Raises:
        SetUnusable: an irregular design; whatever `open_trials` refuses.
    """
    trials = open_trials(place, ())
    parts: tuple[Part, Part] = ("train", "test")
    for part in parts:
        numbers = trials.grid(part)
        for stream, cut in CUTS.items():
            array = _create(place / f"{place.name}_{part}_data_{cut.name}.npy", numbers.shape, stream)
            for at in np.ndindex(numbers.shape):
                array[at] = trials.read(stream, numbers[at])
            array.flush()


def standardised(epoch: Array) -> NDArray[np.float32]:
    """`epoch` (channels, time) less its mean, over its deviation, both over everything in it, as EEG-3D does.

    Raises:
        SetUnusable: it is flat.
    """
    deviation = float(epoch.std())
    if deviation == 0.0:
        raise SetUnusable("an epoch is flat in all its channels; expected a recording")
    return np.asarray((epoch - epoch.mean()) / deviation, dtype=np.float32)


def write_video(path: Path, frames: Picture, rate_hz: float) -> None:
    """H.264 in MP4; sides are cut to even numbers, which it needs.

    Raises:
        OSError: the file cannot be written.
    """
    height, width = (side - side % 2 for side in frames.shape[1:3])
    with av.open(str(path), "w") as container:
        rate = Fraction(rate_hz).limit_denominator(1001)
        stream = container.add_stream("libx264", rate=rate, options={"crf": _CRF, "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            whole = np.ascontiguousarray(frame[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(whole, format="rgb24")))
        container.mux(stream.encode(None))


def write_colours(path: Path, colours: Mapping[str, int]) -> None:
    """A table with columns `name` and `label`, one row a key.

    Raises:
        OSError: the file cannot be written.
    """
    rows = "".join(_row(name, f'<c t="n"><v>{label}</v></c>') for name, label in colours.items())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {
            **_XLSX,
            "xl/worksheets/sheet1.xml": _SHEET.format(_row("name", _inline("label")) + rows),
        }.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + text)


def _row(name: str, second: str) -> str:
    return f"<row>{_inline(name)}{second}</row>"


def _inline(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def _create(path: Path, shape: tuple[int, ...], stream: Stream) -> np.memmap[tuple[int, ...], np.dtype[np.float32]]:
    whole = (*shape, N_CHANNELS, CUTS[stream].n_samples)
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=whole)
