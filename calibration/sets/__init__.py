"""Stimulus sets on disk: folders with a checked manifest, THINGS-style folders, and what they are read with."""
