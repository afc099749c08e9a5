"""Speed, measured beside peers in the same run. `python -m tests.bench [NAME...]`; `make bench`."""

import engines.generators  # noqa: F401 - before diffusers, which makes transformers speak of torchvision
