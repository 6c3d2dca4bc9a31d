"""Probes of head words: identities, planted heads, batches, and a slow loop over the formula of the paper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from probing.probes.arcs.attachment import counts, guessing, right_branching
from probing.probes.arcs.fit import (
    TOLERANCE,
    fit_as_published,
    fit_exactly,
    minimised,
    objective,
    surprise,
    uas,
)
from probing.probes.arcs.labelled import right_relations
from probing.probes.arcs.model import ArcModel
from probing.probes.arcs.padded import Batch, Corpus, Tree
from probing.probes.arcs.variables import Variables
from tests.probes.arcs.made import HEADS, PLANTED, corpus, shared, trees

L2 = (1e-1, 1e-3)
VECTORS = torch.from_numpy(np.random.default_rng(3).normal(size=(12, 4)))


def random_parameters(model: ArcModel) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).normal(size=model.size))


def logits_of(model: ArcModel, flat: torch.Tensor, batch: Batch) -> torch.Tensor:
    (weights,) = model.weights(flat, [batch])
    return model.logits(weights, batch)


def by_loop(model: ArcModel, flat: torch.Tensor, batch: Batch) -> np.ndarray:
    """The logits of one sentence, pair by pair."""
    given = [each.numpy() for each in vars(model.parameters(flat)).values()]
    bias, dependent, governor, factors = given
    maps, root = batch.maps[0].numpy(), batch.root[0].numpy()
    n = len(maps)
    vectors = np.zeros((n, 0)) if model.vectors is None else model.vectors[batch.words[0]].numpy()
    found = np.zeros((n, 1 + n))
    for i in range(n):
        own = bias + dependent @ vectors[i]
        found[i, 0] = own @ (factors[0] * root[i, 0] + factors[1] * root[i, 1])
        for j in range(n):
            found[i, 1 + j] = (own + governor @ vectors[j]) @ np.concatenate([maps[i, j], maps[j, i]])
    return found


@pytest.mark.parametrize("vectors", [None, VECTORS])
def test_logits_are_those_of_a_loop_over_pairs(vectors: torch.Tensor | None) -> None:
    model, made = ArcModel(HEADS, vectors), corpus(trees(7), pairs=200)
    flat = random_parameters(model)
    for number, (batch, row) in enumerate(made.places):
        n = len(trees(7)[number])
        logits = logits_of(model, flat, made.batches[batch].double())[row]
        np.testing.assert_allclose(
            logits[:n, : n + 1], by_loop(model, flat, made.sentence(number).double()), atol=1e-12
        )
        assert bool((logits[:, n + 1 :] == -torch.inf).all())


def test_without_weights_of_words_the_probe_is_the_attention_only_one() -> None:
    plain, worded = ArcModel(HEADS), ArcModel(HEADS, VECTORS)
    flat = random_parameters(plain)
    same = torch.zeros(worded.size, dtype=torch.float64)
    same[: 2 * HEADS], same[-2:] = flat[: 2 * HEADS], flat[-2:]
    for batch in corpus(trees(9)).batches:
        torch.testing.assert_close(logits_of(worded, same, batch), logits_of(plain, flat, batch))


@pytest.mark.parametrize("vectors", [None, VECTORS])
def test_one_sentence_a_batch_is_many(vectors: torch.Tensor | None) -> None:
    model = ArcModel(HEADS, vectors)
    fits = []
    for pairs in (1, 1 << 20):
        train, dev = corpus(trees(40), pairs=pairs), corpus(trees(20, 5), 5, pairs=pairs)
        fits.append(fit_exactly(model, train, dev, L2))
    assert [fit.l2 for fit in fits] == [fits[0].l2] * 2
    assert fits[0].converged
    assert fits[0].dev == fits[1].dev
    torch.testing.assert_close(fits[0].flat, fits[1].flat, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("vectors", [None, VECTORS])
def test_the_fit_is_the_optimum_that_a_plain_search_finds(vectors: torch.Tensor | None) -> None:
    model, train = ArcModel(HEADS, vectors), corpus(trees(40))
    flat, converged = minimised(model, train, 1e-2, model.start())
    assert converged

    def both(at: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = objective(model, torch.from_numpy(at), train, 1e-2)
        return value, gradient.numpy()

    found = objective(model, flat, train, 1e-2)[0]
    options = {"gtol": 1e-7}
    same = minimize(both, model.start().numpy(), jac=True, method="BFGS", options=options)
    # the end is estimated, so it may be at twice the tolerance
    assert same.fun - 1e-6 <= found <= same.fun * (1 + 2 * TOLERANCE)
    # products of weights and factors of ROOT may have further minima, which are not lower here
    for seed in range(3):
        start = np.random.default_rng(seed).normal(size=model.size) / 10
        assert found <= minimize(both, start, jac=True, method="BFGS", options=options).fun * (
            1 + 2 * TOLERANCE
        )


def test_the_gradient_is_that_of_the_objective() -> None:
    made = corpus(trees(7), pairs=200)
    made = replace(made, batches=tuple(batch.double() for batch in made.batches))
    model = ArcModel(HEADS, VECTORS)
    flat = random_parameters(model)
    gradient = objective(model, flat, made, 1e-2)[1]
    for seed in range(3):
        along = torch.from_numpy(np.random.default_rng([seed, 7]).normal(size=model.size))
        ends = [objective(model, flat + 1e-5 * sign * along, made, 1e-2)[0] for sign in (1, -1)]
        assert float(gradient @ along) == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6)


@pytest.mark.parametrize("vectors", [None, VECTORS])
def test_variables_are_parameters_in_other_directions(vectors: torch.Tensor | None) -> None:
    made = corpus(trees(40))
    model = ArcModel(HEADS, vectors).on_axes(made)
    flat, along = random_parameters(model), random_parameters(model).flip(0)
    variables = Variables.at(model, flat, made, 1e-2)
    torch.testing.assert_close(variables.parameters(variables.variables(flat)), flat)
    # a step in variables changes a linear function by its gradient in variables
    assert float(variables.gradient(along) @ variables.variables(flat)) == pytest.approx(float(along @ flat))


def test_a_rotation_of_the_vectors_changes_nothing() -> None:
    turn = torch.linalg.qr(torch.from_numpy(np.random.default_rng(8).normal(size=(4, 4))))[0]
    train, dev = corpus(trees(60)), corpus(trees(30, 5), 5)
    fits = [
        fit_exactly(ArcModel(HEADS, vectors), train, dev, (1e-2,)) for vectors in (VECTORS, VECTORS @ turn)
    ]
    losses = [objective(fit.model, fit.flat, train, 1e-2)[0] for fit in fits]
    assert losses[0] == pytest.approx(losses[1], rel=2 * TOLERANCE)


def test_vectors_of_words_say_which_head_to_follow() -> None:
    train, dev = shared(trees(200)), shared(trees(100, 5), 5)
    plain = fit_exactly(ArcModel(HEADS), train, dev, L2)
    worded = fit_exactly(ArcModel(HEADS, torch.eye(12, dtype=torch.float64)), train, dev, L2)
    inner = sum(int(((batch.governors > 0) & batch.scored).sum()) for batch in dev.batches)
    # one head is right for each word, and maps alone do not say whose turn it is
    assert plain.dev < 0.75
    assert worded.dev > 0.95 * inner / dev.scored


def test_a_head_that_knows_the_tree_gets_the_weight_and_finds_all_but_roots() -> None:
    train, dev = corpus(trees(60), planted=True), corpus(trees(30, 5), 5, planted=True)
    fit = fit_exactly(ArcModel(HEADS), train, dev, L2)
    weights = fit.model.parameters(fit.flat).maps
    assert int(weights.argmax()) == PLANTED
    for batch in dev.batches:
        inner = batch.governors > 0
        found = logits_of(fit.model, fit.flat, batch).argmax(2)
        assert bool((found == batch.governors)[inner].all())


def test_the_transpose_of_a_head_that_knows_the_tree_is_found_too() -> None:
    train = corpus(trees(60), planted=True)
    for batch in train.batches:
        batch.maps.copy_(batch.maps.transpose(1, 2).clone())
    fit = fit_exactly(ArcModel(HEADS), train, train, L2)
    assert int(fit.model.parameters(fit.flat).maps.argmax()) == HEADS + PLANTED


def test_shuffled_maps_know_nothing_but_the_number_of_words() -> None:
    train, dev = corpus(trees(200), planted=True), corpus(trees(200, 5), 5, planted=True)
    fit = fit_exactly(ArcModel(HEADS), train.permuted(0), dev.permuted(0), L2)
    of = counts(fit.model, fit.flat, dev)[1]
    # a word is never its own head word, and a guess among the others is right by chance alone
    most = guessing(dev) + 3 * float(np.sqrt(0.25 / of.sum()))
    assert uas(fit.model, fit.flat, dev.permuted(0)) < most


def test_the_order_of_words_in_shuffled_maps_does_not_depend_on_batches() -> None:
    given = trees(12)
    one, many = corpus(given, pairs=1).permuted(4), corpus(given).permuted(4)
    for number in range(12):
        torch.testing.assert_close(one.sentence(number).maps, many.sentence(number).maps)
        torch.testing.assert_close(one.sentence(number).root, many.sentence(number).root)
        diagonal = corpus(given).sentence(number).maps.diagonal(dim1=1, dim2=2).sort().values
        torch.testing.assert_close(
            many.sentence(number).maps.diagonal(dim1=1, dim2=2).sort().values, diagonal
        )


def test_right_branching_takes_the_next_word_and_root_for_the_last() -> None:
    nothing = np.zeros(4, dtype=np.int64)
    tree = Tree(np.array([2, 3, 1, 0]), np.array([True, True, True, True]), nothing, nothing)
    right, of = right_branching(Corpus.of([tree, tree], 1))
    assert right.tolist() == [3, 3]
    assert of.tolist() == [4, 4]


def test_punctuation_is_fitted_and_not_scored() -> None:
    given = trees(20)
    made = corpus(given)
    _, of = counts(ArcModel(HEADS), ArcModel(HEADS).start(), made)
    assert of.tolist() == [int(tree.scored.sum()) for tree in given]
    model = ArcModel(HEADS)
    weights = model.weights(model.start(), made.batches)
    every = sum(float(surprise(model, own, batch)) for own, batch in zip(weights, made.batches, strict=True))
    # all logits are equal at the start, so each word costs ln(candidates)
    assert every == pytest.approx(sum(len(tree) * np.log(len(tree) + 1) for tree in given))


def test_the_published_regimen_steps_through_sentences_in_order() -> None:
    given = trees(10)
    made = corpus(given)
    flat = ArcModel(HEADS).start(0.1).requires_grad_()
    optimiser = torch.optim.Adam([flat], lr=0.002)
    for number in range(10):
        optimiser.zero_grad()
        sentence = made.sentence(number).double()
        (weights,) = ArcModel(HEADS).weights(flat, [sentence])
        surprise(ArcModel(HEADS), weights, sentence).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    fit = fit_as_published(ArcModel(HEADS), made, made)
    torch.testing.assert_close(fit.flat, flat.detach())
    assert np.isnan(fit.l2)


def test_relations_are_read_off_maps_that_encode_them() -> None:
    splits = {name: corpus(trees(80, seed), seed) for seed, name in enumerate(("train", "dev", "test"))}
    for made in splits.values():
        for batch in made.batches:
            row, word = (batch.governors > 0).nonzero(as_tuple=True)
            head = batch.governors[row, word] - 1
            for relation in range(3):
                batch.maps[row, word, head, relation] = (batch.relations[row, word] == 1 + relation).float()
    found = right_relations(splits, ("root", "a", "b", "c"), 0)
    assert all(row.all() for rows in found.values() for row in rows)
    assert [len(row) for row in found["test"]] == [len(tree) for tree in trees(80, 2)]
