"""Source code: its syntax tree, and pieces of it as the examples of a task."""
