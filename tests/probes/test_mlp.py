"""The MLP of SentEval against one PyTorch module after another, and what a hidden layer is for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold
from torch import nn

from probing.errors import ProbingError
from probing.probes.contract import Fit
from probing.probes.losses import CrossEntropy
from probing.probes.mlp import Mlp
from probing.probes.nets import HiddenNet
from probing.probes.senteval import SentEval
from probing.probes.sgd import Schedule, TrainingRows, train
from probing.tasks.problem import Problem
from tests.probes.made import clusters, graded, problem

pytestmark = pytest.mark.slow

Ints = NDArray[np.int64]
Split = tuple[torch.Tensor, torch.Tensor]
NHID = 7


class Naive:
    """SentEval's MLP and its training, written down from the protocol with PyTorch's own layers."""

    def __init__(self, probe: SentEval, dim: int, k: int, l2: float, seed: int) -> None:
        self.probe, self.random, self.looks = probe, np.random.RandomState(seed), 0
        torch.manual_seed(seed)
        self.model = nn.Sequential(
            nn.Linear(dim, probe.nhid), nn.Dropout(probe.dropout), nn.Sigmoid(), nn.Linear(probe.nhid, k)
        )
        kind = {"rmsprop": torch.optim.RMSprop, "adam": torch.optim.Adam}[probe.optimizer]
        self.optim = kind(self.model.parameters(), weight_decay=l2)

    def fit(self, x: torch.Tensor, y: torch.Tensor, dev: Split) -> None:
        """Train until the early stop, with masks from PyTorch's global generator."""
        epochs, best, misses, stop = 0, -1.0, 0, False
        state: dict[str, torch.Tensor] = {}
        while not stop and epochs <= self.probe.max_epochs:
            self.model.train()
            for _ in range(self.probe.epoch_size):
                order = torch.from_numpy(self.random.permutation(len(x)))
                for batch in order.split(self.probe.batch_size):  # type: ignore[no-untyped-call]
                    self.optim.zero_grad()
                    nn.functional.cross_entropy(self.model(x[batch]), y[batch]).backward()  # type: ignore[no-untyped-call]
                    self.optim.step()
            epochs += self.probe.epoch_size
            self.looks += 1
            accuracy = float((self.predict(dev[0]) == dev[1]).double().mean())
            if accuracy > best:
                best, state = accuracy, {k: v.clone() for k, v in self.model.state_dict().items()}
            else:
                stop = misses >= self.probe.tenacity
                misses += 1
        self.model.load_state_dict(state)

    @torch.no_grad()
    def predict(self, x: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.model.eval()(x)
        return outputs.argmax(1)


def scaled(x: torch.Tensor, fit: Ints) -> torch.Tensor:
    """Zero mean and unit variance on some rows."""
    return (x - x[fit].mean(0)) / x[fit].std(0, correction=0)


def naive_fit(probe: SentEval, x: torch.Tensor, asked: Problem) -> tuple[float, float, Ints]:
    """Dev score, L2 and predictions for test of one head."""
    y, rows = torch.from_numpy(asked.gold), asked.train

    def fitted(l2: float, fit: Ints, held: Ints, random: np.random.RandomState | None = None) -> Naive:
        torch.random.manual_seed(0)
        made = Naive(probe, x.shape[1], 1 + int(asked.gold.max()), l2, asked.seed)
        made.random = random or made.random
        seen = scaled(x, fit) if probe.standardize else x
        made.fit(seen[fit], y[fit], (seen[held], y[held]))
        return made

    def answers(made: Naive, fit: Ints, at: Ints) -> Ints:
        return np.asarray(made.predict((scaled(x, fit) if probe.standardize else x)[at]))

    parts = [(rows, asked.dev)]
    if asked.selection == "kfold":
        folds = StratifiedKFold(asked.folds, shuffle=True, random_state=asked.seed)
        parts = [(rows[a], rows[b]) for a, b in folds.split(rows, asked.gold[rows])]
    scores = []
    for l2 in probe.l2:
        hits = [(answers(fitted(l2, a, b), a, b) == asked.gold[b]).mean() for a, b in parts]
        scores.append(round(100 * float(np.mean(hits)), 2))
    best = int(np.argmax(scores))
    fit, held, random = *parts[0], None
    if asked.selection == "kfold":
        random = np.random.RandomState(asked.seed)
        shuffled = rows[random.permutation(len(rows))]
        fit, held = shuffled[int(0.05 * len(rows)) :], shuffled[: int(0.05 * len(rows))]
    final = fitted(probe.l2[best], fit, held, random)
    return scores[best] / 100, probe.l2[best], answers(final, fit, asked.test)


@pytest.fixture(autouse=True)
def _keep_the_generator() -> object:
    with torch.random.fork_rng():
        yield


def small(**changes: object) -> SentEval:
    settings: dict[str, object] = {
        "l2": (1e-4, 1e-1), "batch_size": 16, "nhid": NHID, "max_epochs": 80, "optimizer": "adam",
    }  # fmt: skip
    return SentEval(**{**settings, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("selection", ["dev", "kfold"])
@pytest.mark.parametrize("changes", [
    {"optimizer": "rmsprop"}, {"dropout": 0.4}, {"standardize": True, "optimizer": "rmsprop", "dropout": 0.2},
])  # fmt: skip
def test_a_batch_is_one_module_after_another(selection: str, changes: dict[str, object]) -> None:
    vectors, labels = clusters(2, 150, 5, 3)
    asked, probe = problem(labels, selection, folds=2), small(**changes)
    fit = probe.fit(vectors, asked)
    for unit in range(2):
        dev, l2, predictions = naive_fit(probe, vectors[unit], asked)
        assert fit.dev[unit] == pytest.approx(dev, abs=1e-12)
        assert fit.l2[unit] == l2
        np.testing.assert_array_equal(fit.predictions[unit], predictions)


class Counted(np.random.RandomState):
    """Counts the epochs."""

    drawn = 0

    def permutation(self, x: int) -> Ints:  # type: ignore[override]
        self.drawn += 1
        return super().permutation(x)


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam"])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_weights_and_early_stop_are_those_of_the_module(optimizer: str, dropout: float) -> None:
    vectors, labels = clusters(1, 130, 6, 3)
    x, y = vectors[0], torch.from_numpy(labels)
    probe = small(optimizer=optimizer, dropout=dropout, epoch_size=8 if optimizer == "adam" else 2)
    schedule = Schedule(probe.optimizer, probe.batch_size, probe.epoch_size, probe.tenacity, probe.max_epochs)
    ones = torch.cat([vectors, torch.ones(1, len(y), 1)], 2)
    l2 = (0.0, 0.01, 0.03, 0.1)
    net, order = HiddenNet.seeded(3, 6, NHID, dropout, 11), Counted(11)
    parts = TrainingRows(ones[:, :100], y[:100]), TrainingRows(ones[:, 100:], y[100:])
    weights = train(*parts, torch.tensor([l2]), net, CrossEntropy(3), order, schedule)
    first, second = net.split(weights)
    looks = []
    for slot, value in enumerate(l2):
        naive = Naive(probe, 6, 3, value, 11)
        naive.fit(x[:100], y[:100], (x[100:], y[100:]))
        looks.append(naive.looks)
        for ours, layer in ((first, naive.model[0]), (second, naive.model[3])):
            assert isinstance(layer, nn.Linear)
            theirs = torch.column_stack([layer.weight, layer.bias])
            torch.testing.assert_close(ours[0, slot], theirs, atol=2e-4, rtol=1e-3)
    assert order.drawn == probe.epoch_size * max(looks)
    assert len(set(looks)) > 1


def test_all_start_from_two_seeded_layers_and_leave_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    net = HiddenNet.seeded(4, 6, NHID, 0.3, 1111)
    first, second = net.split(net.start)
    masks = net._mask(torch.empty(1, 5, 7), net.generator())
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(1111)
    hidden, out = nn.Linear(6, NHID), nn.Linear(NHID, 4)
    assert torch.equal(first, torch.column_stack([hidden.weight, hidden.bias]))
    assert torch.equal(second, torch.column_stack([out.weight, out.bias]))
    assert torch.equal(masks.T, nn.Dropout(0.3)(torch.ones(5, NHID)))


def test_the_gradient_is_autograds() -> None:
    generator = torch.Generator().manual_seed(3)
    net = HiddenNet.seeded(3, 4, NHID, 0.0, 5)
    weights = torch.randn(2, 3, len(net.start), generator=generator, requires_grad=True)
    features = torch.cat([torch.randn(2, 9, 4, generator=generator), torch.ones(2, 9, 1)], 2)
    target = torch.softmax(torch.randn(3, 9, generator=generator), 0)
    first, second = net.split(weights)
    hidden = torch.sigmoid(torch.einsum("ulhd,ubd->ulhb", first, features))
    outputs = torch.einsum("ulkh,ulhb->ulkb", second[..., :-1], hidden) + second[..., -1:]
    loss = -(outputs.log_softmax(2) * target).sum(2).mean(2).sum()
    (wanted,) = torch.autograd.grad(loss, weights)
    with torch.no_grad():
        torch.testing.assert_close(net.outputs(weights, features), outputs)
        slope = CrossEntropy(3).slope
        found = net.gradient(weights, features, lambda given: slope(given, target), net.generator())
    torch.testing.assert_close(found, wanted)


def test_reading_in_chunks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    net = HiddenNet.seeded(3, 4, NHID, 0.0, 5)
    weights, features = net.start.repeat(2, 3, 1), torch.randn(2, 29, 5)
    whole = net.outputs(weights, features)
    monkeypatch.setattr("probing.probes.nets.CHUNK_BYTES", 4 * 2 * 3 * NHID * 4)
    torch.testing.assert_close(net.outputs(weights, features), whole)


def assert_same(one: Fit, other: Fit) -> None:
    np.testing.assert_array_equal(one.dev, other.dev)
    np.testing.assert_array_equal(one.l2, other.l2)
    np.testing.assert_array_equal(one.predictions, other.predictions)


def test_scores_have_no_hidden_layer() -> None:
    vectors, target = graded(2, 120, 4)
    asked = problem(target)
    plain, hidden = SentEval().fit(vectors, asked), SentEval(nhid=5, dropout=0.5).fit(vectors, asked)
    assert_same(plain, hidden)
    assert hidden.weights.shape == (2, 5, 4)


@pytest.mark.parametrize("nhid", [0, NHID])
@pytest.mark.parametrize("selection", ["dev", "kfold"])
def test_standardised_vectors_have_no_units(nhid: int, selection: str) -> None:
    vectors, labels = clusters(2, 150, 5, 3)
    # powers of two and shifts by whole numbers of coarse vectors are exact in float32
    vectors = (vectors * 64).round() / 64
    scale = torch.tensor([2.0**power for power in (-6, 3, 0, 8, 5)])
    moved = vectors * scale + torch.tensor([1.0, -2.0, 16.0, 0.0, 8.0]) * scale
    asked, probe = problem(labels, selection, folds=2), small(nhid=nhid, standardize=True)
    fit, other = probe.fit(vectors, asked), probe.fit(moved, asked)
    np.testing.assert_allclose(fit.dev, other.dev, atol=0.02)
    assert (fit.predictions == other.predictions).mean() > 0.97
    raw = replace(probe, standardize=False)
    assert (raw.fit(vectors, asked).predictions == raw.fit(moved, asked).predictions).mean() < 0.97


def test_weights_of_a_standardised_linear_probe_are_for_the_vectors_given() -> None:
    vectors, labels = clusters(2, 150, 5, 3)
    vectors[:, :, 2] = 3.0
    asked = problem(labels)
    fit = SentEval(standardize=True).fit(vectors, asked)
    outputs = vectors[:, asked.test].numpy() @ fit.weights.transpose(0, 2, 1) + fit.bias[:, None]
    np.testing.assert_array_equal(outputs.argmax(2), fit.predictions)
    np.testing.assert_array_equal(fit.weights[:, :, 2], 0)


@pytest.mark.parametrize("rows", ["dev", "test"])
def test_statistics_are_those_of_the_rows_trained_on(rows: str) -> None:
    vectors, labels = clusters(2, 150, 5, 3)
    asked = problem(labels)
    # one look and one L2 value: dev has no say but through the scaling
    probe = Mlp(max_epochs=1, l2=(1e-4,))
    other = vectors.clone()
    other[:, getattr(asked, rows)] = 1000
    seen = replace(asked, test=asked.train)
    one, two = probe.fit(vectors, seen), probe.fit(other, seen)
    np.testing.assert_array_equal(one.predictions, two.predictions)
    other = vectors.clone()
    other[:, asked.train[:5]] = 1000
    assert (probe.fit(other, seen).predictions != one.predictions).any()


def xor(n: int = 500) -> tuple[torch.Tensor, Ints]:
    rng = np.random.default_rng(0)
    signs = rng.integers(2, size=(n, 2))
    vectors = (2 * signs - 1) + rng.normal(scale=0.3, size=(3, n, 2))
    return torch.tensor(vectors * 20 + 5, dtype=torch.float32), np.asarray(signs[:, 0] ^ signs[:, 1])


@pytest.mark.parametrize("selection", ["dev", "kfold", "holdout", "nested"])
def test_an_exclusive_or_needs_the_hidden_layer(selection: str) -> None:
    vectors, labels = xor()
    asked = problem(labels, selection, folds=2)
    fit = Mlp(l2=(1e-5,)).fit(vectors, asked)
    line = SentEval(l2=(1e-5,), standardize=True).fit(vectors, asked)
    gold = asked.gold[asked.test]
    assert (fit.predictions == gold).mean(1).min() > 0.95
    assert (line.predictions == gold).mean(1).max() < 0.8
    assert fit.weights.shape == (3, 0, 2)
    assert fit.bias.shape == (3, 0)


@pytest.mark.parametrize("selection", ["dev", "kfold", "holdout"])
def test_companions_do_not_matter(selection: str) -> None:
    vectors, labels = clusters(4, 120, 5, 3)
    vectors[2] *= 100
    asked, probe = problem(labels, selection), small(dropout=0.2, batch_size=32)
    whole = probe.fit(vectors, asked)
    assert_same(whole, probe.fit(vectors, asked))
    for unit in range(4):
        alone = probe.fit(vectors[unit : unit + 1], asked)
        assert alone.dev[0] == pytest.approx(whole.dev[unit], abs=1e-12)
        assert alone.l2[0] == whole.l2[unit]
        np.testing.assert_array_equal(alone.predictions[0], whole.predictions[unit])


def test_no_hidden_units_are_the_linear_probe() -> None:
    vectors, labels = clusters(2, 150, 5, 3)
    asked = problem(labels, "kfold")
    explicit = SentEval(nhid=0, dropout=0.0, standardize=False).fit(vectors, asked)
    np.testing.assert_array_equal(explicit.weights, SentEval().fit(vectors, asked).weights)
    assert explicit.weights.shape == (2, 3, 5)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (SentEval, {"nhid": -1}, "probe.nhid is -1"),
        (SentEval, {"nhid": 5, "dropout": 1.0}, "probe.dropout is 1.0; give 0 or more, below 1"),
        (SentEval, {"nhid": 5, "dropout": float("nan")}, "probe.dropout is nan"),
        (SentEval, {"dropout": 0.5}, "there are no hidden units to drop"),
        (Mlp, {"nhid": 0}, "probe.nhid is 0; .* use probe=senteval"),
        (Mlp, {"l2": ()}, "probe.l2"),
    ],
)
def test_settings_are_checked(kind: type[SentEval], settings: dict[str, object], message: str) -> None:
    with pytest.raises(ProbingError, match=message) as caught:
        kind(**settings)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_the_mlp_refuses_graded_scores() -> None:
    vectors, target = graded(1, 60, 4)
    with pytest.raises(ProbingError, match=r"probe=mlp predicts classes.*use probe=ridge"):
        Mlp().fit(vectors, problem(target))
