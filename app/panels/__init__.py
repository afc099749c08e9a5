"""The parts of the window: small widgets that show what they are given and ask for nothing."""
