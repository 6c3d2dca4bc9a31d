"""The sources that tasks are built by, the choices of conf/task."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from probing.tasks.task import Task


class TaskSource(Protocol):
    """A choice in conf/task: a frozen dataclass that builds its task."""

    @property
    def name(self) -> str:
        """The task's name on the command line."""

    def build(self) -> Task:
        """Read or generate the examples.

        Raises:
            ProbingError: If the data are invalid; with the file, the line and the fix.
        """


@runtime_checkable
class PartialSource(TaskSource, Protocol):
    """A source of large data that can read a part of them."""

    def build_part(self, limit: int) -> tuple[Task, bool]:
        """Read a part of the examples, the same for the same data and limit.

        Args:
            limit: Number of examples that will be drawn from each split.

        Returns:
            A task with at least that many examples in every split, or all examples; and whether it has all.

        Raises:
            ProbingError: If the data are invalid; with the file, the line and the fix.
        """
