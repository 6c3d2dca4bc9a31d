"""README names everything that there is, and nothing that there is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from probing.config.choices import choices

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("task", choices("task"))
def test_the_task_table_has_every_task_with_its_command(task: str) -> None:
    (row,) = [line for line in README.splitlines() if line.startswith(f"| `{task}` ")]
    assert re.search(rf"`probing task={task}( task\.\w+=\S+)*`", row)


GROUPS = (
    "analysis", "objective", "model", "granularity", "pooling", "probe", "baseline", "experiment",
)  # fmt: skip


@pytest.mark.parametrize("group", GROUPS)
def test_the_overview_has_every_choice(group: str) -> None:
    (row,) = [line for line in README.splitlines() if line.startswith(f"| `{group}=` |")]
    assert set(re.findall(r"`([^`]+)`", row)) - {f"{group}="} == set(choices(group))


def test_links_within_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-")
        for line in README.splitlines()
        if line.startswith("#")
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= headings
