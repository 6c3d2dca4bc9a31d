"""Every kind of task runs end to end on a tiny model: pairs, scores, words, folds, similarity, own data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

import probing
from probing.cli import main as cli
from probing.errors import ProbingError
from probing.probes.contract import Fit
from probing.probes.logistic import Logistic
from probing.tasks.problem import Problem
from tests.datasets.test_senteval_pairs import write_sts
from tests.datasets.treebank.made import clauses, joined, simple, write
from tests.tiny import WORDS

pytestmark = pytest.mark.slow

N = 240


@pytest.fixture(scope="module")
def examples() -> pd.DataFrame:
    """Sentences of random words; what is asked of them is how many of the words are nouns."""
    rng = np.random.default_rng(0)
    words = [rng.choice(WORDS, size=rng.integers(3, 12)).tolist() for _ in range(N)]
    nouns = np.array([sum(word in {"dog", "dogs", "cat", "house"} for word in row) for row in words])
    return pd.DataFrame(
        {
            "text": [" ".join(row) for row in words],
            "other": [" ".join(reversed(row)) for row in words],
            "many": np.where(nouns > 0, "yes", "no"),
            "share": nouns + rng.random(N) / 10,
        }
    )


def arguments(root: Path, model: Path, *more: str) -> list[str]:
    return [f"paths.root={root}", "model=hf", f"model.name={model}", "extract.threads=1", *more]


def table(*more: str) -> list[str]:
    return ["task=table", "task.label=many", *more]


def units(root: Path) -> pd.DataFrame:
    """The texts and spans that were extracted, every one as often as it was."""
    shards = [pq.read_table(path).to_pandas() for path in root.glob("representations/*/shard-*/rows.parquet")]
    found: pd.DataFrame = pd.concat(shards)
    return found


def test_a_frame_of_your_own_is_a_task(tmp_path: Path, tiny_bert: Path, examples: pd.DataFrame) -> None:
    ran = arguments(tmp_path, tiny_bert, *table("task.name=nouns", "pooling=mean"))
    frame = probing.run(ran, data=examples)
    assert set(frame["task"]) == {"nouns"}
    assert frame[["n_train", "n_dev", "n_test"]].iloc[0].sum() == N
    assert frame["test"].max() > frame["majority"].iloc[0]
    assert frame[["test_accuracy", "test_f1", "test_macro_f1", "test_matthews"]].notna().all(axis=None)
    assert frame["test_pearson"].isna().all()
    pd.testing.assert_series_equal(frame["test"], frame["test_accuracy"], check_names=False)
    examples.to_csv(tmp_path / "nouns.csv", index=False)
    again = probing.run([*ran, f"task.path={tmp_path / 'nouns.csv'}"])
    assert set(again["key"]) == set(frame["key"])  # the same examples, wherever they came from
    with pytest.raises(ProbingError, match="data= needs task=table, but the task is grammar/tense"):
        probing.run(arguments(tmp_path, tiny_bert), data=examples)


def test_splits_that_were_made_are_kept_and_can_be_used_again(
    tmp_path: Path, tiny_bert: Path, examples: pd.DataFrame
) -> None:
    ran = arguments(tmp_path, tiny_bert, "task=table", "task.label=many")
    frame = probing.run(ran, data=examples)
    (kept,) = tmp_path.glob("representations/*/task-*.parquet")
    again = probing.run([*ran, f"task.path={kept}", "task.label=label", "task.split=split"])
    columns = ["n_train", "n_dev", "n_test", "dev", "test"]
    pd.testing.assert_frame_equal(again[columns], frame[columns])


@pytest.mark.parametrize("probe", ["logistic", "ridge", "senteval", "cosine"])
def test_scores_of_pairs(tmp_path: Path, tiny_bert: Path, examples: pd.DataFrame, probe: str) -> None:
    more = ["task.label=share", "task.second=other", f"probe={probe}", "pooling=mean"]
    if probe == "senteval":
        more += ["probe.max_epochs=4", "probe.scores=[0,1,2,3,4,5,6]"]
    frame = probing.run(arguments(tmp_path, tiny_bert, "task=table", *more), data=examples)
    assert set(frame["metric"]) == {"pearson"}
    assert frame["n_classes"].isna().all()
    assert (frame["majority"] == 0).all()
    assert frame["test"].between(-1, 1).all()
    assert frame["test_mse"].notna().all()
    assert frame["l2"].isna().all() == (probe == "cosine")
    if probe in {"logistic", "ridge"}:
        assert frame["test"].max() > 0.3


def test_pairs_as_two_vectors_or_as_one_input(
    tmp_path: Path, tiny_bert: Path, examples: pd.DataFrame
) -> None:
    ran = arguments(tmp_path, tiny_bert, *table("task.second=other", "granularity.layers=[0]"))
    apart, joint = (probing.run([*ran, f"task.pair={pair}"], data=examples) for pair in ("vectors", "joint"))
    assert set(apart["key"]) != set(joint["key"])
    vectors = [
        probing.load_representations(tmp_path, examples=examples_of, partner=partner)
        for examples_of, partner in ((key, flag) for key in sorted(manifests(tmp_path)) for flag in (False,))
    ]
    assert [len(rows) for rows in vectors] == [N, N]
    assert not np.allclose(vectors[0], vectors[1])


def manifests(root: Path) -> list[str]:
    metas = [pq.read_schema(path).metadata for path in root.glob("representations/*/task-*.parquet")]
    return [json.loads(next(iter(m.values())))["examples"] if m else "" for m in metas]


def test_heads_that_do_not_fit_into_memory_together_are_probed_in_groups(
    tmp_path: Path, tiny_bert: Path, examples: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = arguments(tmp_path, tiny_bert, *table("task.second=other", "granularity.layers=[1]"))
    whole = probing.run(ran, data=examples)
    one_head = 4 * 8 * 2 * N * 3
    monkeypatch.setattr("probing.analyses.reading.GROUP_BYTES", 3 * one_head)
    asked: list[int] = []
    fit = Logistic.fit

    def counted(probe: Logistic, vectors: torch.Tensor, problem: Problem) -> Fit:
        asked.append(len(vectors))
        return fit(probe, vectors, problem)

    monkeypatch.setattr(Logistic, "fit", counted)
    grouped = probing.run([*ran, "overwrite=always"], data=examples)
    assert asked == [3, 1]
    assert grouped["head"].tolist() == [0, 1, 2, 3]
    pd.testing.assert_frame_equal(grouped, whole, rtol=1e-3)


def test_nested_folds_test_every_example_once(
    tmp_path: Path, tiny_bert: Path, examples: pd.DataFrame
) -> None:
    more = table("task.selection=nested", "task.folds=3", "pooling=mean")
    frame = probing.run(arguments(tmp_path, tiny_bert, *more), data=examples)
    assert (frame[["n_train", "n_dev", "n_test"]] == N).all(axis=None)
    assert frame["test"].max() > frame["majority"].iloc[0]


def test_similarity_needs_no_training(tmp_path: Path, tiny_bert: Path) -> None:
    rng = np.random.default_rng(1)
    for name, size in (("headlines", 30), ("plagiarism", 20)):
        texts = [" ".join(rng.choice(WORDS, size=6)) for _ in range(2 * size)]
        pairs = [f"{first}\t{second}" for first, second in zip(texts[::2], texts[1::2], strict=True)]
        write_sts(tmp_path / "data", name, pairs, [str(n % 6) for n in range(size)])
    ran = ["task=senteval/sts16", f"task.root={tmp_path / 'data'}", "task.sets=[headlines,plagiarism]"]
    frame = probing.run(arguments(tmp_path / "out", tiny_bert, *ran))
    assert set(frame["probe"]) == {"cosine"}
    assert frame[["n_train", "n_test"]].iloc[0].tolist() == [0, 50]
    assert frame["dev"].isna().all()
    assert cli.main(arguments(tmp_path / "out", tiny_bert, *ran, "probe=logistic")) == 2


def test_words_beyond_the_models_limit_are_dropped_and_counted(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {
            "words": [WORDS[(row + place) % 30] for place in range(10)],
            "tags": [f"t{place % 2}" for place in range(10)],
        }
        for row in range(40)
    ]
    pd.DataFrame(rows).to_json(tmp_path / "words.jsonl", orient="records", lines=True)
    ran = arguments(tmp_path / "out", tiny_bert, "extract.max_length=8", "task=table", "task.tokens=words")
    ran += ["task.label=tags", f"task.path={tmp_path / 'words.jsonl'}"]
    frame = probing.run(ran)
    said = capsys.readouterr().err
    assert "160 of 400 examples are dropped" in said  # [CLS] and [SEP] leave six words of ten
    assert frame[["n_train", "n_dev", "n_test"]].iloc[0].sum() == 240
    probing.run([*ran, "seed=7"])
    assert "extracting" not in capsys.readouterr().err


def test_tasks_of_one_treebank_share_their_sentences(tmp_path: Path, tiny_bert: Path) -> None:
    """One extraction of the original sentences, plus only the changed ones."""
    made = clauses(260)
    pairs = [joined(first, second) for first, second in zip(made[:100:2], made[1:100:2], strict=True)]
    path = write(tmp_path / "tree.conllu", [*(simple(clause) for clause in made[100:]), *pairs])
    tasks = "treebank/length,treebank/depth,treebank/tense,treebank/subj_number,treebank/bigram_shift"
    ran = arguments(tmp_path / "out", tiny_bert, "-m", f"task={tasks}", f"task.path={path}")
    cli.main([*ran, "probe.l2=[1e-2]", "granularity.layers=[0]"])
    frame = probing.load_results(tmp_path / "out")
    assert {"treebank/tense", "treebank/bigram_shift"} <= set(frame["task"])
    texts = units(tmp_path / "out")["text"]
    assert texts.is_unique
    originals = {" ".join(sentence) for sentence in _sentences(path)}
    changed = set(texts) - originals
    shifted = pd.concat(
        pq.read_table(file).to_pandas()
        for file in (tmp_path / "out").glob("representations/*/task-*bigram_shift*.parquet")
    )
    assert changed == set(shifted["text"]) - originals
    assert changed


def _sentences(path: Path) -> list[list[str]]:
    blocks = path.read_text().strip().split("\n\n")
    return [[line.split("\t")[1] for line in block.splitlines()] for block in blocks]


def test_a_limit_is_for_a_quick_look(tmp_path: Path, tiny_bert: Path, examples: pd.DataFrame) -> None:
    ran = arguments(tmp_path, tiny_bert, *table("task.balance=true"))
    small, larger = (probing.run([*ran, f"task.limit={limit}"], data=examples) for limit in (16, 60))
    assert small["n_train"].iloc[0] == 16
    assert larger["n_train"].iloc[0] == 60
    assert (small["majority"] == 0.5).all()
    for path in tmp_path.glob("runs/*/task.yaml"):
        assert "licence: unknown" in path.read_text()


@pytest.mark.parametrize(
    ("content", "more", "message"),
    [
        ("text,label\na b,1\nc d,2\ne f,3\n", [], "label"),
        ("text,label\na b,x\n", ["task.text=txt"], "txt"),
        ("text,label\na,0.5\nb,9.5\nc,1.5\n", ["task.low=0", "task.high=5"], "line 3"),
        ("text,label\n\xff\xfe,1\n", [], "line 2"),
    ],
)
def test_bad_data_is_one_line_and_nothing_is_written(
    tmp_path: Path,
    tiny_bert: Path,
    capsys: pytest.CaptureFixture[str],
    content: str,
    more: list[str],
    message: str,
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content.encode("latin-1"))
    ran = arguments(tmp_path / "out", tiny_bert, "task=table", f"task.path={path}", *more)
    assert cli.main(ran) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith(f"probing: {path}") or "task" in last
    assert message in last
    assert not (tmp_path / "out").exists()
