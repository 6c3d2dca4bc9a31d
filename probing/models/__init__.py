"""Models: load one, find its heads, and read or change them during a forward pass."""
