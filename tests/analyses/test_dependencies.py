"""Dependency heads: planted heads are found, untrained ones are not, and runs end in the frame."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import probing
from probing.analyses.analysis import Methods
from probing.analyses.dependencies import DIRECTIONS, DependenciesAnalysis
from probing.analyses.granularity import Granularity
from probing.analyses.relation_groups import COREFERENCE, Offset, relations_of, same_word
from probing.analyses.word_pairs import ROOT, WordPairs, units_of, word_pairs
from probing.datasets.treebank.every_head import DependencyTask
from probing.errors import ProbingError
from probing.representations.reductions.word_targets import COLUMNS, WordTargets
from probing.results.text.relations import beyond_chance, relations_text, selected_heads
from probing.tasks.target import Classes
from probing.tasks.task import Task, Unit
from tests.attention import attention_of, token_batch
from tests.tiny import WORDS

RELATIONS = ("nsubj", "obj", "det", "punct")


def conllu(count: int, seed: int = 0) -> str:
    """Sentences of random words, heads and relations."""
    generator = np.random.default_rng(seed)
    blocks = []
    for _ in range(count):
        size = int(generator.integers(4, 9))
        root = int(generator.integers(size))
        lines = []
        for place in range(size):
            # each word is governed by the one towards the root, or by the root
            near = place + (1 if root > place else -1)
            head = root if generator.random() < 0.5 else near
            relation = "root" if place == root else str(generator.choice(RELATIONS))
            number = 0 if place == root else head + 1
            form = str(generator.choice(WORDS))
            lines.append(f"{place + 1}\t{form}\t_\tNOUN\t_\t_\t{number}\t{relation}\t_\t_")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n\n"


@pytest.fixture(scope="module")
def treebank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("treebank")
    for seed, split in enumerate(("train", "dev", "test")):
        (folder / f"x-ud-{split}.conllu").write_text(conllu(150, seed), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def task(treebank: Path) -> Task:
    return DependencyTask("treebank/dependencies", treebank).build()


def run(root: Path, model: Path, treebank: Path, *more: str) -> pd.DataFrame:
    return probing.run([
        f"paths.root={root}", "model=hf", f"model.name={model}", "extract.threads=1",
        "task=treebank/dependencies", f"task.path={treebank}", "analysis=dependencies", *more,
    ])  # fmt: skip


def answers(pairs: WordPairs, task: Task, *, turned: bool) -> np.ndarray:
    """The columns of each item for a head that attends to the head of each word, or a transposed one."""
    units = units_of(task)
    found = np.zeros((len(pairs), len(COLUMNS)))
    for text in np.unique(pairs.texts):
        own = np.flatnonzero(pairs.texts == text)
        size = int(pairs.counts[own[0]])
        weights = torch.full((1, 1, size, size), 0.01)
        for item in own:
            head = int(pairs.related[item, 0])
            if head != ROOT:
                one, two = int(pairs.places[item]), head
                weights[0, 0, two if turned else one, one if turned else two] = 1.0
        words = units[pairs.rows[own[0]]].words or ()
        pieces = [units[pairs.rows[own[0]]].text[start:end] for start, end in words]
        inputs = token_batch([pieces], words=[list(range(size))], special=())
        batch = attention_of(weights, inputs)
        members = torch.tensor(pairs.places[own])[:, None] == torch.arange(size)
        batch = replace(batch, tokens=members, texts=torch.zeros(len(own), dtype=torch.int64))
        found[own] = WordTargets().reduce(batch)[:, 0]
    return found


@pytest.mark.parametrize(("direction", "turned"), [("from_dependent", False), ("from_head", True)])
def test_a_planted_head_finds_every_head_but_the_root(task: Task, direction: str, turned: bool) -> None:
    pairs = word_pairs(task)
    found = answers(pairs, task, turned=turned)
    right = pairs.found(found[:, [COLUMNS.index(DIRECTIONS[direction][0])]])[0]
    assert (right == (pairs.labels != "root")).all()


def test_words_are_read_with_their_heads_and_roots_are_their_own(task: Task, treebank: Path) -> None:
    pairs = word_pairs(task)
    assert len(pairs) == len(task.rows("dev")) + len(task.rows("test"))
    heads = [
        int(line.split("\t")[6]) - 1
        for split in ("dev", "test")
        for line in (treebank / f"x-ud-{split}.conllu").read_text(encoding="utf-8").splitlines()
        if line
    ]
    assert pairs.related[:, 0].tolist() == heads
    assert ((pairs.labels == "root") == (pairs.related[:, 0] == ROOT)).all()


def test_the_offset_is_selected_on_dev_and_clamped(task: Task) -> None:
    pairs = word_pairs(task)
    dev, test = pairs.take(pairs.splits == "dev"), pairs.take(pairs.splits == "test")
    best = Offset.best(pairs, range(-3, 3))
    assert best.dev == max(dev.at_offset(offset).mean() for offset in range(-3, 3))
    guesses = np.clip(test.places + best.distance, -1, test.counts - 1)
    assert (best.right == (guesses == test.related[:, 0])).all()
    assert not dev.at_offset(0)[dev.labels != "root"].any()


def test_a_random_model_finds_no_relation_beyond_its_offset(
    tmp_path: Path, tiny_bert: Path, treebank: Path
) -> None:
    rows = run(tmp_path, tiny_bert, treebank, "analysis.least=20")
    heads = rows[rows["head"].notna()]
    assert set(heads["variant"]) == {"all", "all_but_root", "all_but_root_and_punct", *RELATIONS}
    assert set(heads["direction"]) == set(DIRECTIONS)
    assert len(heads) == 7 * 2 * 12
    assert beyond_chance(rows)[0].empty
    assert "none of 4 relations is found beyond the best fixed offset" in relations_text(rows)
    for relation, own in heads.groupby("variant"):
        chosen = selected_heads(rows).set_index("variant").loc[str(relation)]
        assert chosen["dev"] == own["dev"].max()
        assert own["main"].sum() == (12 if relation in {"all", "nsubj", "obj", "det"} else 0)
        if own["main"].any():
            assert set(own[own["main"]]["direction"]) == {chosen["direction"]}
        assert ((own["p"] <= own["p_adjusted"]) & (own["value_low"] <= own["value"])).all()


def test_rows_of_the_first_piece_differ_only_where_words_have_several(
    tmp_path: Path, tiny_bert: Path, treebank: Path
) -> None:
    mean, first = (
        run(tmp_path, tiny_bert, treebank, "analysis.least=20", f"analysis.rows={rows}")
        for rows in ("mean", "first")
    )
    assert mean["value"].tolist() == first["value"].tolist()  # each word of this vocabulary is one piece
    assert set(mean["key"]) != set(first["key"])


def test_relations_with_few_items_are_left_out_and_none_is_an_error(task: Task) -> None:
    pairs = word_pairs(task)
    counts = {name: int((pairs.take(pairs.splits == "test").labels == name).sum()) for name in RELATIONS}
    least = max(counts.values())
    kept = relations_of(pairs, least)
    assert [name for name in kept if not name.startswith("all")] == [max(counts, key=lambda n: counts[n])]
    with pytest.raises(ProbingError, match=r"analysis\.least=100000 items in test"):
        relations_of(pairs, 100_000)


def test_several_related_words_are_all_right_answers() -> None:
    text, words = "Ann saw Bob . Ann met Bob , ann left", ((0, 3), (8, 11), (14, 17), (22, 25), (28, 31))
    units = [Unit(text, span, words=words) for span in words]
    chosen = [(2, 0), (3, 1), (4, 0), (4, 2)]
    task = Task(
        "mentions",
        tuple(units[one] for one, _ in chosen) * 3,
        Classes(np.array([0, 1, 0, 0] * 3), (f"{COREFERENCE}:proper", f"{COREFERENCE}:nominal")),
        np.repeat(["train", "dev", "test"], 4),
        tuple(units[two] for _, two in chosen) * 3,
    )
    pairs = word_pairs(task)
    test = pairs.take(pairs.splits == "test")
    assert test.places.tolist() == [2, 3, 4]
    assert test.found(np.array([[0.0, -1], [1, 0], [2, 0]])).tolist() == [[True] * 3, [False, False, True]]
    assert test.at_offset(-1).tolist() == [False, False, False]
    assert test.at_offset(-2).tolist() == [True, True, True]
    assert same_word(test, units_of(task)).tolist() == [True, True, True]
    assert list(relations_of(pairs, 1)) == [COREFERENCE, f"{COREFERENCE}:proper", f"{COREFERENCE}:nominal"]


def test_tasks_that_do_not_relate_words_are_refused(task: Task, small_task: Task) -> None:
    methods = Methods(None, None, Granularity("head"))  # type: ignore[arg-type]
    analysis = DependenciesAnalysis()
    analysis.check(task, methods)
    with pytest.raises(ProbingError, match="does not relate words by classes"):
        analysis.check(small_task, methods)
    bare = [tuple(replace(unit, words=None) for unit in units) for units in (task.units, task.partners or ())]
    with pytest.raises(ProbingError, match="do not say where all words"):
        analysis.check(replace(task, units=bare[0], partners=bare[1]), methods)
    with pytest.raises(ProbingError, match=r"analysis\.least"):
        DependenciesAnalysis(least=0)
    odd = tuple(replace(unit, span=(0, 1)) for unit in task.units)
    with pytest.raises(ProbingError, match="is not one of its words"):
        word_pairs(replace(task, units=odd, partners=odd))


def test_words_are_part_of_the_digest_of_a_task(task: Task, small_task: Task) -> None:
    assert small_task.digest == replace(small_task).digest
    bare = [tuple(replace(unit, words=None) for unit in units) for units in (task.units, task.partners or ())]
    assert replace(task, units=bare[0], partners=bare[1]).digest != task.digest


def test_a_causal_model_finds_no_later_head_from_the_dependent(tmp_path: Path, tiny_gpt2: Path) -> None:
    for seed, split in enumerate(("train", "dev", "test")):
        generator = np.random.default_rng(seed)
        lines = []
        for _ in range(40):
            forms = generator.choice(WORDS, 6)
            heads, relations = (2, 3, 4, 5, 6, 0), ("det", "obj", "det", "obj", "det", "root")
            lines += [
                f"{at + 1}\t{form}\t_\tNOUN\t_\t_\t{heads[at]}\t{relations[at]}\t_\t_"
                for at, form in enumerate(forms)
            ]
            lines.append("")
        (tmp_path / f"x-ud-{split}.conllu").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = run(tmp_path / "outputs", tiny_gpt2, tmp_path, "analysis.least=20", "analysis.weighted=true")
    of = dict(list(rows[rows["variant"] == "all_but_root"].groupby("direction")))
    assert of["from_dependent"]["value"].max() == 0
    assert of["from_head"]["value"].max() > 0.2
    assert (of["from_head"]["chance"] == 1).all()
    assert (of["from_head"]["offset"] == 1).all()


def test_coreference_runs_end_in_the_frame_and_on_the_page(tmp_path: Path, tiny_bert: Path) -> None:
    sentence = (
        "1\tfarmer\t_\tNOUN\t_\t_\t2\tnsubj\t_\tEntity=(1-person)\n2\tsees\t_\tVERB\t_\t_\t0\troot\t_\t_\n"
        "3\t{other}\t_\tNOUN\t_\t_\t2\tobj\t_\tEntity=(2-animal)\n\n"
        "1\tdog\t_\tPRON\t_\t_\t2\tnsubj\t_\tEntity=(2-animal)\n2\twalks\t_\tVERB\t_\t_\t0\troot\t_\t_\n"
        "3\tfarmer\t_\tNOUN\t_\t_\t2\tobj\t_\tEntity=(1-person)\n\n"
    )
    for split in ("train", "dev", "test"):
        documents = (f"# newdoc\n{sentence.format(other=word)}" for word in WORDS)
        (tmp_path / f"x-ud-{split}.conllu").write_text("".join(documents), encoding="utf-8")
    rows = run(tmp_path / "out", tiny_bert, tmp_path, "task=treebank/coreference", "analysis.least=10")
    rules = rows[rows["head"].isna()].set_index("direction")
    # of the two mentions of a passage, "dog" follows its antecedent and "farmer" repeats its own
    assert rules["value"].to_dict() == {"nearest_mention": 0.5, "same_word": pytest.approx(0.5, abs=0.02)}
    assert set(rows["variant"]) == {COREFERENCE, f"{COREFERENCE}:pronoun", f"{COREFERENCE}:nominal"}
    text = relations_text(rows)
    assert "nearest mention: coreference 50.0%" in text
    page = probing.report(tmp_path / "out").read_text(encoding="utf-8")
    assert "rules that use no head" in page
