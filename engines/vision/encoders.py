"""Picture encoders by name."""

from pathlib import Path

from engines.errors import InputError
from engines.vision.base import PictureEncoder
from engines.vision.pocket import PocketVision

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
