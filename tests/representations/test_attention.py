"""Statistics of attention through the cache, against attention as plain transformers returns it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoModel, AutoModelForSeq2SeqLM, AutoTokenizer

from probing.errors import ProbingError
from probing.models.loading import Attention, LoadedModel, Purpose, load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from probing.representations.cache import Store
from probing.representations.extract import Extractor, Overwrite
from probing.representations.forward import ModelReader
from probing.representations.reader import Representations
from probing.representations.reductions.entropy import Entropy
from probing.representations.reductions.logs import entropy
from probing.representations.reductions.statistic import AttentionBatch, Statistic
from probing.representations.request import Request, Stack, unit_id
from probing.representations.settings import ExtractConfig
from probing.representations.shard import ShardWriter
from probing.tasks.task import Task, Unit
from tests.tiny import make_bart, make_bert, make_gpt2, make_llama, make_t5

CPU = torch.device("cpu")
MODEL = {"weights": "w", "config": "c", "tokenizer": "t"}
TEXTS = ["the old dog sees a cat .", "a river .", "farmers walk slowly and see horses near the green house"]


@dataclass(frozen=True)
class ToDistance:
    """A statistic as anybody may write one: attention to the token at a distance, and its queries."""

    distance: int = 0

    @property
    def name(self) -> str:
        return "to_distance"

    @property
    def columns(self) -> tuple[str, ...]:
        return ("share", "queries")

    def reduce(self, attention: AttentionBatch) -> Tensor:
        real = attention.real
        length = real.shape[1]
        rows = torch.arange(max(0, -self.distance), min(length, length - self.distance))
        counted = (real[:, rows] & real[:, rows + self.distance]).unsqueeze(1)
        shares = attention.weights[:, :, rows, rows + self.distance].double() * counted
        counts = counted.sum(2).double().expand(shares.shape[:2])
        return attention.per_unit(torch.stack([shares.sum(2), counts], 2))


class TwoNumbers(ToDistance):
    """Says that it gives one number, and gives two."""

    @property
    def columns(self) -> tuple[str, ...]:
        return ("share",)


def request_of(folder: Path, statistic: Statistic | None = None, stack: Stack = "") -> Request:
    identity = find_files(ModelConfig(str(folder))).identity
    return Request(identity, "attention", statistic or Entropy(), None, "float32", 5, stack=stack)


def extractor(
    root: Path,
    folder: Path,
    statistic: Statistic | None = None,
    *,
    stack: Stack = "",
    attention: Attention = "eager",
    overwrite: Overwrite = "missing",
    loads: list[Path] | None = None,
    **settings: Any,  # noqa: ANN401
) -> Extractor:
    purpose: Purpose = "lm" if stack else "read"

    def load() -> LoadedModel:
        if loads is not None:
            loads.append(folder)
        files = find_files(ModelConfig(str(folder)))
        return load_model(files, device=CPU, attention=attention, purpose=purpose)

    given = ExtractConfig(threads=1, **settings)
    return Extractor(root, request_of(folder, statistic, stack), given, load, overwrite)


def rows_of(found: Representations, layer: int) -> NDArray[np.float64]:
    """All rows of a layer, in order."""
    rows = np.full((found.size, *found.layout[layer]), np.nan)
    for places, values in found.blocks(layer):
        rows[places] = values
    return rows


def entropies(weights: Tensor) -> NDArray[np.float64]:
    """Mean entropy in nats of each head of one text, in float64 and by another formula."""
    values = weights[0].double().numpy()
    logs = np.log(np.where(values > 0, values, 1))
    found: NDArray[np.float64] = -(values * logs).sum(-1).mean(-1)
    return found


@pytest.mark.parametrize("make", [make_bert, make_gpt2, make_llama, make_t5])
def test_entropy_is_that_of_plain_transformers(make: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = make(tmp_path / "model")
    found = extractor(tmp_path / "out", folder).extract([Unit(text) for text in TEXTS])
    whole = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    model = whole.get_encoder() if whole.config.is_encoder_decoder else whole
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert found.layout == dict.fromkeys(found.layers, (4, 5))
    for row, text in enumerate(TEXTS):  # alone and without padding
        ids = tokenizer(text, return_tensors="pt").input_ids
        with torch.no_grad():
            attentions = model(input_ids=ids, output_attentions=True).attentions
        assert len(attentions) == len(found.layers)
        for layer, weights in enumerate(attentions):
            nats, queries, first, late, ahead = rows_of(found, layer)[row].T
            np.testing.assert_array_equal(queries, ids.shape[1])
            np.testing.assert_allclose(nats / queries, entropies(weights), rtol=1e-5)
            np.testing.assert_array_equal(late, max(0, ids.shape[1] - 4))
            np.testing.assert_allclose(first, weights[0, :, 4:, 0].sum(1), rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(ahead, weights[0].triu(1).amax((1, 2)), rtol=1e-5)


def test_sums_are_kept_in_double_precision(tmp_path: Path, tiny_bert: Path, small_task: Task) -> None:
    """From the cache the mean is that of the model's own attention on the same batch to the last digits."""
    units = list(dict.fromkeys(small_task.units))
    made = extractor(tmp_path, tiny_bert, batch_tokens=4000)
    found = made.extract(units)
    (batch,) = ModelReader.of(made.load(), made.request, made.settings).encoder().batches(units)
    model = AutoModel.from_pretrained(tiny_bert, attn_implementation="eager").eval()
    with torch.no_grad():
        attentions = model(**batch.inputs, output_attentions=True).attentions
    for layer, weights in enumerate(attentions):
        values = entropy(weights).transpose(1, 2)[batch.real].double()
        nats, queries = rows_of(found, layer).sum(0).T[:2]
        np.testing.assert_allclose(nats / queries, values.mean(0), rtol=1e-12)


@pytest.mark.parametrize("stack", ["encoder", "decoder", "cross"])
@pytest.mark.parametrize("make", [make_bart, make_t5])
def test_each_stack_of_an_encoder_decoder_model_has_its_own_layers(
    make: Callable[[Path], Path], stack: Stack, tmp_path: Path
) -> None:
    folder = make(tmp_path / "model")
    found = extractor(tmp_path / "out", folder, stack=stack).extract([Unit(text) for text in TEXTS])
    assert found.layout == {0: (4, 5), 1: (4, 5)}
    model = AutoModelForSeq2SeqLM.from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for row, text in enumerate(TEXTS):
        ids = tokenizer(text, return_tensors="pt").input_ids
        with torch.no_grad():  # labels make the library shift them for the decoder
            output = model(input_ids=ids, labels=ids, output_attentions=True)
        for layer, weights in enumerate(output[f"{stack}_attentions"]):
            nats, queries, *_, ahead = rows_of(found, layer)[row].T
            np.testing.assert_allclose(nats / queries, entropies(weights), rtol=1e-5)
            assert ahead.any() == (stack != "decoder")


def test_stacks_have_keys_of_their_own_and_a_wrong_one_is_one_line(tmp_path: Path) -> None:
    folder = make_bart(tmp_path / "bart")
    stacks: Sequence[Stack] = ("", "encoder", "decoder", "cross")
    assert len({request_of(folder, stack=stack).key for stack in stacks}) == 4
    bert = make_bert(tmp_path / "bert")
    with pytest.raises(ProbingError, match=r"no attention in stack 'cross'; the model has ''"):
        ModelReader.of(
            extractor(tmp_path, bert).load(), request_of(bert, stack="cross"), ExtractConfig(threads=1)
        )


def test_batches_leave_no_trace(tmp_path: Path, tiny_bert: Path, small_task: Task) -> None:
    alone = extractor(tmp_path / "1", tiny_bert, batch_tokens=1).extract(small_task.units)
    together = extractor(tmp_path / "2", tiny_bert, batch_tokens=4000).extract(small_task.units)
    assert alone.key == together.key
    for layer in alone.layers:
        np.testing.assert_allclose(rows_of(alone, layer), rows_of(together, layer), rtol=1e-5, atol=1e-7)


def test_a_fused_model_is_refused(tmp_path: Path, tiny_bert: Path) -> None:
    with pytest.raises(ProbingError, match="attention weights are not computed by 'sdpa'"):
        extractor(tmp_path, tiny_bert, attention="sdpa").extract([Unit("a cat")])
    assert not list(tmp_path.glob("*/shard-*"))


def test_a_second_call_and_other_shards_run_no_model(
    tmp_path: Path, tiny_bert: Path, small_task: Task
) -> None:
    loads: list[Path] = []
    for units in (small_task.units[:20], small_task.units):  # the second has two shards to read
        extractor(tmp_path, tiny_bert, loads=loads).extract(units)
    found = extractor(tmp_path, tiny_bert, loads=loads).extract(small_task.units[::-1], [1])
    assert len(loads) == 2
    assert [len(values) for _, values in found.blocks(1)] != [found.size]  # a block for each shard
    once = extractor(tmp_path / "once", tiny_bert).extract(small_task.units)
    np.testing.assert_allclose(rows_of(found, 1)[::-1], rows_of(once, 1), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["layer-01.parquet", "rows.parquet", "shard.json"])
def test_a_damaged_file_is_named_and_made_again(
    tmp_path: Path, tiny_bert: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    units = [Unit(text) for text in TEXTS]
    before = rows_of(extractor(tmp_path, tiny_bert).extract(units), 1)
    (path,) = tmp_path.glob(f"*/shard-*/{name}")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ProbingError, match=f"{name}: damaged .* overwrite=missing"):
        extractor(tmp_path, tiny_bert, overwrite="never").extract(units)
    with caplog.at_level("WARNING", logger="probing"):
        after = rows_of(extractor(tmp_path, tiny_bert).extract(units), 1)
    assert name in caplog.text
    np.testing.assert_array_equal(before, after)


def test_a_statistic_of_anybody_is_read_and_cached_by_its_settings(tmp_path: Path, tiny_bert: Path) -> None:
    loads: list[Path] = []
    model = AutoModel.from_pretrained(tiny_bert, attn_implementation="eager").eval()
    ids = AutoTokenizer.from_pretrained(tiny_bert)(TEXTS[0], return_tensors="pt").input_ids
    with torch.no_grad():
        weights = model(ids, output_attentions=True).attentions[1][0]
    for distance in (0, 1, -2, 1):
        found = extractor(tmp_path, tiny_bert, ToDistance(distance), loads=loads).extract(
            [Unit(text) for text in TEXTS]
        )
        shares, queries = rows_of(found, 1)[0].T
        expected = weights.diagonal(distance, 1, 2)
        np.testing.assert_allclose(shares, expected.sum(1), rtol=1e-5)
        np.testing.assert_array_equal(queries, expected.shape[1])
    assert len(loads) == 3  # the last is cached
    with pytest.raises(
        ProbingError, match=r"statistic to_distance: reduces to shape \(\d, 4, 2\) instead of"
    ):
        extractor(tmp_path / "other", tiny_bert, TwoNumbers()).extract([Unit("a cat")])


def test_words_get_the_statistic_of_their_text(tmp_path: Path, tiny_bert: Path) -> None:
    text = TEXTS[0]
    found = extractor(tmp_path, tiny_bert).extract([Unit(text), Unit(text, (4, 7)), Unit("a river .")])
    rows = rows_of(found, 0)
    np.testing.assert_array_equal(rows[0], rows[1])
    assert (rows[0, :, 1] != rows[2, :, 1]).all()


def test_keys_of_heads_and_hidden_states_are_those_that_caches_have() -> None:
    """Digits of the version before there were statistics."""
    assert Request(MODEL, "head", "first", None, "float32", 5).key == "1a1f9aa71a1b5e4ed56c"
    assert Request(MODEL, "hidden", "mean", 128, "bfloat16", 5, "float16").key == "46b511c45b60fae38435"


def test_what_a_statistic_depends_on_is_in_its_key() -> None:
    def key(statistic: Statistic, **other: Any) -> str:  # noqa: ANN401
        return Request(MODEL, "attention", statistic, None, "float32", 5, **other).key

    keys = [
        key(Entropy()), key(ToDistance()), key(ToDistance(1)), key(ToDistance(), stack="cross"),
        key(ToDistance(), code=(("module", "ToDistance", "digest"),)),
    ]  # fmt: skip
    assert len(set(keys)) == 5
    assert key(Entropy(), storage="float16") == keys[0]  # sums are float64 anyway


def test_attention_is_not_pooled_and_vectors_have_no_statistic() -> None:
    with pytest.raises(ProbingError, match="site=attention cannot be reduced by 'mean'"):
        Request(MODEL, "attention", "mean", None, "float32", 5)
    with pytest.raises(ProbingError, match="site=head cannot be reduced by Entropy"):
        Request(MODEL, "head", Entropy(), None, "float32", 5)
    with pytest.raises(ProbingError, match="has no pooling"):
        _ = Request(MODEL, "attention", Entropy(), None, "float32", 5).pooling


def test_a_layer_is_read_a_shard_at_a_time(tmp_path: Path) -> None:
    """So that memory does not grow with the number of texts."""
    store = Store(tmp_path, "key")
    store.folder.mkdir()
    writer, ids = ShardWriter(store.folder), []
    for shard in range(6):
        units = [Unit(f"text {number} of shard {shard}") for number in range(20)]
        own = [unit_id(unit) for unit in units]
        writer.write(own, units, {0: np.full((20, 12, 5), float(shard))}, {0: (12, 5)})
        ids += own
    ids = ids[::-1] + ids[:30]  # some come twice
    found = Representations(store.key, {0: (12, 5)}, len(ids), store.locate(ids, [0]))
    total = 0.0
    before: list[weakref.ref[Any]] = []
    for places, values in found.blocks(0):
        assert len(places) == len(values) <= 40
        assert not any(block() is not None for block in before)
        before.append(weakref.ref(values))
        total += values.sum()
    assert len(before) == 6
    assert total == 60 * (20 * sum(range(6)) + 10)
