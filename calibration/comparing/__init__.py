"""Systems side by side: who trains what on whom, one file a run, and the tables made of them."""
