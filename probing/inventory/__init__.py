"""Lists of everything that runs have written, one piece in full, and removal of what nothing refers to."""
