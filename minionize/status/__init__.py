"""``minion-status``: what the records of a sweep say. Readers make runs of them, a summary counts, views show it."""
