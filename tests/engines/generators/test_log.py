"""What libraries say when generators open: nothing of torchvision, everything else."""

import logging
import subprocess
import sys

import pytest

import engines.generators  # noqa: F401 - what it does to the log is under test

NAME = "transformers.utils.import_utils"


def test_the_line_about_torchvision_is_left_out_and_no_other():
    logger = logging.getLogger(NAME)
    said = [
        "`CLIPImageProcessor` requires torchvision (not installed); falling back to `CLIPImageProcessorPil` for ...",
        "Could not import module 'CLIPModel'.",
    ]
    records = [logger.makeRecord(NAME, logging.WARNING, __file__, 1, text, (), None) for text in said]
    assert [bool(logger.filter(record)) for record in records] == [False, True]


@pytest.mark.slow
def test_opening_the_pocket_generator_says_nothing():
    code = "from engines.generators.pocket import pocket_pictures; pocket_pictures()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=150)
    assert (done.stdout, done.stderr) == ("", "")
