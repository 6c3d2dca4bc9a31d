"""Analyses of heads; each ends in the same tidy frame."""
