"""What is shown, when, in which order: the schema of a protocol, its random order, and the steps of a run."""
