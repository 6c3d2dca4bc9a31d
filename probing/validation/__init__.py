"""Checks of numbers and arguments against what their declarations allow."""
