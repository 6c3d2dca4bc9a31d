"""Published data fetched into a cache folder, with resumed downloads and checksums."""

from probing.datasets.fetching.sources import Source, cache_folder, obtain
from probing.datasets.fetching.transfer import FetchError, download

__all__ = ["FetchError", "Source", "cache_folder", "download", "obtain"]
