"""Every statistic of attention can be given attention that is weighted by values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from probing.models import attended
from probing.models.attended import Attended, capture_values
from probing.models.sites import Site
from probing.models.trace import find_sites
from probing.representations.forward import ModelReader
from probing.representations.reductions.divergence import Divergence
from probing.representations.reductions.received import Received
from probing.representations.reductions.shapes import Shapes
from probing.representations.reductions.span_pair import SpanPair
from probing.representations.reductions.statistic import AcrossLayers, AttentionBatch
from probing.representations.reductions.surface import Surface
from probing.representations.reductions.token_roles import TokenRoles
from probing.representations.reductions.word_roles import HighestWord, WordRoles
from probing.representations.reductions.word_rows import WordRows
from probing.representations.reductions.word_targets import WordTargets
from probing.representations.settings import ExtractConfig
from probing.representations.token_rows import token_batch
from probing.tasks.task import Unit
from tests import tiny
from tests.representations.test_attention import TEXTS, extractor, request_of, rows_of

STATISTICS = [
    Divergence, HighestWord, Received, Shapes, SpanPair, Surface, TokenRoles, WordRoles, WordRows,
    WordTargets,
]  # fmt: skip


def words_of(text: str) -> tuple[tuple[int, int], ...]:
    """Character offsets of words between blanks."""
    starts = [0, *(at + 1 for at, letter in enumerate(text) if letter == " ")]
    return tuple((start, start + len(text[start:].split(" ", maxsplit=1)[0])) for start in starts)


@pytest.mark.parametrize("make", [tiny.make_bert, tiny.make_llama], ids=["bert", "llama"])
@pytest.mark.parametrize("kind", STATISTICS, ids=lambda kind: kind.__name__)
def test_a_weighted_statistic_is_that_of_weighted_maps(
    kind: Callable[..., Any], make: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = make(tmp_path / "model")
    units = [
        Unit(text, words_of(text)[1], second_span=words_of(text)[0], words=words_of(text)[:2])
        for text in TEXTS
    ]
    found = {
        weighted: extractor(tmp_path / "out", folder, kind(weighted=weighted)).extract(units)
        for weighted in (False, True)
    }
    made = extractor(tmp_path / "out", folder, kind(weighted=True))
    loaded, statistic = made.load(), kind(weighted=True)
    reader = ModelReader.of(loaded, request_of(folder, statistic), ExtractConfig(threads=1))
    differs = False
    for unit, alone in enumerate(units):
        (batch,) = reader.encoder().batches([alone])
        inputs, earlier = token_batch(batch, loaded.tokenizer), dict[int, Tensor]()
        expected: dict[int, Tensor] = {}

        def keep(
            site: Site,
            attended: Attended,
            batch: Any = batch,  # noqa: ANN401
            inputs: Any = inputs,  # noqa: ANN401
            earlier: dict[int, Tensor] = earlier,
            expected: dict[int, Tensor] = expected,
        ) -> None:
            lengths = attended.norms.double()
            maps = attended.weights.double() * lengths.unsqueeze(2)
            maps = (maps / maps.sum(3, keepdim=True)).float()
            whole = AttentionBatch(
                maps, batch.real, batch.tokens, batch.texts, inputs, site.layer, earlier, second=batch.second
            )
            if isinstance(statistic, AcrossLayers):
                earlier[site.layer] = statistic.keep(whole)
            expected[site.layer] = statistic.reduce(whole)

        with torch.no_grad(), capture_values(loaded.model, find_sites(loaded.model).heads, keep) as run:
            run(**batch.inputs)
        for layer, values in expected.items():
            got = rows_of(found[True], layer)[unit]
            np.testing.assert_allclose(got, values[0], rtol=1e-4, atol=1e-5)
            differs |= not np.allclose(got, rows_of(found[False], layer)[unit], atol=1e-6)
    assert found[True].key != found[False].key
    # the highest of a few weights may stay the highest
    assert differs or kind in (HighestWord, WordTargets)


def test_projections_are_factorised_once_for_all_batches(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    factorised: list[Site] = []
    plain = attended._factor

    def counted(model: Any, site: Site) -> Tensor:  # noqa: ANN401
        factorised.append(site)
        return plain(model, site)

    monkeypatch.setattr(attended, "_factor", counted)
    found = extractor(tmp_path, tiny_bert, Received(weighted=True), batch_tokens=1).extract(
        [Unit(text) for text in TEXTS]
    )
    assert len(TEXTS) > 1
    assert len(factorised) == len(set(factorised)) == len(found.layers)
