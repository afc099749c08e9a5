"""A small folder in the layout of EEG-3D, with an answer planted in it."""

from pathlib import Path

import numpy as np

from calibration.datasets.eeg3d import Origin
from calibration.datasets.eeg3d_write import labels_of, standardised, write_stimuli, write_subject
from calibration.objects.builtin import BuiltIn
from calibration.objects.catalogue import CATEGORIES
from calibration.stimuli import Only


def small_folder(folder: Path, subjects=("sub01", "sub02"), repeats=2, effect=1.0, categories=3) -> Path:
    """Categories of ten objects, each shown `repeats` times, 08 and 09 twice as often."""
    built_in = BuiltIn()
    shown = Only(built_in, tuple(item for item in built_in.items if item.category in CATEGORIES[:categories]))
    origin = Origin(made_by="a test, SNR 7", simulated=True, causal=True, n_per_session=categories)
    write_stimuli(folder, shown, origin, videos=False)
    labels = labels_of(shown)
    often = [item for item in shown.items for _ in range(repeats * (1 + (item.object >= "08")))]
    for number, subject in enumerate(subjects):
        rng = np.random.default_rng(number)
        order = [often[i] for i in rng.permutation(len(often))]
        courses = [rng.standard_normal((categories, 64, n)) for n in (250, 600)]
        epochs = (
            tuple(
                standardised(rng.standard_normal(course.shape[1:]) + effect * course[CATEGORIES.index(item.category)])
                for course in courses
            )
            for item in order
        )
        write_subject(folder, subject, [labels[item] for item in order], epochs)
    return folder
