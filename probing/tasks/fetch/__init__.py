"""Published data fetched into a cache folder, with resumed downloads and checksums."""

from probing.tasks.fetch.cache import Source, cache_folder, obtain
from probing.tasks.fetch.transfer import FetchError, download

__all__ = ["FetchError", "Source", "cache_folder", "download", "obtain"]
