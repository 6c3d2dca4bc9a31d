"""Metrics, intervals, resampling, folds and significance."""
