"""A fleet that is written down and shown again: recordings of mtop, and the records of reporters."""
