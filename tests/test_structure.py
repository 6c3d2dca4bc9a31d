"""The architecture: rooms, the direction of imports between them, and names that can be told apart."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (
    "io", "validation", "tasks", "datasets", "statistics", "models", "representations", "probes",
    "objectives", "ablations", "results", "comparisons", "analyses", "figures", "page", "config", "runs",
    "inventory", "cli",
)  # fmt: skip
"""From the bottom of the house to its top: a room imports rooms before it only."""
# file names that several folders share: a task from two sources, or one thing in two rooms
SHARED = {
    "task.py", "bigram_shift.py", "coordination_inversion.py", "depth.py", "length.py", "number.py",
    "odd_man_out.py", "tense.py", "top_constituents.py", "word_content.py", "files.py", "masking.py",
    "published.py", "report.py", "table.py", "tokens.py", "units.py", "grid.py", "entropy.py", "roles.py",
}  # fmt: skip


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted((ROOT / "probing").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imports(path: Path, *, types: bool = True) -> Iterator[str]:
    """The modules and names of this package that a file imports, wherever in the file.

    Args:
        path: The file.
        types: Whether to count imports that serve the type checker alone.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    checking = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    ]
    aside = set() if types else {id(inner) for node in checking for inner in ast.walk(node)}
    for node in (node for node in ast.walk(tree) if id(node) not in aside):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "probing":
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.split(".")[0] == "probing")


def room_of(dotted: str) -> str | None:
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else None


def test_nothing_is_loose() -> None:
    loose = {path.name for path in (ROOT / "probing").glob("*.py")}
    assert loose == {"__init__.py", "__main__.py", "errors.py"}
    rooms = {path.parent.name for path in (ROOT / "probing").glob("*/__init__.py")}
    assert rooms == set(ROOMS)


def test_imports_go_one_way() -> None:
    place = {room: number for number, room in enumerate(ROOMS)}
    upward = [
        f"{name} imports {imported}"
        for name, path in modules().items()
        for imported in imports(path)
        if (own := room_of(name)) and (other := room_of(imported)) and place[other] > place[own]
    ]
    assert upward == []


def test_no_circle() -> None:
    known = modules()
    edges = {
        name: {
            target if target in known else target.rpartition(".")[0]
            for target in imports(path)
            if target in known or target.rpartition(".")[0] in known
        }
        for name, path in known.items()
        if name != "probing"  # its names are loaded on first use
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " > ".join((*trail, name))
        if name not in done:
            for target in sorted(edges.get(name, ())):
                visit(target, (*trail, name))
            done.add(name)

    for name in edges:
        visit(name, ())


def test_file_names_are_unique_within_reason() -> None:
    counts = Counter(
        path.name for path in modules().values() if path.name not in {"__init__.py", "__main__.py"}
    )
    assert {name for name, count in counts.items() if count > 1} <= SHARED


def test_modules_are_short() -> None:
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules().items()}
    assert {name: lines for name, lines in lengths.items() if lines > 250} == {}


def test_tests_mirror_the_rooms() -> None:
    folders = {
        path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"
    }
    assert folders - {"experiments", "faults"} <= set(ROOMS)


ROOMS_WITHOUT_TORCH = (
    "results", "statistics", "comparisons", "tasks", "datasets", "probes", "analyses", "config", "runs",
    "page", "inventory",
)  # fmt: skip


def imports_torch(names: Iterable[str]) -> bool:
    code = "\n".join(["import sys", *(f"import {name}" for name in names), "print('torch' in sys.modules)"])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip() == "True"


def test_rooms_that_need_no_torch_do_not_import_it() -> None:
    names = [name for name in modules() if name.split(".")[1:2] in [[room] for room in ROOMS_WITHOUT_TORCH]]
    assert len(names) > 100
    assert not imports_torch(names)
    assert imports_torch(["probing.ablations.evaluate"])


def test_no_choice_of_a_configuration_imports_torch() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "conf").rglob("*.yaml")]
    targets = {found for text in texts for found in re.findall(r"^_target_: (probing\S+)\.\w+$", text, re.M)}
    assert len(targets) > 15
    assert not imports_torch(sorted(targets))
