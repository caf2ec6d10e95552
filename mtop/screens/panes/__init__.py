"""What the tabs of a minion show, one file each."""
