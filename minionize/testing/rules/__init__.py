"""The rules of the engine contract, a file for each theme."""
