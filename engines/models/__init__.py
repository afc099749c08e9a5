"""Decoders, as plain arrays and as networks: arrays in, arrays out, one pure step."""
