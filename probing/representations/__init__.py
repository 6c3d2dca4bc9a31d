"""Pooled vectors, their keys and their Parquet cache."""
