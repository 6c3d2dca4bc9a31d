"""Every statistic of attention in every kind of model: batches, padding, chance levels and planted heads."""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from probing.datasets.code.syntax import parse
from probing.models.loading import LoadedModel, Purpose, load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from probing.representations import reductions
from probing.representations.decoder import decoder_inputs, tokens_after_start, units_after_start
from probing.representations.encode import EncodedBatch
from probing.representations.forward import ModelReader
from probing.representations.passes import read
from probing.representations.reductions.against import Reference
from probing.representations.reductions.cat import CatScores, TypeRates
from probing.representations.reductions.change import Change
from probing.representations.reductions.divergence import Divergence
from probing.representations.reductions.entropy import Entropy
from probing.representations.reductions.leaf_maps import leaf_maps
from probing.representations.reductions.received import Received
from probing.representations.reductions.shapes import SHAPES, Shapes
from probing.representations.reductions.span_pair import SpanPair
from probing.representations.reductions.statistic import AcrossLayers, AttentionBatch, Statistic
from probing.representations.reductions.surface import OF_ROWS, Surface
from probing.representations.reductions.token_batch import TokenBatch
from probing.representations.reductions.token_roles import SUMS, TokenRoles
from probing.representations.reductions.visible import by_chance
from probing.representations.reductions.word_roles import HighestWord, WordRoles
from probing.representations.reductions.word_rows import SPECIAL, WordRows
from probing.representations.reductions.word_targets import WordTargets
from probing.representations.request import Request, Stack
from probing.representations.settings import ExtractConfig
from probing.representations.token_rows import token_batch
from probing.tasks.task import Unit
from tests import tiny

pytestmark = pytest.mark.slow
_Numbers = NDArray[np.float64]
WINDOW = 4
LENGTH = 12
WORDS = tiny.WORDS
TEXTS = [
    "the old dog , sees a near-by cat and the old house . dogs walk",
    "a river .",
    "farmers walk slowly and see the tall horses near the green house .",
]
CODES = ["def dog(cat):\n    return cat + 1\n", "house = [dog, dog, cat]\nriver = house\n"]


@dataclass(frozen=True)
class Case:
    """A stack of a model, and the keys that its queries see: all, those before, or a window of them."""

    make: Callable[..., Path]
    stack: Stack = ""
    sees: Sequence[int | None] = (None, None)
    """For each layer the number of tokens up to the query that are seen; 0 sees all before, None all."""

    @property
    def name(self) -> str:
        return f"{self.make.__name__.removeprefix('make_')} {self.stack}".strip()


BEFORE = (0, 0)
CASES = [
    Case(tiny.make_bert, sees=(None, None, None)),
    Case(tiny.make_gpt2, sees=BEFORE),
    Case(tiny.make_llama, sees=BEFORE),
    Case(tiny.make_mistral, sees=(WINDOW, WINDOW)),
    Case(tiny.make_gemma, sees=(WINDOW, 0)),
    Case(tiny.make_t5),
    *(
        Case(make, stack, BEFORE if stack == "decoder" else (None, None))
        for make in (tiny.make_t5, tiny.make_bart)
        for stack in ("encoder", "decoder", "cross")
    ),
]
STATISTICS: list[Any] = [
    CatScores("python"), Change, Divergence(), Entropy(), HighestWord(), Received(), Shapes(), SpanPair(),
    Surface(), Surface(smoothing=0.01), TokenRoles(), TypeRates("python", types=("identifier", "=")),
    WordRoles(), WordRows(), WordTargets(),
]  # fmt: skip
CHANCE: dict[Statistic, Sequence[str]] = {
    Surface(): OF_ROWS,
    Shapes(): SHAPES,
    Received(): ("unit", "first", "separator"),
    TokenRoles(): tuple(SUMS),
    WordRoles(): ("word_largest",),
}
"""Columns that uniform attention gives the value by chance; a highest weight has no such value."""
all_cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def spans_of(text: str) -> tuple[tuple[int, int], ...]:
    """Words between blanks, so that `near-by` and the like have several tokens."""
    ends = np.cumsum([len(word) + 1 for word in text.split()]).tolist()
    return tuple((end - len(word) - 1, end - 1) for word, end in zip(text.split(), ends, strict=True))


def units_of(statistic: Statistic) -> list[Unit]:
    """Words of all texts, or what else the statistic is of."""
    if isinstance(statistic, CatScores | TypeRates):
        trees = [parse(code, "python") for code in CODES]
        return [
            Unit(text, words=spans, origin=tree.code) for tree in trees for text, spans in [tree.joined()]
        ]
    if isinstance(statistic, SpanPair):
        return [Unit(text, spans_of(text)[0], second_span=spans_of(text)[2]) for text in TEXTS]
    return [
        Unit(text, spans[place], words=spans)
        for text in TEXTS
        for spans in [spans_of(text)]
        for place in sorted({0, 1, len(spans) // 2, len(spans) - 1})
    ]


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Case], Path]:
    made = cache(lambda make: make(tmp_path_factory.mktemp("models") / make.__name__))
    return lambda case: made(case.make)


@pytest.fixture(scope="module")
def loaded_of(folder_of: Callable[[Case], Path]) -> Callable[[Case], LoadedModel]:
    @cache
    def load(make: Callable[[Path], Path], purpose: Purpose) -> LoadedModel:
        files = find_files(ModelConfig(str(folder_of(Case(make)))))
        return load_model(files, device=torch.device("cpu"), attention="eager", purpose=purpose)

    return lambda case: load(case.make, "lm" if case.stack else "read")


def reader_of(loaded: LoadedModel, case: Case, statistic: Statistic) -> ModelReader:
    request = Request({"weights": "w"}, "attention", statistic, None, "float32", 5, stack=case.stack)
    return ModelReader.of(loaded, request, ExtractConfig(device="cpu", threads=1, batch_tokens=4096))


def values_of(reader: ModelReader, units: Sequence[Unit]) -> dict[int, _Numbers]:
    """The statistic of each unit, (units, heads, columns) for each layer; NaN for units that are not read."""
    found: dict[int, _Numbers] = {}
    for (rows,) in read([reader], [list(units)]):
        for layer, values in rows.vectors.items():
            whole = found.setdefault(layer, np.full((len(units), *values.shape[1:]), np.inf))
            whole[list(rows.places)] = values
    return found


def columns_of(statistic: Statistic, values: _Numbers) -> dict[str, _Numbers]:
    return dict(zip(statistic.columns, values.transpose(2, 0, 1), strict=True))


def seen_by(case: Case, real: Tensor, layer: int) -> Tensor:
    """The keys of each query, bool (texts, queries, keys), from what is known of the model."""
    reach = case.sees[layer]
    length = real.shape[1]
    apart = torch.arange(length)[:, None] - torch.arange(length)
    mask = torch.ones(length, length, dtype=torch.bool)
    if reach is not None:
        mask = (apart >= 0) & (apart < (reach or length))
    return mask & real.unsqueeze(1) & real.unsqueeze(2)


@dataclass(frozen=True)
class Planted:
    """A statistic of other weights in the place of the model's: a planted head, and uniform ones."""

    statistic: Any
    case: Case
    plant: Callable[[AttentionBatch, Tensor], Tensor] | None = None

    @property
    def name(self) -> str:
        return "planted"

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.statistic.columns)

    def reduce(self, attention: AttentionBatch) -> Tensor:
        seen = seen_by(self.case, attention.real, attention.layer)
        even = seen / seen.sum(2, keepdim=True).clamp_min(1)
        weights = even.unsqueeze(1).repeat(1, attention.weights.shape[1], 1, 1)
        if self.plant is not None:
            weights[:, 0] = self.plant(attention, seen)
        weights = weights.masked_fill(~attention.real[:, None, :, None], torch.nan)  # padding means nothing
        planted = replace(attention, weights=weights, earlier={}, reference=weights)
        if isinstance(self.statistic, AcrossLayers):
            planted = replace(planted, earlier={attention.layer: self.statistic.keep(planted)})
        reduced: Tensor = self.statistic.reduce(planted)
        return reduced


def test_every_statistic_is_tested() -> None:
    modules = [
        importlib.import_module(f"{reductions.__name__}.{found.name}")
        for found in pkgutil.iter_modules(reductions.__path__)
    ]
    there = {
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and hasattr(kind, "reduce") and kind.__module__ == module.__name__
    } - {Statistic, AcrossLayers}
    there = {kind for kind in there if not getattr(kind, "_is_protocol", False)}
    assert there == {each if isinstance(each, type) else type(each) for each in STATISTICS}


@all_cases
@pytest.mark.parametrize("kind", STATISTICS, ids=str)
def test_batches_and_padding_change_nothing(
    kind: Any,  # noqa: ANN401
    case: Case,
    loaded_of: Callable[[Case], LoadedModel],
    folder_of: Callable[[Case], Path],
) -> None:
    statistic = kind(Reference(str(folder_of(case)), ())) if kind is Change else kind
    units = units_of(statistic)
    reader = reader_of(loaded_of(case), case, statistic)
    batches = list(reader.encoder().batches(units))
    assert len(batches) == 1
    assert not batches[0].real.all()
    together = values_of(reader, units)
    assert list(together) == list(range(len(case.sees)))
    for place, unit in enumerate(units):
        for layer, alone in values_of(reader, [unit]).items():
            np.testing.assert_allclose(together[layer][place], alone[0], rtol=1e-4, atol=1e-5)
            assert np.isfinite(alone).all()
    if kind is Change:  # from itself
        for values in together.values():
            columns = columns_of(statistic, values)
            np.testing.assert_allclose(columns["cosine"], 1, atol=1e-6)
            np.testing.assert_allclose(columns["nats"], 0, atol=1e-6)


@all_cases
@pytest.mark.parametrize("statistic", CHANCE, ids=str)
def test_uniform_attention_has_the_value_by_chance(
    statistic: Statistic, case: Case, loaded_of: Callable[[Case], LoadedModel]
) -> None:
    units = units_of(statistic)
    own = values_of(reader_of(loaded_of(case), case, statistic), units)
    even = values_of(reader_of(loaded_of(case), case, Planted(statistic, case)), units)
    for layer in own:
        of_model, uniform = columns_of(statistic, own[layer]), columns_of(statistic, even[layer])
        for name in CHANCE[statistic]:
            wanted = of_model[by_chance(name)]
            np.testing.assert_allclose(uniform[name], wanted, rtol=1e-5, atol=1e-6, err_msg=name)
            np.testing.assert_allclose(uniform[by_chance(name)], wanted, atol=1e-9, err_msg=name)


@all_cases
def test_words_see_those_that_the_model_lets_them_see(
    case: Case, loaded_of: Callable[[Case], LoadedModel]
) -> None:
    statistic = WordTargets()
    # words of one token; the tokenizer of GPT-2 makes several of each
    text = " ".join(WORDS[:LENGTH])
    spans = spans_of(text)
    units = [Unit(text, span, words=spans) for span in spans]
    for layer, values in values_of(reader_of(loaded_of(case), case, statistic), units).items():
        columns = {name: each[:, 0] for name, each in columns_of(statistic, values).items()}
        places = np.arange(len(spans))
        reach = case.sees[layer]
        back = len(spans) if not reach else reach - 1
        whole = reach is None
        np.testing.assert_array_equal(columns["sees_from"], 0 if whole else (places - back).clip(0))
        np.testing.assert_array_equal(columns["sees_to"], len(spans) - 1 if whole else places)
        np.testing.assert_array_equal(columns["seen_from"], 0 if whole else places)
        upto = (places + back).clip(0, len(spans) - 1)
        np.testing.assert_array_equal(columns["seen_to"], len(spans) - 1 if whole else upto)
        # what a head finds is among what it sees
        found = columns_of(statistic, values)
        for name, first, last in (("to", "sees_from", "sees_to"), ("from", "seen_from", "seen_to")):
            inside = (found[first] <= found[name]) & (found[name] <= found[last])
            assert (inside | (found[name] < 0)).all()


def to_the_token_before(attention: AttentionBatch, seen: Tensor) -> Tensor:
    """All weight on the token before; that of the first token on itself."""
    planted = torch.diag_embed(torch.ones(seen.shape[1] - 1), -1)
    planted[0, 0] = 1
    return planted * seen


def to_the_word_before(attention: AttentionBatch, seen: Tensor) -> Tensor:
    """All weight on the last token of the word before; that of other tokens on themselves."""
    words = attention.read().words
    planted = torch.zeros_like(seen, dtype=torch.float32)
    for text, row in enumerate(words.tolist()):
        for query, word in enumerate(row):
            before = [key for key, other in enumerate(row) if word > 0 and other == word - 1]
            planted[text, query, before[-1] if before else query] = 1
    return planted * seen


@all_cases
def test_a_planted_previous_token_head_is_found(case: Case, loaded_of: Callable[[Case], LoadedModel]) -> None:
    units = units_of(Surface())

    def planted(statistic: Statistic) -> dict[int, dict[str, _Numbers]]:
        given = Planted(statistic, case, to_the_token_before)
        found = values_of(reader_of(loaded_of(case), case, given), units)
        return {layer: columns_of(statistic, each[:, :1]) for layer, each in found.items()}

    for layer, columns in planted(TokenRoles()).items():
        # the first token is a query if it sees others
        first = int(case.sees[layer] is None)
        for name in ("previous", "at_-1"):
            np.testing.assert_array_equal(columns[name], columns["queries"] - first, err_msg=name)
        np.testing.assert_array_equal(columns["largest"], columns["queries"])
        np.testing.assert_allclose(columns["share_of_uniform"], 0, atol=1e-9)
    for layer, columns in planted(Surface()).items():
        first = int(case.sees[layer] is None)
        np.testing.assert_array_equal(columns["previous"], columns["queries"] - first)
        np.testing.assert_array_equal(columns["self"], first)
        np.testing.assert_allclose(columns["nats"], 0, atol=1e-6)
    for columns in planted(Shapes()).values():
        np.testing.assert_array_equal(columns["diagonal"], columns["queries"])


@all_cases
def test_a_planted_head_of_the_word_before_is_found(
    case: Case, loaded_of: Callable[[Case], LoadedModel]
) -> None:
    text = " ".join(WORDS[:LENGTH])
    spans = spans_of(text)
    units = [Unit(text, span, words=spans) for span in spans]
    before = np.arange(-1, len(spans) - 1)
    for statistic in (WordTargets(), HighestWord(), WordRows()):
        given = Planted(statistic, case, to_the_word_before)
        found = values_of(reader_of(loaded_of(case), case, given), units)
        for values in found.values():
            columns = {name: each[:, 0] for name, each in columns_of(statistic, values[:, :1]).items()}
            if isinstance(statistic, WordTargets):
                np.testing.assert_array_equal(columns["to"], before)
                np.testing.assert_array_equal(columns["from"], [*range(1, len(spans)), -1])
            elif isinstance(statistic, HighestWord):
                np.testing.assert_array_equal(columns["highest"], [0, *before[1:]])
            else:
                rows = np.stack([columns[f"to_{word}"] for word in range(len(spans))], 1)
                np.testing.assert_array_equal(rows[1:], np.eye(len(spans))[:-1])
                # without a start token, the first token is of the first word
                assert case.make is tiny.make_gpt2 or not np.any([columns[name] for name in SPECIAL])


@all_cases
def test_uniform_attention_between_spans_is_that_elsewhere(
    case: Case, loaded_of: Callable[[Case], LoadedModel]
) -> None:
    statistic = SpanPair()
    given = Planted(statistic, case)
    for layer, values in values_of(reader_of(loaded_of(case), case, given), units_of(statistic)).items():
        columns = columns_of(statistic, values)
        assert (columns["both"] == 1).all()
        if case.sees[layer] is None:
            for name in ("to_second", "to_first"):
                np.testing.assert_allclose(columns[name], columns[f"{name}_elsewhere"], rtol=1e-6)
        else:  # the second span is ahead
            assert not columns["to_second"].any()
            assert not columns["to_second_elsewhere"].any()
            assert columns["to_first"].any()


@all_cases
def test_equal_heads_have_no_distance_and_heads_of_other_tokens_ln_2(
    case: Case, loaded_of: Callable[[Case], LoadedModel]
) -> None:
    """Planted in one layer at a time."""
    statistic = Divergence(smoothing=0)
    loaded = loaded_of(case)
    inner = reader_of(loaded, case, Surface())
    (batch,) = inner.encoder().batches(units_of(statistic))
    for layer in range(len(case.sees)):
        given = Planted(statistic, case, to_the_token_before)
        weights = torch.zeros(len(batch.real), 2, batch.real.shape[1], batch.real.shape[1])
        found = given.reduce(
            AttentionBatch(weights, batch.real, batch.real, None, _tokens(batch, loaded), layer)
        )
        seen = seen_by(case, batch.real, layer)
        np.testing.assert_allclose(found[:, 0, 0], 0, atol=1e-6)
        np.testing.assert_allclose(found[:, 1, 1], 0, atol=1e-6)
        # a head on one of n keys, and one on all of them
        n = torch.where(batch.real, seen.sum(2), 1).double()
        shares = (1 / n + 1) / 2
        own = -torch.xlogy(shares, shares) - (1 - 1 / n) / 2 * torch.log(1 / (2 * n)) - n.log() / 2
        np.testing.assert_allclose(found[:, 0, 1], own.sum(1), rtol=1e-4, atol=1e-5)
        assert (own <= math.log(2)).all()


def _tokens(batch: EncodedBatch, loaded: LoadedModel) -> TokenBatch:
    return token_batch(batch, loaded.tokenizer)


@all_cases
def test_attention_that_falls_with_the_tree_has_a_cat_score_of_1(
    case: Case, loaded_of: Callable[[Case], LoadedModel]
) -> None:
    statistic = CatScores("python")

    def as_the_tree(attention: AttentionBatch, seen: Tensor) -> Tensor:
        planted = torch.zeros_like(seen, dtype=torch.float32)
        even = replace(attention, weights=seen.unsqueeze(1).float())
        for text, leaves in enumerate(leaf_maps(even, "python")):
            if not len(leaves.places):
                continue
            words = attention.read().words[text]
            places = {int(place): row for row, place in enumerate(leaves.places)}
            for query, key in (seen[text] & (words >= 0) & (words[:, None] >= 0)).nonzero().tolist():
                row, column = (places[int(words[at])] for at in (query, key))
                planted[text, query, key] = 1 / (1 + float(leaves.distances[row, column]))
        return planted

    units = units_of(statistic)
    given = Planted(statistic, case, as_the_tree)
    for layer, values in values_of(reader_of(loaded_of(case), case, given), units).items():
        columns = columns_of(statistic, values)
        defined = columns["texts"][:, 0] == 1
        # in a window, a quarter of the pairs are leaves with themselves, so that none is nearer than others
        assert defined.any() or case.sees[layer] == WINDOW
        np.testing.assert_array_equal(columns["score"][defined, 0], 1)
        assert (columns["chance"][defined, 0] < 0.5).all()
        # uniform attention to all leaves is nowhere high
        assert case.sees[layer] is not None or not columns["score"][:, 1].any()


@all_cases
def test_leaves_that_do_not_see_each_other_are_no_pair(
    case: Case, loaded_of: Callable[[Case], LoadedModel]
) -> None:
    units = units_of(CatScores("python"))
    types = sorted({name for code in CODES for name in parse(code, "python").types})
    statistic = TypeRates("python", types=tuple(types))
    reader = reader_of(loaded_of(case), case, statistic)
    (batch,) = reader.encoder().batches(units)
    words = _tokens(batch, reader.loaded).words
    if case.stack == "decoder":
        words = torch.nn.functional.pad(words[:, :-1], (1, 0), value=-1)
    for layer, values in values_of(reader, units).items():
        columns = columns_of(statistic, values)
        ends = np.stack([columns[f"all {name}"][:, 0] for name in types]).sum(0)
        seen = seen_by(case, batch.real, layer)
        for row, unit in enumerate(batch.units):
            pairs = {
                (int(words[row, query]), int(words[row, key])) for query, key in seen[row].nonzero().tolist()
            }
            assert ends[unit] == 2 * sum(min(pair) >= 0 for pair in pairs)


@pytest.mark.parametrize("make", [tiny.make_t5, tiny.make_bart])
@pytest.mark.parametrize("stack", ["encoder", "decoder", "cross"])
def test_maps_between_words_are_those_of_plain_transformers(
    stack: Stack, make: Callable[..., Path], loaded_of: Callable[[Case], LoadedModel]
) -> None:
    case, statistic = Case(make, stack), WordRows()
    loaded = loaded_of(case)
    units = [Unit(text, span, words=spans_of(text)) for text in TEXTS for span in spans_of(text)]
    found = values_of(reader_of(loaded, case, statistic), units)
    at = 0
    for text in TEXTS:
        encoded = loaded.tokenizer(text, return_tensors="pt", return_offsets_mapping=True)
        shifted = decoder_inputs(loaded.model, encoded.input_ids, encoded.attention_mask)["decoder_input_ids"]
        with torch.no_grad():
            output = loaded.model(
                input_ids=encoded.input_ids, decoder_input_ids=shifted, output_attentions=True
            )
        offsets = encoded.offset_mapping[0].tolist()
        tokens = [
            [i for i, (a, b) in enumerate(offsets) if a < end and b > start] for start, end in spans_of(text)
        ]
        # the decoder reads each token one position later; in cross-attention it is about to read it
        later = int(stack == "decoder")
        places = [[token + later for token in own] for own in tokens]
        for layer, weights in enumerate(output[f"{stack}_attentions"]):
            for row, queries in enumerate(places):
                wanted = [weights[0][:, queries][:, :, keys].sum(2).mean(1) for keys in places]
                columns = columns_of(statistic, found[layer][at + row][None])
                own = np.stack([columns[f"to_{word}"][0] for word in range(len(places))])
                np.testing.assert_allclose(own, torch.stack(wanted), rtol=1e-4, atol=1e-6)
        at += len(places)


def test_a_word_that_the_decoder_does_not_read_is_missing(loaded_of: Callable[[Case], LoadedModel]) -> None:
    case = Case(tiny.make_t5, "decoder", BEFORE)
    text, second = "the old dog", "sees a near-by"  # the tokenizer ends pairs without a special token
    spans = spans_of(text)
    units = [Unit(text, span, second, words=spans) for span in spans]
    reader = reader_of(loaded_of(case), case, WordTargets())
    ((rows,),) = read([reader], [units])
    assert set(rows.places) == {0, 1, 2}
    assert rows.missing == ()
    # of a single text without a special token, the last word is not read
    loaded = loaded_of(case)
    (batch,) = reader.encoder().batches([Unit(text, span, words=spans) for span in spans])
    bare = replace(batch, real=batch.real & (batch.inputs["input_ids"] != loaded.tokenizer.sep_token_id))
    moved = units_after_start(bare)
    assert moved.units == (0, 1)
    assert moved.missing == (2,)
    assert moved.tokens.nonzero().tolist() == [[0, 2], [1, 3]]
    inputs = replace(_tokens(batch, loaded), real=bare.real)
    assert tokens_after_start(inputs, inputs.ids).words.tolist() == [[-1, -1, 0, 1, -1]]
