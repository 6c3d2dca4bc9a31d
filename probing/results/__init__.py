"""The tidy frame that every analysis ends in: its schema, storage and loading."""
