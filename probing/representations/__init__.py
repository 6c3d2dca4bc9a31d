"""What was answered: pooled vectors, their keys and their Parquet cache."""
