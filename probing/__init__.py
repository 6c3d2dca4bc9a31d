"""Ask every head of a transformer what it knows."""
