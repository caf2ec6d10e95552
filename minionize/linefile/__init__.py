"""What the file engine stands on: lines of bytes as they arrive, and the journal of what is done."""
