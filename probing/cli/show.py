"""`probing show`: one result, or cached vectors, in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from probing.cli.selection import folder_of_outputs, parse
from probing.errors import CorruptFileError, ProbingError
from probing.inventory.as_read import example_text, text_reader
from probing.inventory.describe import Paragraph, about_result, about_vectors, damage, readers_of
from probing.inventory.find import Place, find
from probing.inventory.task_examples import Example, examples_of_manifest, examples_of_task, manifest_of
from probing.io.streams import output
from probing.results.footers import ResultFooter, read_result_footer

USAGE = """\
probing show KEY [examples=3] [paths.root=outputs]

Shows one result, or cached vectors, by the start of its key, as probing ls lists it: the command that made
it, what was found, its files, the task card, the configuration, and some examples as the model reads them,
with special tokens, truncation, and the tokens that a vector comes from.

  examples=3         number of examples; 0 shows none, and does not load a tokenizer

  probing show 4c64b084
  probing show 4c64b084 examples=10
"""


def command(words: Sequence[str]) -> None:
    """Run `probing show KEY [examples=3]` and print paragraphs.

    Raises:
        ProbingError: If no key starts like this, or several do.
    """
    keys = [word for word in words if "=" not in word]
    asked = parse([word for word in words if "=" in word], "probing show --help")
    root = folder_of_outputs(asked, "show")
    count = _count(asked.pop("examples", "3"))
    if asked:
        raise ProbingError(f"show: cannot use {next(iter(asked))}=; it takes examples= and paths.root=")
    if len(keys) != 1:
        raise ProbingError("show: give one key, or its start; probing ls lists them")
    place = find(Path(root), keys[0])
    for heading, text in _paragraphs(place, Path(root), count):
        indented = "\n".join(f"  {line}".rstrip() for line in text.splitlines())
        output().write(f"{heading}\n{indented}\n\n")
        output().flush()  # tokenizers take seconds to load


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ProbingError(f"examples={text}; give a whole number, 0 or more")
    return int(text)


def _paragraphs(place: Place, root: Path, count: int) -> Iterator[Paragraph]:
    try:
        yield from about_result(place, root) if place.kind == "result" else about_vectors(place)
    except CorruptFileError as error:
        yield f"{place.kind} {place.key}", str(damage(error))
        return
    if count:
        yield "examples", "\n".join(_examples(place, root, count))


def _examples(place: Place, root: Path, count: int) -> Iterator[str]:
    """Yield the lines about examples; where something is missing, one line says so."""
    if place.kind == "result":
        footer: ResultFooter | None = read_result_footer(place.path)
        manifest = _manifest(footer, root) if footer else None
    else:
        footer = next(iter(readers_of(place.key, root)), None)
        manifest = next(iter(sorted(place.path.glob("task-*.parquet"))), None)
    about: Mapping[str, Any] = footer.about if footer else {}
    try:
        found = _found(manifest, about, count)
    except Exception as error:  # a user's own task may raise anything
        yield f"not available: {_first_line(error)}"
        return
    reader = None
    try:
        config = about.get("config") or {}
        if not config.get("model"):
            raise ProbingError("no result says which model they are of")
        reader = text_reader(config["model"], about.get("request") or {})
    except Exception as error:  # libraries raise anything on the files of a model
        yield f"texts without tokens: {_first_line(error)}"
    if reader is not None and reader.changed:
        yield "the tokenizer has changed since the run; these are its present tokens"
    pooling = (about.get("request") or {}).get("pooling")
    for example in found:
        yield from example_text(example, reader, pooling)


def _manifest(footer: ResultFooter, root: Path) -> Path | None:
    splits = (footer.about.get("card") or {}).get("splits") or []
    sizes = {str(split["name"]): int(split["size"]) for split in splits}
    folder = root / "representations" / str(footer.about.get("representations"))
    return manifest_of(folder, str(footer.names["task"]), sizes)


def _found(manifest: Path | None, about: Mapping[str, Any], count: int) -> list[Example]:
    if manifest is not None:
        try:
            return examples_of_manifest(manifest, count)
        except CorruptFileError:
            if not about.get("config"):
                raise
    return examples_of_task(about.get("config") or {}, count)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
