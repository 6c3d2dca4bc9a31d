"""Treebanks are read whole, once, and with errors that name the line."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import conllu
import pytest

from probing.datasets.treebank.files import read_treebank, split_of
from probing.datasets.treebank.sentence import Phrase, Sentence, TextStyle
from probing.errors import ProbingError
from tests.datasets.treebank.made import Clause, block, read, row, simple, write

FRENCH = block(
    [
        ["1-2", "Du", *"_______", "SpaceAfter=Yes"],
        row(1, "De", "ADP", "_", 3, "case"),
        row(2, "le", "DET", "_", 3, "det"),
        [*row(3, "pain", "NOUN", "_", 0, "root", "Gender=Masc|Number=Sing")[:9], "SpaceAfter=No|Gloss=a  b"],
        ["3.1", "mange", *"_______", "_"],
        row(4, "!", "PUNCT", "_", 3, "punct"),
    ]
)


def one(tmp_path: Path, text: str, name: str = "a.conllu") -> Sentence:
    (tmp_path / name).write_bytes(text.encode())
    (sentence,) = read_treebank(tmp_path / name)
    return sentence


@pytest.mark.parametrize(
    "change", [str, lambda t: t.replace("\n", "\r\n"), lambda t: t.rstrip("\n"), lambda t: "\ufeff# x\n" + t]
)
def test_multiword_tokens_empty_nodes_and_line_ends(tmp_path: Path, change: Callable[[str], str]) -> None:
    sentence = one(tmp_path, change(f"# text = Du pain!\n{FRENCH}"))
    assert sentence.tokens == ("Du", "pain", "!")
    assert [word.form for word in sentence.words] == ["De", "le", "pain", "!"]
    assert [word.token for word in sentence.words] == [0, 0, 1, 2]
    assert [word.head for word in sentence.words] == [2, 2, -1, 2]
    assert sentence.words[2].feats == {"Gender": "Masc", "Number": "Sing"}
    assert (sentence.words[0].lemma, sentence.words[0].xpos) == ("de", "")
    assert sentence.text("tokens") == "Du pain !"
    assert sentence.text("raw") == "Du pain!"


@pytest.mark.parametrize("style", get_args(TextStyle))
def test_a_span_covers_its_token(tmp_path: Path, style: TextStyle) -> None:
    sentence = one(tmp_path, FRENCH)
    text = sentence.text(style)
    for word in sentence.words:
        start, end = sentence.spans(style)[word.token]
        assert text[start:end] == sentence.tokens[word.token]


def test_columns_may_be_empty(tmp_path: Path) -> None:
    sentence = one(tmp_path, block([["1", "Hm", *"________"], ["2", ".", *"________"]]))
    assert [word.head for word in sentence.words] == [None, None]
    assert sentence.words[0].upos == sentence.words[0].deprel == sentence.words[0].lemma == ""


def bad(line: int, column: int, value: str) -> str:
    rows = [
        row(1, "Dogs", "NOUN", "_", 2, "nsubj"),
        row(2, "see", "VERB", "_", 0, "root"),
        row(3, "cats", "NOUN", "_", 2, "obj"),
    ]
    rows[line - 3][column - 1] = value
    return "# text = Dogs see cats\n# another\n" + block(rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (bad(3, 7, "two"), "line 3: head 'two' is not a number"),
        (bad(4, 2, ""), "line 4: the word has no form"),
        (bad(4, 2, " "), "line 4: the word has no form"),
        (bad(5, 7, "4"), "line 5: head 4 is not a word of the sentence"),
        (bad(5, 7, "_"), "line 5: head _ is not a word of the sentence"),
        (bad(4, 7, "1"), r"line 3: no word of the sentence is its root \(head 0\)"),
        (bad(5, 7, "0"), r"line 5: a second root \(head 0\)"),
        (bad(5, 7, "3"), "line 5: the heads form a cycle"),
        (bad(5, 1, "2"), "line 5: duplicate id 2"),
        (bad(5, 1, "1"), "line 5: duplicate id 1; put an empty line between sentences"),
        (bad(5, 1, "7"), "line 5: id 7 where 3 should be"),
        (bad(5, 1, "_"), "line 5: id _ where 3 should be"),
        (bad(5, 1, "x"), "line 5: 'x' is not a valid ID"),
        (bad(4, 10, "_\textra"), "line 4: 11 columns where CoNLL-U has 10"),
        (bad(4, 10, "_").replace("\t_\n", "\n"), "line 3: 9 columns where CoNLL-U has 10"),
        (bad(4, 10, "_").replace("\t", " "), "line 3: no tabs"),
        ("2-3\tdu" + 8 * "\t_" + "\n" + bad(3, 10, "_"), "line 1: multiword token 2-3 does not come before"),
        (bad(3, 10, "_") + "4-5\tdu" + 8 * "\t_" + "\n", "line 6: a multiword token lacks some of its words"),
        ("# nothing\n\n# but comments\n", "contains no sentence"),
        (block([["1", "_", *"________"]]), "every form is _; restore the text"),
        (" \n", "the file is empty"),
    ],
)  # fmt: skip
def test_a_bad_line_of_conllu_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "bad.conllu").write_text(text, encoding="utf-8")
    with pytest.raises(ProbingError, match=rf"bad\.conllu(, |: ).*{message}") as caught:
        read_treebank(tmp_path / "bad.conllu")
    assert "\n" not in str(caught.value)


def test_a_sentence_with_a_cycle_beside_its_root(tmp_path: Path) -> None:
    rows = [
        row(1, "Go", "VERB", "_", 0, "root"),
        row(2, "a", "X", "_", 3, "dep"),
        row(3, "b", "X", "_", 2, "dep"),
    ]
    with pytest.raises(ProbingError, match="line 2: the heads form a cycle"):
        one(tmp_path, block(rows))


def test_another_encoding_is_named_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.conllu").write_bytes(bad(5, 2, "Kätzchen").encode("latin-1"))
    with pytest.raises(ProbingError, match="line 5: not utf-8 text; convert the file"):
        read_treebank(tmp_path / "a.conllu")
    (tmp_path / "a.mrg").write_bytes("(S\n (NN Kätzchen))".encode("latin-1"))
    with pytest.raises(ProbingError, match="line 2: not utf-8 text; convert the file"):
        read_treebank(tmp_path / "a.mrg")


def test_traces_and_escapes_of_bracketed_trees(tmp_path: Path) -> None:
    tree = (
        "( (S (NP-SBJ-1 (NNP Ann) (-LRB- -LRB-) (CD 1\\/2) (-RRB- -RRB-)) (VP (VBD was) (VP (VBN seen)\n"
        "   (NP (-NONE- *-1)) (SBAR (-NONE- 0) (S (-NONE- *T*))))) (`` ``) (. .) ('' '')))"
    )
    sentence = one(tmp_path, tree, "a.mrg")
    assert sentence.text("tokens") == 'Ann ( 1/2 ) was seen " . "'
    assert sentence.text("raw") == 'Ann (1/2) was seen "."'
    assert [word.xpos for word in sentence.words][:3] == ["NNP", "-LRB-", "CD"]
    assert {(word.head, word.upos) for word in sentence.words} == {(None, "")}
    assert sentence.tree
    assert sentence.tree.children[:2] == (
        Phrase("NP-SBJ-1", (0, 1, 2, 3)),
        Phrase("VP", (4, Phrase("VP", (5,)))),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(S (NN a))\n(S\n  (NN b)))\n(S (NN c))", "line 3: unbalanced brackets; one closes"),
        ("(S (NN a))\n(S (NP\n  (NN b))\n(S (NN c))\n", "line 2: unbalanced .* not closed before line 4"),
        ("(S (NN a))\n\n(S (NN b)", "line 3: unbalanced .* not closed in this file"),
        ("(S (NN a)\n( (S (NN b)))\n)", "line 1: a constituent has no label"),
        ("(S (NN a))\n(S (NP dogs bark))", "line 2: a word in NP has no tag"),
        ("(S (NN a))\n(S (NP (NN a) dogs))", "line 2: a word in NP has no tag"),
        ("(S (NN a))\n(S (NN) (NN b))", "line 2: NN has no word"),
        ("(S (NN a))\n" + "(S " * 450 + "(NN a)" + ")" * 450, "line 2: a tree of more than 200 levels"),
        ("no tree", "contains no sentence"),
        ("(S (NP (-NONE- *)))", "contains no sentence"),
    ],
)  # fmt: skip
def test_a_bad_line_of_brackets_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "bad.mrg").write_text(text)
    with pytest.raises(ProbingError, match=rf"bad\.mrg(, |: ).*{message}") as caught:
        read_treebank(tmp_path / "bad.mrg")
    assert "\n" not in str(caught.value)


def test_trees_may_stand_in_one_line_or_in_many(tmp_path: Path) -> None:
    tree = simple(Clause(houses=2))[1]
    texts = [tree * 3, "\n\n".join([tree.replace(" (", "\n (")] * 3), "*x*\n" + f"{tree}\n" * 3]
    found = [
        [s.text("tokens") for s in read(tmp_path / f"{n}.mrg", ("", text))] for n, text in enumerate(texts)
    ]
    assert found == [["The dogs of the house of the house chased the cat ."] * 3] * 3


def test_a_folder_gives_its_files_with_their_splits(tmp_path: Path) -> None:
    for name in ("x-ud-train-a.conllu", "x-ud-train-b.conllu", "x-ud-test.conllu", "dev.conllu", "z.mrg"):
        write(tmp_path / name, [simple(Clause())])
    assert [s.split for s in read_treebank(tmp_path)] == ["dev", "test", "train", "train"]
    (tmp_path / "wsj/00").mkdir(parents=True)
    write(tmp_path / "wsj/00/wsj_0001.mrg", [simple(Clause())])
    assert [s.split for s in read_treebank(tmp_path / "wsj")] == [None]
    assert split_of(Path("training_devices-contest.conllu")) is None


def test_paths_that_are_no_treebank(tmp_path: Path) -> None:
    with pytest.raises(ProbingError, match=r"contains neither .conllu nor .mrg files; task.path must be"):
        read_treebank(tmp_path)
    with pytest.raises(ProbingError, match=r"x\.conllu: no such file or directory; task.path must be"):
        read_treebank(tmp_path / "x.conllu")
    with pytest.raises(ProbingError, match=r"UD_Missing: no such file or directory; task.path must be"):
        read_treebank(tmp_path / "UD_Missing")
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(ProbingError, match=r"x\.txt: unknown treebank format; task.path must be"):
        read_treebank(tmp_path / "x.txt")


def test_a_treebank_is_read_once_until_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    first = read(path, simple(Clause()))
    assert read_treebank(path) is first
    write(path, [simple(Clause())] * 2)
    assert len(read_treebank(path)) == 2
    write(path, [simple(Clause()), simple(Clause(("cats", "plural")))])
    os.utime(path, ns=(1, 1))
    assert read_treebank(path)[1].tokens[1] == "cats"
    write(path, [simple(Clause()), simple(Clause(("dogs", "plural")))])  # of the same size and time
    os.utime(path, ns=(1, 1))
    assert read_treebank(path)[1].tokens[1] == "dogs"


def test_a_published_file_is_read_as_the_library_reads_it(shared: Path) -> None:
    path = shared / "data" / "treebanks" / "UD_English-EWT" / "en_ewt-ud-dev.conllu"
    blocks = path.read_text(encoding="utf-8").split("\n\n")
    ours = read_treebank(path)
    assert {sentence.split for sentence in ours} == {"dev"}
    for number in random.Random(0).sample(range(len(ours)), 200):
        (theirs,) = conllu.parse(blocks[number])
        rows = [token for token in theirs if isinstance(token["id"], int)]
        words = ours[number].words
        assert [(w.form, w.upos, w.xpos, w.deprel) for w in words] == [
            (t["form"], t["upos"], t["xpos"], t["deprel"]) for t in rows
        ]
        assert [word.head for word in words] == [token["head"] - 1 for token in rows]
        assert [dict(word.feats) for word in words] == [token["feats"] or {} for token in rows]
        # the text as the treebank itself gives it: tokens, multiword ones included, and spaces are right
        assert ours[number].text("raw") == theirs.metadata["text"].replace("  ", " ")
