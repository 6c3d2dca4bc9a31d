"""Reductions of what a model computes at a site: pooling over tokens, and statistics of attention."""
