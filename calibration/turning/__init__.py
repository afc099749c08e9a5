"""Calibration of decoders of pictures and turns, from recordings to a subject."""
