"""The choice in conf/task: fields, errors, determinism, and the conf files."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from probing.config.choices import values_of
from probing.datasets.grammar import GrammarTask
from probing.datasets.grammar import draws as draw
from probing.datasets.grammar.kinds import KINDS
from probing.errors import ProbingError

pytestmark = pytest.mark.slow

CONF = Path(__file__).parents[3] / "conf" / "task" / "grammar"
DIGEST = """
import hashlib
from probing.datasets.grammar import GrammarTask
from probing.datasets.grammar.kinds import KINDS
digest = hashlib.sha256()
for kind in KINDS:
    for example in GrammarTask(kind, kind, 100, 20, 20).examples():
        digest.update(f"{example.text} {example.label} {example.split}".encode())
print(digest.hexdigest())
"""


def small(kind: str, seed: int = 0) -> list[str]:
    return [unit.text for unit in GrammarTask(kind, kind, 100, 20, 20, seed=seed).build().units]


def test_sentences_do_not_depend_on_the_process_or_its_hash_seed() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
    assert len(digests.pop().strip()) == len(hashlib.sha256().hexdigest())


@pytest.mark.parametrize("kind", ["tense", "odd_man_out", "word_content"])
def test_seed_alone_changes_the_sentences(kind: str) -> None:
    sentences = small(kind)
    assert small(kind) == sentences
    assert len(set(sentences) & set(small(kind, seed=1))) < 5


@pytest.mark.parametrize("kind", ["word_content", "depth", "odd_man_out"])
def test_default_size_is_quick(kind: str) -> None:
    start = time.process_time()
    task = GrammarTask(f"grammar/{kind}", kind).build()
    assert time.process_time() - start < 5
    assert [len(task.rows(split)) for split in ("train", "dev", "test")] == [2000, 500, 500]


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(ProbingError, match=r"unknown kind 'mood'; use one of length, "):
        GrammarTask("grammar/mood", "mood")


@pytest.mark.parametrize("field", ["n_train", "n_dev", "n_test"])
def test_sizes_must_be_positive(field: str) -> None:
    fields: dict[str, Any] = {field: 0}
    with pytest.raises(ProbingError, match=f"{field}=0 is too few; give at least"):
        GrammarTask("grammar/tense", "tense", **fields)


def test_train_needs_two_of_each_class() -> None:
    with pytest.raises(ProbingError, match="n_train=20 is too few; give at least 84"):
        GrammarTask("grammar/word_content", "word_content", n_train=20)


def test_more_than_the_grammar_is_good_for_is_refused_at_once() -> None:
    with pytest.raises(ProbingError, match="lower n_train"):
        GrammarTask("grammar/tense", "tense", n_train=10**9)


def test_running_out_of_sentences_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw, "spell", lambda tokens: tokens[0])
    with pytest.raises(ProbingError, match=r"task grammar/tense: .* lower task\.n_train=500"):
        GrammarTask("grammar/tense", "tense", n_train=500).build()


@pytest.mark.parametrize("kind", list(KINDS))
def test_conf_file_makes_the_task(kind: str) -> None:
    text = (CONF / f"{kind}.yaml").read_text()
    assert text.splitlines()[0] == f"# probing task=grammar/{kind}"
    fields = values_of("task", f"grammar/{kind}")
    assert fields.pop("_target_") == "probing.datasets.grammar.GrammarTask"
    assert GrammarTask(**{str(key): value for key, value in fields.items()}) == GrammarTask(
        f"grammar/{kind}", kind
    )
