"""A result, or cached vectors, described in paragraphs of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from probing.errors import CorruptFileError, ProbingError
from probing.inventory.columns_text import size_text
from probing.inventory.find import Place
from probing.inventory.frames import layers_text
from probing.io.yaml import as_yaml
from probing.page.runs import command_of
from probing.representations.summaries import summary_of
from probing.results.footers import NAMES, ResultFooter, read_footers, read_result_footer
from probing.results.store import read_result
from probing.results.table import summary
from probing.tasks.card import card_from
from probing.tasks.card_text import card_text

Paragraph = tuple[str, str]
"""A heading, and lines of text."""


def about_result(place: Place, root: Path) -> Iterator[Paragraph]:
    """Describe a result: names, command, summary, files, card and configuration.

    Raises:
        CorruptFileError: If the file is damaged.
    """
    footer = read_result_footer(place.path)
    about = footer.about
    yield f"result {place.key}", _names(footer)
    command = command_of(about.get("overrides"), str(root))
    yield "command", command or "not kept: examples were given as a frame, or an older version wrote the file"
    yield "finding", summary(read_result(place.path)[0])
    yield "files", "\n".join(_files(footer, root))
    if isinstance(about.get("card"), Mapping):
        yield "card", _card(about["card"])
    if about.get("config"):
        yield "configuration", as_yaml(_composed(about["config"])).rstrip()


def _composed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration as `--cfg` prints it, where the sample of a task is part of the task."""
    sample = {key: value for key, value in (config.get("sample") or {}).items() if key != "_target_"}
    plain = {name: value for name, value in config.items() if name not in ("_target_", "sample")}
    return {**plain, "task": {**plain.get("task", {}), **sample}}


def about_vectors(place: Place) -> Iterator[Paragraph]:
    """Describe cached vectors: their request, examples and size, and what does not belong there."""
    found = summary_of(place.path)
    date = found.written.astimezone().strftime("%Y-%m-%d %H:%M")
    lines = [
        f"{found.texts:,} texts, layers {layers_text(found.layers) or 'none'}, in {found.shards:,} shards",
        f"{place.path}, {size_text(found.size)}, {date}",
    ]
    for about in found.manifests:
        named = ", ".join(f"{name} {about[name]}" for name in ("model", "task", "granularity", "pooling"))
        lines.append(f"examples of {named}")
    yield f"vectors {place.key}", "\n".join([*lines, *(f"damaged: {each}" for each in found.problems)])
    if found.request is not None:
        yield "request", as_yaml(found.request).rstrip()


def readers_of(key: str, root: Path) -> list[ResultFooter]:
    """Return the results that refer to some vectors."""
    return [footer for footer in read_footers(root / "results")[0] if key in footer.vectors]


def _names(footer: ResultFooter) -> str:
    known = [f"{name} {footer.names[name]}" for name in NAMES if footer.names[name] not in (None, False)]
    inner = ["(made by another run on its way)"] if footer.names["inner"] else []
    return ", ".join([*(name for name in known if not name.startswith("inner ")), *inner])


def _files(footer: ResultFooter, root: Path) -> Iterator[str]:
    date = footer.created.astimezone().strftime("%Y-%m-%d %H:%M")
    yield f"{footer.path}, {size_text(footer.size)}, {date}"
    for key in sorted(footer.vectors):
        folder = root / "representations" / key
        if folder.is_dir():
            yield f"{folder}, {size_text(summary_of(folder).size)} of vectors"
        elif key == footer.about.get("representations"):
            yield f"{folder}: removed, or never extracted"
    model = root / "models" / footer.path.stem
    if model.is_dir():
        yield f"{model}, its model"
    versions = footer.about.get("versions") or {}
    if versions:
        yield "made with " + ", ".join(f"{name} {version}" for name, version in versions.items())


def _card(content: Mapping[str, Any]) -> str:
    try:
        return card_text(card_from(content))
    except (TypeError, KeyError):  # a version with other fields wrote it
        return as_yaml(content).rstrip()


def damage(error: CorruptFileError) -> ProbingError:
    """Return the error with the remedy for a file that cannot be shown."""
    return type(error)(error.path, error.reason, "probing clean names all such files")
