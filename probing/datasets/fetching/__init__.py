"""Fetching published data into a cache folder: resumed, checked and never half there."""

from probing.datasets.fetching.sources import Source, cache_folder, obtain
from probing.datasets.fetching.transfer import FetchError, download

__all__ = ["FetchError", "Source", "cache_folder", "download", "obtain"]
