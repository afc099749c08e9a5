"""Speed, measured beside peers in the same run. `python -m tests.bench [NAME...]`; `make bench`."""
