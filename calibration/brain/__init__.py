"""How a simulated participant is made: cited sizes, a head, tuning, responses, rhythms and habits."""
