"""Sources of examples, a folder or module for each kind of data."""
