"""What runs have written: lists of it, a description of one piece, and removal of what nothing refers to."""
