"""Tasks from the user's own data: csv, tsv, jsonl, parquet, or a pandas frame."""

from probing.datasets.table.task import TableTask

__all__ = ["TableTask"]
