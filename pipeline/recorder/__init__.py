"""Recording in a process of its own, which outlives whatever happens to the application."""
