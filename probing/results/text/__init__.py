"""Results as lines of text, for the terminal and the log."""
