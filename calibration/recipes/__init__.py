"""How each network is trained: data, model and loss."""

import engines.generators  # noqa: F401 - before diffusers, which makes transformers speak of torchvision
