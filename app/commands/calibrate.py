"""`afterimage calibrate`: recordings and event patterns in, an evaluated subject out."""
