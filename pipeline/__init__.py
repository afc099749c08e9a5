"""Samples and seconds: from a source to a decision. Knows neither torch nor Qt."""
