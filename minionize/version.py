"""The version, alone in a file so that reading it imports nothing."""

__version__ = "1.0.0.dev0"
