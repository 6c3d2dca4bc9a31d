"""The tidy frame of results that every analysis returns: its schema, storage and loading."""
