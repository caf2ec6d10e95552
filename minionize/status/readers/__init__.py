"""From bytes to runs: JSON Lines of ours and of minionize 0.3.4, tables, and the files that they stand in."""
