"""One file per queue system: each holds exactly one engine, found by the name of the file."""
