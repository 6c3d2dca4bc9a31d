"""Names of classes that a data set declares, in place of the numbers that it stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from probing.errors import ProbingError

_LISTS = ("Sequence", "List", "LargeList")


def declared_names(features: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the names of the classes of every `ClassLabel`, by column; a dot leads into an object.

    Args:
        features: Types of the columns, as the `datasets` library writes them.
    """
    return {name: names for column, kind in features.items() for name, names in _declared(column, kind)}


def _declared(column: str, kind: Any) -> Iterator[tuple[str, tuple[str, ...]]]:  # noqa: ANN401
    if isinstance(kind, list) and kind:
        yield from _declared(column, kind[0])
    elif not isinstance(kind, dict):
        return
    elif kind.get("_type") == "ClassLabel":
        yield column, tuple(map(str, kind.get("names") or ()))
    elif kind.get("_type") in _LISTS:
        yield from _declared(column, kind.get("feature"))
    elif not isinstance(kind.get("_type"), str):
        for member, inner in kind.items():
            yield from _declared(f"{column}.{member}", inner)


def named_values(
    columns: Mapping[str, Sequence[Any]], names: Mapping[str, tuple[str, ...]], where: str
) -> dict[str, Sequence[Any]]:
    """Return the columns with the names of classes for their numbers, and None for -1, a hidden class.

    Args:
        columns: Values by column.
        names: Names of the classes by column.
        where: Source of the columns, for messages.

    Raises:
        ProbingError: If a number has no name.
    """
    made = dict(columns)
    for path, of_column in names.items():
        column, *members = path.split(".")
        if column in made and of_column:
            try:
                made[column] = [_named(value, members, of_column) for value in made[column]]
            except IndexError as error:
                raise ProbingError(
                    f"{where}: column {path!r} has a class number beyond its {len(of_column)} names; fetch "
                    "the data again"
                ) from error
    return made


def _named(value: Any, members: Sequence[str], names: tuple[str, ...]) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return [_named(item, members, names) for item in value]
    if isinstance(value, dict) and members:
        return value | {members[0]: _named(value.get(members[0]), members[1:], names)}
    if isinstance(value, int):
        return names[value] if value >= 0 else None
    return value
