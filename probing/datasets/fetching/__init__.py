"""Published data fetched into a cache folder, with resumed downloads and checksums."""

from probing.datasets.fetching.sources import Download, cache_folder, obtain
from probing.datasets.fetching.transfer import FetchError, download

__all__ = ["Download", "FetchError", "cache_folder", "download", "obtain"]
