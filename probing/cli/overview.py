"""The text of `probing --help`: usage, flags, commands, examples, and the groups with their choices."""

from __future__ import annotations

import ast
import textwrap
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

from probing.cli.commands import COMMANDS
from probing.cli.flags import FLAGS
from probing.config.choices import choices, conf_folder, groups, read

_USAGE = """\
probing: what does every attention head of a transformer encode?

  probing [key=value ...]              one run: a grid of layers x heads
  probing -m key=a,b [key=value ...]   a sweep over all combinations
  probing COMMAND [word ...]           a command on results; probing COMMAND --help explains it
"""
_EXAMPLES = """\
Examples
  probing                                          MiniLM on grammar/tense, no network needed
  probing task=grammar/depth pooling=mean          another task, another pooling
  probing granularity=layer                        whole layers instead of heads
  probing model=hf model.name=path/to/model        any Hugging Face id or local folder
  probing task=senteval/trec probe=senteval        SentEval's own protocol; downloads missing files
  probing task=treebank/tense task.path=UD_English-EWT
  probing task=table task.path=reviews.csv task.text=review task.label=stars
  probing task.limit=200                           a quick look at any task
  probing -m 'task=glob(grammar/*)'                ten tasks, one contact sheet
  probing -m model=minilm,bert_base pooling=first,mean
  probing -m model=hf 'model.name=glob(runs/sst2/checkpoint-*)'   grids over training
  probing analysis=ablation                        what the model loses without each head
  probing analysis=importance objective=lm model=gpt2
  probing -m experiment=anatomy                    a study from conf/experiment
"""
_FILES = """\
All files are written below paths.root (default outputs/): results/, representations/, runs/.
Repeating a run finds its result there; overwrite=never|missing|always sets what may be computed again.
In Python: probing.load_results("outputs"), probing.grid(...), probing.run(task=...).
"""
_MORE = """\
probing help GROUP           the choices of a group with their descriptions
probing help GROUP=CHOICE    the keys of a choice with their defaults, ranges and meanings
probing help GROUP.KEY       one key
"""


def overview() -> str:
    """Return usage, commands, flags, examples, and the choices of every config group."""
    return "\n".join([_USAGE, _commands(), _flags(), _EXAMPLES, _FILES, _groups(), _MORE])


def _commands() -> str:
    return "\n".join(["Commands", *_table({name: summary(COMMANDS[name]) for name in COMMANDS}), ""])


def summary(module: str) -> str:
    """Return the sentence about a command in the docstring of its module, which is not imported."""
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    said = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return said.partition("\n")[0].partition(": ")[2].rstrip(".")


def _flags() -> str:
    return "\n".join(["Flags", *_table({str(flag): flag.what for flag in FLAGS}), ""])


def _groups() -> str:
    named = {f"{group}=": _choices(group) for group in groups()}
    top = read(conf_folder() / "config.yaml")
    keys = [f"{name}.{key}" for name, own in top.items() if isinstance(own, dict) for key in own]
    keys += [name for name, own in top.items() if not isinstance(own, dict | list)]
    shown = ", ".join(key for key in keys if not key.startswith("hydra."))
    lines = _table({**named, "other keys": shown})
    return "\n".join(["Groups (group=choice) and their choices", *lines, ""])


def _choices(group: str) -> str:
    """Return the choices of a group; of a subfolder only their number."""
    counts = Counter(name.partition("/")[0] + "/*" * ("/" in name) for name in choices(group))
    return ", ".join(f"{name} ({count})" if "/" in name else name for name, count in counts.items())


def _table(rows: dict[str, str]) -> list[str]:
    width = max(map(len, rows))
    return [
        line
        for name, text in rows.items()
        for line in textwrap.wrap(
            text, 100, initial_indent=f"  {name:<{width}}  ", subsequent_indent=" " * (width + 4)
        )
    ]
