"""The summary on a terminal, or wherever text goes."""
