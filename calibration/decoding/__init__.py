"""Decoders of pictures and turns: trials, training, evaluation, and the folder that runs live."""
