"""One file per reporter: each holds exactly one, found by the name of the file."""
