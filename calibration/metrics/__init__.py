"""How good a reconstruction is: pictures and shapes against the truth, as published measures define it."""
