"""One module a command group; each function takes the parsed options and returns the exit status."""
