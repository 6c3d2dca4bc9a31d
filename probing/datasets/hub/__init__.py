"""Data sets of the Hugging Face hub, from the `datasets` library or from local files."""

from probing.datasets.hub.framenet import FrameNetTask
from probing.datasets.hub.task import HubTask

__all__ = ["FrameNetTask", "HubTask"]
