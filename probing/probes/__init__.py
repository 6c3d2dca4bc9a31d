"""Probes fitted to the vectors of every head of a layer together."""
