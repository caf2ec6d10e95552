"""Where minions announce themselves: one file each."""
