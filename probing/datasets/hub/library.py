"""The `datasets` library: its cache, the hub behind it, and its errors in one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from probing.datasets.hub.stored import ArrowRows, ParquetRows, StoredRows
from probing.errors import ProbingError
from probing.validation.suggestions import suggest

_COMMIT = re.compile(r"[0-9a-f]{40}")
CONVERTED = "refs/convert/parquet"


@dataclass(frozen=True)
class HubData:
    """A data set whose splits can be read.

    Attributes:
        names: Names of the splits.
        open: Function that returns the rows of the split of a name.
        source: Origin, for the record, with the commit if it is known.
    """

    names: tuple[str, ...]
    open: Callable[[str], StoredRows]
    source: str


def open_library(repository: str, config: str | None, revision: str | None, streamed: bool) -> HubData:
    """Open a data set of the hub, of the library's cache, or of a local folder.

    Args:
        repository: Name on the hub.
        config: Name of the data set within the repository; None takes the only one, or the default.
        revision: Branch, tag or commit; None takes the main branch.
        streamed: Whether to leave parquet files where they are, and to read ranges of them.

    Raises:
        ProbingError: If it cannot be loaded; the message says what there is.
    """
    datasets = _library(repository)
    # the hub's conversion has a folder for each data set, and no names of data sets
    chosen = {"data_dir": config} if config and revision == CONVERTED else {"name": config}
    try:
        builder = datasets.load_dataset_builder(repository, revision=revision, **chosen)
        commit = str(builder.hash) if _COMMIT.fullmatch(str(builder.hash)) else None
        files = {str(name): list(map(str, paths)) for name, paths in (_files(builder) or {}).items()}
        if revision and not files and revision not in ("main", commit):
            raise ProbingError(
                f"task.revision={revision}: the cache of {repository} is read at {commit or 'one commit'}, "
                "and no other revision is known offline; give that one, leave it out, or connect to the hub"
            )
        parquet = files and all(path.endswith(".parquet") for path in chain(*files.values()))
        of = f"{repository}, {config or builder.config.name}"
        types = builder.info.features.to_dict() if builder.info.features else None
        source = f"{of}, revision {commit or revision}" if commit or revision else of
        if streamed and parquet and not Path(str(builder.cache_dir)).is_dir():
            return HubData(
                tuple(files), lambda name: ParquetRows(tuple(files[name]), f"{of}, {name}", types), source
            )
        loaded = datasets.load_dataset(repository, revision=revision, **chosen)
    except ProbingError:
        raise
    except Exception as error:  # from the library, its transport or its files
        raise ProbingError(_explained(repository, config, revision, error)) from error
    return HubData(tuple(map(str, loaded)), lambda name: ArrowRows(loaded[name], f"{of}, {name}"), source)


def open_saved(folder: Path) -> HubData:
    """Open a folder that `save_to_disk` wrote.

    Raises:
        ProbingError: If it cannot be loaded.
    """
    datasets = _library(str(folder))
    try:
        loaded = datasets.load_from_disk(str(folder))
    except Exception as error:  # from the library or its files
        raise ProbingError(f"{folder}: cannot be loaded ({_first_line(error)}); save it again") from error
    splits = loaded if isinstance(loaded, dict) else {"train": loaded}
    return HubData(
        tuple(map(str, splits)),
        lambda name: ArrowRows(splits[name], f"{folder / name}"),
        f"files of {folder}",
    )


def repository_file(repository: str, name: str, revision: str | None) -> Path:
    """Return a file of a repository that is not a table, from the cache or from the hub.

    Args:
        repository: Name of the data set on the hub.
        name: Path of the file in the repository.
        revision: Branch, tag or commit; None takes the main branch.

    Raises:
        ProbingError: If it cannot be fetched.
    """
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(repository, name, repo_type="dataset", revision=revision))
    except Exception as error:  # from the library or its transport
        raise ProbingError(
            f"{repository}: {name} cannot be fetched ({_first_line(error)}); check the connection and "
            "task.revision, or give task.path=<a folder with the file>"
        ) from error


def commit_of(path: Path) -> str | None:
    """Return the commit of a file in the hub's cache, or None for any other file."""
    return next((part for part in path.parts if _COMMIT.fullmatch(part)), None)


def _library(what: str) -> Any:  # noqa: ANN401
    try:
        import datasets
    except ImportError as error:
        raise ProbingError(
            f"reading {what} needs the datasets library; pip install 'transformer-probing[hub]', or "
            "give task.path=... with its parquet files"
        ) from error
    # otherwise it warns in two lines that it reads its cache
    datasets.utils.logging.set_verbosity_error()
    return datasets


def _files(builder: Any) -> Any:  # noqa: ANN401
    """Return the data files of a builder by split; None for the cache, which has none."""
    return getattr(builder.config, "data_files", None)


def _explained(repository: str, config: str | None, revision: str | None, error: Exception) -> str:
    """Return one line about a failure, with what to do."""
    text = str(error)
    if "scripts are no longer supported" in text or "custom code" in text:
        return (
            f"{repository}: is loaded by a script, which the datasets library no longer runs; read the hub's "
            f"own conversion, task.revision={CONVERTED}"
        )
    if "gated" in text:
        return (
            f"{repository}: gated; accept its terms at huggingface.co/datasets/{repository}, then log in "
            "with hf auth login, or set HF_TOKEN"
        )
    if configs := sorted(_quoted_list(text)):
        wrong = (
            f"task.config={config}: {repository} has no such data set"
            if config
            else f"{repository}: several data sets"
        )
        return f"{wrong}; name one, task.config=...; {suggest(config or '', configs)}"
    if "evision" in text and revision:
        there = _known_revisions(repository)
        return f"task.revision={revision}: {repository} has no such branch, tag or commit; " + (
            suggest(revision, there) if there else f"see huggingface.co/datasets/{repository}/commits"
        )
    cached = _cached()
    in_cache = f"in the cache {suggest(repository, cached)}" if cached else "the cache is empty"
    return (
        f"{repository} cannot be loaded ({_first_line(error)}); check task.dataset and the connection, or "
        f"give task.path=<a folder with its parquet files>; {in_cache}"
    )


def _quoted_list(text: str) -> list[str]:
    """Return the data sets that a message of the library lists."""
    listed = re.search(r"(?i)(?:available|configs?)[^\[]*\[([^\]]+)\]", text)
    if listed:
        return re.findall(r"'([^']+)'", listed[1])
    cached = re.search(r"configurations in the cache: (.+)", text)
    return cached[1].split(", ") if cached else []


def _known_revisions(repository: str) -> list[str]:
    try:
        from huggingface_hub import HfApi

        references = HfApi().list_repo_refs(repository, repo_type="dataset")
    except Exception:  # the original error is reported
        return []
    kinds: Iterable[Any] = (*references.branches, *references.tags, *references.converts)
    return [reference.ref.removeprefix("refs/heads/").removeprefix("refs/tags/") for reference in kinds]


def _cached() -> list[str]:
    """Return the data sets in the library's cache."""
    import datasets

    folder = Path(datasets.config.HF_DATASETS_CACHE)
    found = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    return sorted(name.replace("___", "/") for name in found if name != "downloads")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
