"""The stats server of a minion: its numbers and its controls over HTTP. Imported when somebody first asks for them."""
