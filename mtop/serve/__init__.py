"""The screen in a browser: textual-serve, with a page of our own and a door that only its user can open."""
