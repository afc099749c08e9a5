"""Recordings, whole and damaged, through the command line."""
