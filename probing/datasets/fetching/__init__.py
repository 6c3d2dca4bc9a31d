"""Published data fetched into a cache folder, with resumed downloads and checksums."""

from probing.datasets.fetching.sources import Download, obtain
from probing.datasets.fetching.transfer import FetchError, download
from probing.io.cache_folder import cache_folder

__all__ = ["Download", "FetchError", "cache_folder", "download", "obtain"]
