"""Arrays in, arrays out: models, runtimes, generators. Imports none of the other rooms."""
