"""Files, locks, streams, the log and progress."""
