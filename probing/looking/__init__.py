"""One sentence and every head: its attention, its dependencies, and the vectors of a task."""
