"""Rollout against its closed forms, and against a slow loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from probing import capture_values, find_sites
from probing.errors import ProbingError
from probing.models.attended import Attended
from probing.models.sites import Site
from probing.representations.rollout import rollout
from tests.models.families import FAMILIES, build, inputs_of

LAYERS, TEXTS, HEADS, LENGTH = 4, 2, 3, 5


def _maps(*, causal: bool = False) -> list[NDArray[np.float64]]:
    drawn = np.random.default_rng(0).random((LAYERS, TEXTS, HEADS, LENGTH, LENGTH)) ** 3
    drawn = np.tril(drawn) if causal else drawn
    return list(drawn / drawn.sum(-1, keepdims=True))


def test_it_is_equation_1_in_a_slow_loop() -> None:
    maps = _maps()
    found = rollout(maps)
    assert found.shape == (TEXTS, LAYERS, LENGTH, LENGTH)
    for text in range(TEXTS):
        product = np.eye(LENGTH)
        for layer in range(LAYERS):
            mixed = 0.5 * sum(maps[layer][text, head] for head in range(HEADS)) / HEADS + 0.5 * np.eye(LENGTH)
            product = mixed @ product
            np.testing.assert_allclose(found[text, layer], product, rtol=1e-12)


def test_rows_sum_to_1_also_with_a_sink() -> None:
    np.testing.assert_allclose(rollout(_maps()).sum(-1), 1)
    np.testing.assert_allclose(rollout([0.3 * weights for weights in _maps()]).sum(-1), 1)


def test_the_identity_stays() -> None:
    same = np.broadcast_to(np.eye(LENGTH), (TEXTS, HEADS, LENGTH, LENGTH))
    np.testing.assert_array_equal(rollout([same] * LAYERS), np.broadcast_to(np.eye(LENGTH), (2, 4, 5, 5)))


def test_uniform_attention_has_a_closed_form() -> None:
    uniform = np.full((TEXTS, HEADS, LENGTH, LENGTH), 1 / LENGTH)
    for layer, found in enumerate(rollout([uniform] * LAYERS)[0]):
        kept = 0.5 ** (layer + 1)
        np.testing.assert_allclose(found, kept * np.eye(LENGTH) + (1 - kept) / LENGTH, rtol=1e-12)


def test_causal_attention_stays_causal() -> None:
    assert not np.triu(rollout(_maps(causal=True)), 1).any()


def test_padding_gets_nothing() -> None:
    alone = _maps()
    padded = []
    for weights in alone:
        wider = np.full((TEXTS, HEADS, LENGTH + 2, LENGTH + 2), 1 / (LENGTH + 2))
        wider[..., :LENGTH, :] = 0
        wider[..., :LENGTH, :LENGTH] = weights
        padded.append(wider)
    found = rollout(padded)
    np.testing.assert_allclose(found[..., :LENGTH, :LENGTH], rollout(alone))
    assert not found[..., :LENGTH, LENGTH:].any()


@pytest.mark.slow
def test_maps_that_are_weighted_by_values_roll_out_as_shares() -> None:
    family = next(family for family in FAMILIES if str(family) == "llama")
    model = build(family, "eager")
    plain, weighted = [], []

    def read(_: Site, attended: Attended) -> None:
        plain.append(attended.weights.clone())
        weighted.append(attended.weighted / attended.weighted.sum(-1, keepdim=True))

    with torch.no_grad(), capture_values(model, find_sites(model).heads, read) as run:
        run(**inputs_of(family, model.config))
    found = rollout(weighted)
    np.testing.assert_allclose(found.sum(-1), 1)
    assert not np.triu(found, 1).any()
    assert np.abs(found - rollout(plain)).max() > 1e-3


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        ([], "at least one layer"),
        ([np.eye(3)[None, None], np.eye(4)[None, None]], "all of one shape"),
        ([np.ones((1, 1, 3, 4)) / 4], r"layer 0 has shape \(1, 1, 3, 4\)"),
        ([np.eye(3)], r"layer 0 has shape \(3, 3\)"),
        ([np.ones((1, 1, 3, 3))], "layer 0 are not weights that sum to 1"),
        ([np.eye(3)[None, None], -np.eye(3)[None, None]], "layer 1 are not weights"),
        ([np.full((1, 1, 3, 3), np.nan)], "layer 0 are not weights"),
    ],
)
def test_what_is_not_attention_is_refused(maps: list[NDArray[np.float64]], message: str) -> None:
    with pytest.raises(ProbingError, match=message):
        rollout(maps)
