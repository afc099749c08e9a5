"""From an embedding back to what was seen: pictures, shapes, words."""

import logging


def _other(record: logging.LogRecord) -> bool:
    """All that transformers says but this: diffusers imports image processors by names that it now keeps for
    torchvision, and is given those without, which nothing here uses.
    """
    return "requires torchvision (not installed); falling back to" not in record.getMessage()


logging.getLogger("transformers.utils.import_utils").addFilter(_other)
