"""The parts of a simulated participant's signal: plain arrays in, samples out, in blocks on the sample counter."""
