"""Implementations that break one rule each. They prove that the suites see it; nothing else should use them."""
