"""The cache folder of the user, shared by all roots: downloads, and what is slow to read again."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path

from probing.io.files import expanded


def cache_folder() -> Path:
    """Return the folder `PROBING_CACHE`, or `probing` in the user's cache folder of the platform."""
    own = os.environ.get("PROBING_CACHE")
    return expanded(own) if own else user_cache_path("probing", appauthor=False)
