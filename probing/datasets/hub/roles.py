"""Roles of the splits of a data set: train, dev and test."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

from probing.datasets.table.columns import SPLIT_OF
from probing.errors import ProbingError
from probing.tasks.task import SPLITS
from probing.validation.suggestions import suggest

log = logging.getLogger(__name__)


def roles_of(found: Collection[str], given: Mapping[str, str | None], where: str) -> dict[str, str]:
    """Return the name of the split that is train, dev and test.

    A role without a given name is played by the split of that name, or of a usual synonym such as
    `validation`. If there is no test split, dev is scored.

    Args:
        found: Names of the splits of the data set.
        given: Name of the split of each role, or None; a role that is not in it is not needed.
        where: Source of the splits, for messages.

    Raises:
        ProbingError: If a given name does not exist or is used twice, or a split cannot be found.
    """
    chosen = _checked(found, given, where)
    for role in given:
        free = [name for name in found if name not in chosen.values()]
        likely = [name for name in free if SPLIT_OF.get(name.lower()) == role]
        if role not in chosen and len(likely) > 1:
            both = " and ".join(likely)
            raise ProbingError(f"{where}: {both} could both be {role}; name one, task.{role}=...")
        if role not in chosen and likely:
            chosen[role] = likely[0]
    if "test" not in chosen and given.get("dev") is None and "dev" in chosen:
        chosen["test"] = chosen.pop("dev")
        log.info(
            "splits: there is no test split, so %s is scored; task.test=... names another", chosen["test"]
        )
    first = next(iter(given))
    if first not in chosen:
        raise ProbingError(
            f"{where}: no split is called {first}; there is {', '.join(found)}; name one, task.{first}=..."
        )
    return {role: chosen[role] for role in SPLITS if role in chosen}


def _checked(found: Collection[str], given: Mapping[str, str | None], where: str) -> dict[str, str]:
    """Return the given names; see `roles_of`."""
    chosen = {role: name for role, name in given.items() if name is not None}
    for role, name in chosen.items():
        if name not in found:
            raise ProbingError(f"task.{role}={name}: {where} has no such split; {suggest(name, list(found))}")
        if list(chosen.values()).count(name) > 1:
            raise ProbingError(f"task.{role}={name}: the split has two roles; give each its own split")
    return chosen
