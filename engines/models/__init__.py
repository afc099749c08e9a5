"""Decoders as plain arrays and one pure forward step."""
