"""Result frames compared with each other."""
