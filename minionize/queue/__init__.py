"""What ``minion-queue`` is made of: sources of params, dead params in files, words for people."""
