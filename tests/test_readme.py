"""The READMEs name everything that there is, and nothing that there is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from probing.config.choices import choices
from probing.results.schema import as_frame
from tests.documents import DOCUMENTS, ROOT, anchors, links, name_of
from tests.test_structure import ROOMS

CONF = (ROOT / "conf" / "README.md").read_text(encoding="utf-8")
TASKS = (ROOT / "conf" / "task" / "README.md").read_text(encoding="utf-8")
LANDING = (ROOT / "README.md").read_text(encoding="utf-8")

# the rooms from the bottom of the house to its top, in the order of CONTRIBUTING.md
PLAN = re.findall(r"^\| \[`probing/(\w+)`\]", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("task", choices("task"))
def test_the_task_table_has_every_task_with_its_command(task: str) -> None:
    (row,) = [line for line in TASKS.splitlines() if line.startswith(f"| `{task}` ")]
    assert re.search(rf"`probing task={task}( task\.\w+=\S+)*`", row)


def test_the_task_table_has_no_other_task() -> None:
    named = {found[1] for line in TASKS.splitlines() if (found := re.match(r"\| `([^`]+)` ", line))}
    assert named == set(choices("task"))
    assert f"one of {len(named)} tasks" in LANDING


GROUPS = (
    "analysis", "objective", "model", "granularity", "pooling", "probe", "baseline", "experiment",
)  # fmt: skip


@pytest.mark.parametrize("group", GROUPS)
def test_the_overview_has_every_choice(group: str) -> None:
    (row,) = [line for line in CONF.splitlines() if line.startswith(f"| `{group}=` |")]
    assert set(re.findall(r"`([^`]+)`", row)) - {f"{group}="} == set(choices(group))


def test_the_overview_counts_tasks() -> None:
    (row,) = [line for line in CONF.splitlines() if line.startswith("| `task=` |")]
    for folder, count in re.findall(r"`(\w+)/\*` \((\d+)", row):
        assert len([task for task in choices("task") if task.startswith(f"{folder}/")]) == int(count)


@pytest.mark.parametrize(("group", "document"), [
    ("probe", "probing/probes"), ("objective", "probing/objectives"), ("analysis", "probing/analyses"),
    ("granularity", "probing/representations"),
])  # fmt: skip
def test_the_table_of_a_room_has_every_choice(group: str, document: str) -> None:
    text = (ROOT / document / "README.md").read_text(encoding="utf-8")
    rows = {found[1] for line in text.splitlines() if (found := re.match(r"\| `([^`=]+)` \|", line))}
    assert rows == set(choices(group))


def test_the_columns_of_the_frame_are_listed() -> None:
    text = (ROOT / "probing" / "results" / "README.md").read_text(encoding="utf-8")
    listed = text.partition("## Columns")[2].partition("Scores are fractions")[0]
    named = {name for span in re.findall(r"`([^`]+)`", listed) for name in re.split(r",\s+", span)}
    assert named - {"untrained", "control", "selectivity"} == set(as_frame([]).columns)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_within_lead_somewhere(path: Path) -> None:
    for link in links(path):
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_the_plan_of_the_house_has_every_room() -> None:
    rooms = {path.parent.name for path in (ROOT / "probing").glob("*/README.md")}
    assert {path.parent.name for path in (ROOT / "probing").glob("*/__init__.py")} <= rooms
    assert set(PLAN) == rooms
    assert tuple(PLAN) == ROOMS


@pytest.mark.parametrize("room", PLAN)
def test_a_room_says_which_rooms_below_it_it_may_import(room: str) -> None:
    text = " ".join((ROOT / "probing" / room / "README.md").read_text(encoding="utf-8").split())
    (sentence,) = re.findall(r"This room may import `errors`[^.]*\.", text)
    named = set(re.findall(r"`(\w+)`", sentence.partition(" except ")[0]))
    assert named - {"errors"} <= set(PLAN[: PLAN.index(room)])


def test_the_landing_page_links_every_readme_of_conf_and_experiments_or_a_page_that_does() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        seen.add(page)
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in links(page)}
        waiting += [target for target in targets if target.suffix == ".md" and target not in seen]
    assert set(DOCUMENTS) <= seen


def test_a_fresh_checkout_finds_its_two_commands() -> None:
    lines = LANDING.splitlines()
    first = next(line for line in lines if line.endswith("&& probing"))
    second = next(line for line in lines if "pytest" in line)
    assert first.startswith("pip install -c constraints.txt -e ")
    assert second.startswith("pip install -c constraints.txt -e ")
