"""The attention probe as a run: scores and weights, sentences left out, vectors, models of all kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import probing
from probing.analyses import attention_probe
from probing.analyses.gold_trees import Treebank
from probing.errors import ProbingError
from probing.page.collect import collect
from probing.probes.arcs.fit import ArcFit, fit_exactly
from probing.probes.arcs.model import ArcModel
from probing.probes.arcs.padded import ROOT, UNKNOWN
from probing.tasks.target import Classes
from probing.tasks.task import Task, Unit
from tests import tiny

SIZES = {"train": 24, "dev": 8, "test": 8}


def write_treebank(folder: Path, *, random: bool = False) -> Path:
    """Sentences of tiny models' words, in which each word depends on the next and a full stop on the root.

    With `random`, all words but the root depend on a word that is drawn at random.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for split, size in SIZES.items():
        lines = []
        for number in range(size):
            n = 12 if number == 0 else int(rng.integers(2, 7))
            words = [*rng.choice(tiny.WORDS[:-1], n), "."]
            drawn: dict[int, int] = {}
            for place in rng.permutation([*range(1, n), n + 1]) if random else ():
                drawn[int(place)] = int(rng.choice([n, *drawn]))
            for place, word in enumerate(words, 1):
                head = {n: 0, n + 1: n}.get(place, place + 1)
                head = drawn[place] if random and head else head
                relation = "root" if head == 0 else "punct" if word == "." else ("det", "nsubj")[place % 2]
                lines.append(f"{place}\t{word}\t_\tX\t_\t_\t{head}\t{relation}\t_\t_")
            lines.append("")
        (folder / f"made-ud-{split}.conllu").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def run(root: Path, model: Path, *more: str) -> pd.DataFrame:
    bank = write_treebank(root / "made")
    arguments = [f"paths.root={root}", "model=hf", f"model.name={model}", "task=treebank/dependencies",
                 f"task.path={bank}", "extract.threads=1", "analysis=attention_probe",
                 "analysis.l2=[0.001,0.1]", *more]  # fmt: skip
    return probing.run(arguments)


def score(frame: pd.DataFrame, variant: str, metric: str = "uas") -> Any:  # noqa: ANN401
    rows = frame[(frame["variant"] == variant) & (frame["metric"] == metric)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_a_run_has_the_scores_of_probes_and_controls_and_the_weights_of_heads(
    tmp_path: Path, tiny_bert: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = run(tmp_path, tiny_bert, "analysis.longest=10")
    assert "3 of 40 sentences are left out" in caplog.text + capsys.readouterr().err
    probes = ["attention_only", "attention_and_words", "shuffled"]
    for variant in probes:
        uas, las = (score(frame, variant, metric) for metric in ("uas", "las"))
        assert 0 <= las["value"] <= uas["value"] <= 1
        assert uas["value_low"] <= uas["value"] == uas["test"] <= uas["value_high"]
        assert 0 < uas["chance"] < 1
        assert las["n_test"] == uas["n_test"] > 0
    (table,) = collect(tmp_path).tables
    assert len(table.lines) == len(frame[frame["layer"].isna()])
    assert table.lines[0][:2] == ("attention only", "uas")
    # each word but the root takes the next; the last word here is a full stop, which is not scored
    right = score(frame, "right_branching")
    assert right["value"] == pytest.approx(1 - 7 / right["n_test"])
    weights = frame[frame["variant"] == "weight"]
    assert weights.groupby("direction").size().to_dict() == {"from_dependent": 12, "from_head": 12}
    assert frame["main"].sum() == 24
    assert set(weights["rank"]) == set(range(1, 13))
    grids = probing.measures(frame)
    assert sorted(map(str, grids)) == ["attention_probe from_dependent", "attention_probe from_head"]


def test_random_weights_find_no_more_than_their_controls(tmp_path: Path, tiny_bert: Path) -> None:
    bank = write_treebank(tmp_path / "random", random=True)
    frame = run(tmp_path, tiny_bert, f"task.path={bank}", "analysis.words=null", "baseline=untrained")
    assert set(frame["baseline"]) == {"untrained"}
    plain, shuffled = score(frame, "attention_only"), score(frame, "shuffled")
    assert plain["value_low"] <= shuffled["value_high"]
    # roots are always last here, which positions show, and all else is drawn
    roots = SIZES["test"] / plain["n_test"]
    assert plain["value_low"] <= plain["chance"] + roots


def test_an_interrupted_run_goes_on_with_the_next_probe(
    tmp_path: Path,
    tiny_bert: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = run(tmp_path / "whole", tiny_bert)
    real = fit_exactly

    def stop(model: ArcModel, *rest: Any, **named: Any) -> ArcFit:  # noqa: ANN401
        if model.vectors is not None:
            raise KeyboardInterrupt
        return real(model, *rest, **named)

    monkeypatch.setattr(attention_probe, "fit_exactly", stop)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", tiny_bert)
    monkeypatch.setattr(attention_probe, "fit_exactly", real)
    caplog.clear()
    capsys.readouterr()
    resumed = run(tmp_path / "stopped", tiny_bert)
    said = caplog.text + capsys.readouterr().err
    assert "attention only (1 of 4), kept from an interrupted run" in said
    assert "all 212 cached" in said
    pd.testing.assert_frame_equal(resumed, whole)


def test_batches_change_nothing(tmp_path: Path, tiny_bert: Path) -> None:
    one = run(tmp_path / "one", tiny_bert, "analysis.words=null", "extract.batch_tokens=16")
    many = run(tmp_path / "many", tiny_bert, "analysis.words=null", "extract.batch_tokens=4096")
    np.testing.assert_allclose(
        one["value"].to_numpy(dtype=float), many["value"].to_numpy(dtype=float), atol=1e-2, rtol=1e-2
    )


@pytest.mark.parametrize("make", [tiny.make_gpt2, tiny.make_llama, tiny.make_t5, tiny.make_bart])
def test_models_of_all_kinds_have_a_first_token(tmp_path: Path, make: Any) -> None:  # noqa: ANN401
    frame = run(tmp_path, make(tmp_path / "model"), "analysis.words=null", "analysis.regimen=published")
    assert score(frame, "attention_only")["l2"] is pd.NA
    assert np.isfinite(frame["value"].to_numpy(dtype=float)).all()


def test_vectors_come_from_a_file_whose_content_is_part_of_the_key(tmp_path: Path, tiny_bert: Path) -> None:
    path = tmp_path / "vectors.txt"
    keys, values = [], []
    for seed in (0, 1):
        numbers = np.random.default_rng(seed).normal(size=(len(tiny.WORDS), 3)).round(3)
        lines = (" ".join([word, *map(str, row)]) for word, row in zip(tiny.WORDS, numbers, strict=True))
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        found = score(run(tmp_path, tiny_bert, f"analysis.words={path}"), "attention_and_words")
        keys.append(found["key"])
        values.append(found["dev"])
    assert keys[0] != keys[1]
    assert values[0] != values[1]


def test_a_word_whose_head_is_not_an_example_is_unknown_and_repeated_sentences_are_two() -> None:
    words = ((0, 1), (2, 3), (4, 5))
    a, b, c = (Unit("a b c", span, words=words) for span in words)
    task = Task(
        "made",
        units=(a, b, a, c, b, c, a, b, a, b),
        partners=(b, b, b, a, b, a, a, b, a, b),
        target=Classes(np.array([0, 1, 0, 2, 1, 2, 1, 1, 1, 1]), ("det", "root", "punct")),
        split=np.array(["train"] * 6 + ["dev"] * 2 + ["test"] * 2),
    )
    bank = Treebank.of(task, 3)
    first, second, third = (sentence.tree for sentence in bank.sentences[:3])
    assert first.governors.tolist() == [2, ROOT, UNKNOWN]
    assert second.governors.tolist() == [2, UNKNOWN, 1]
    assert third.governors.tolist() == [UNKNOWN, ROOT, 1]
    assert first.scored.tolist() == [True, True, False]
    assert second.scored.tolist() == [True, False, False]  # punctuation is not scored
    assert bank.types == ("a", "b", "c")
    assert len(bank.units) == 3 * len(bank.sentences) == 15
    with pytest.raises(ProbingError, match=r"no sentence of train has at most 2 words"):
        Treebank.of(task, 2)


def test_a_task_without_trees_is_refused(tmp_path: Path, tiny_bert: Path) -> None:
    data = pd.DataFrame({"text": [f"the dog {n}" for n in range(60)], "label": ["x", "y"] * 30})
    arguments = ["model=hf", f"model.name={tiny_bert}", "task=table", "analysis=attention_probe"]
    with pytest.raises(ProbingError, match="does not relate words"):
        probing.run([f"paths.root={tmp_path}", *arguments], data=data)


def test_a_missing_file_of_vectors_is_refused_before_anything_is_read(
    tmp_path: Path, tiny_bert: Path
) -> None:
    with pytest.raises(ProbingError, match=r"analysis\.words=none\.txt: no such file"):
        run(tmp_path, tiny_bert, "analysis.words=none.txt")
    assert not (tmp_path / "representations").exists()
