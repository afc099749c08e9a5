"""Where samples come from; every source speaks the protocol of `base`."""
