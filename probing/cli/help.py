"""The text of `probing --help`, taken from conf/."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from probing.config.choices import conf_folder
from probing.io.streams import output

_USAGE = """\
probing: what does every attention head of a transformer encode?

  probing [key=value ...]              one run: a grid of layers x heads
  probing -m key=a,b [key=value ...]   a sweep over all combinations
  probing draw KIND [column=value ...] a picture of results; probing draw lists the kinds
  probing agree [column=value ...]     does the model use the heads that encode a task? all measures compared
  probing report [paths.root=outputs]  one HTML page to browse and compare all results
  probing --cfg [key=value ...]        print the configuration without running anything
  probing --version

Examples
  probing                                          MiniLM on grammar/tense, no network needed
  probing task=grammar/depth pooling=mean          another task, another pooling
  probing granularity=layer                        whole layers instead of heads
  probing model=hf model.name=path/to/model        any Hugging Face id or local folder
  probing model.pretrained=false                   the same model, randomly initialised
  probing task=senteval/trec probe=senteval        SentEval's own protocol; downloads missing files
  probing task=treebank/tense task.path=UD_English-EWT
  probing task=table task.path=reviews.csv task.text=review task.label=stars
  probing task.limit=200                           a quick look at any task
  probing -m 'task=glob(grammar/*)'                ten tasks, one contact sheet
  probing -m model=minilm,bert_base pooling=first,mean
  probing -m model=hf 'model.name=glob(runs/sst2/checkpoint-*)'   grids over training
  probing analysis=ablation                        what the model loses without each head
  probing analysis=importance objective=lm model=gpt2
  probing analysis=prune task=senteval/trec        cut out heads as long as the score holds
  probing -m experiment=anatomy                    a study from conf/experiment

All files are written below paths.root (default outputs/): results/, representations/, runs/.
Repeating a run finds its result there; overwrite=never|missing|always sets what may be computed again.
In Python: probing.load_results("outputs"), probing.grid(...), probing.run([...]).

Groups (group=choice) and their keys (group.key=value)
"""


USAGE = """\
probing help [GROUP | GROUP=CHOICE | GROUP.KEY]

Explains groups of choices and their keys. Without a word, it prints an overview.
"""


def command(words: Sequence[str]) -> None:
    """Run `probing help`."""
    output().write(help_text())


def help_text() -> str:
    """Return usage, examples, and every choice of every config group with its description and keys."""
    folder = conf_folder()
    groups = sorted(path for path in folder.iterdir() if path.is_dir())
    top = ", ".join(_keys((folder / "config.yaml").read_text(encoding="utf-8")))
    return "\n".join([_USAGE, *(_group(group) for group in groups), f"keys without a group: {top}", ""])


def _group(group: Path) -> str:
    files = sorted(group.rglob("*.yaml"))
    names = [str(path.relative_to(group).with_suffix("")) for path in files]
    width = max(map(len, names))
    lines = [f"{group.name}="]
    for name, path in zip(names, files, strict=True):
        lines += textwrap.wrap(
            _description(path),
            100,
            initial_indent=f"  {name:<{width}}  ",
            subsequent_indent=" " * (width + 4),
        )
    keys = ", ".join(dict.fromkeys(key for path in files for key in _keys(path.read_text(encoding="utf-8"))))
    if keys and group.name != "experiment":
        lines += textwrap.wrap(f"keys: {keys}", 100, initial_indent="  ", subsequent_indent="        ")
    return "\n".join(lines) + "\n"


def _description(path: Path) -> str:
    """Return the description of a choice: the comment below the command that its file starts with."""
    comments = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("# @")]
    return comments[1].lstrip("# ")


def _keys(text: str) -> list[str]:
    """Return the keys at the top level of a YAML text."""
    names = [line.partition(":")[0] for line in text.splitlines() if line[:1].isalpha()]
    return [name for name in names if name not in {"hydra", "defaults"}]
