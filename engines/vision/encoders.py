"""Picture encoders by name, and what finds segments in pictures; what is heavy is imported when it is opened."""

from pathlib import Path
from typing import TYPE_CHECKING

from engines.errors import InputError
from engines.generators.config import GeneratorsConfig
from engines.vision.base import PictureEncoder
from engines.vision.pocket import PocketVision
from engines.weights import part, require_here

if TYPE_CHECKING:
    from engines.vision.segments import Sam

NAMES = ("pocket", "openclip")


def open_encoder(name: str, weights: Path | None = None) -> PictureEncoder:
    """The encoder `name`: "pocket" (its own weights unless `weights` names a file) or "openclip" (folder `weights`).

    Raises:
        InputError: there is no such encoder, or its weights are not there.
    """
    if name == "pocket":
        return PocketVision.load() if weights is None else PocketVision.load(weights)
    if name == "openclip":
        from engines.vision.openclip import HOW_TO_GET, OpenClip  # transformers takes seconds to import

        if weights is None:
            raise InputError(f"openclip: expected the folder of its weights, got none; {HOW_TO_GET}")
        return OpenClip.load(weights)
    raise InputError(f"expected a picture encoder ({', '.join(NAMES)}), got {name!r}")


def open_segmenter(config: GeneratorsConfig) -> "Sam":
    """SAM from where `config` says, else from the user's hub cache.

    Raises:
        InputError: it is not here; the message says what to do.
        WorkError: there was not enough memory.
    """
    found = require_here(part("sam"), config)
    from engines.generators.published import device_of
    from engines.vision.segments import Sam  # transformers takes seconds to import

    return Sam.load(found.place, device_of(config.device))
