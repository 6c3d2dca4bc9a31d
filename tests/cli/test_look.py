"""`probing look`: one page or one picture, and mistakes in one line."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import probing
from probing.cli import main as cli
from probing.cli.completion import candidates
from probing.cli.look import VALUES, WORDS
from probing.errors import ProbingError
from probing.looking.scene import Scene
from tests.looking.conftest import SENTENCE, TREE, options

pytestmark = pytest.mark.slow
Look = Callable[..., int]


@pytest.fixture
def look(tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Run the command with the tiny model in an empty folder."""
    monkeypatch.chdir(tmp_path)
    Path("farm.conllu").write_text(TREE, encoding="utf-8")
    return lambda *words: cli.main(["look", *options(tiny_bert, Path("outputs")), *words])


def files() -> set[str]:
    return {path.name for path in Path().iterdir() if path.is_file()} - {"farm.conllu"}


def test_without_words_it_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["look"]) == 0
    assert "probing look [layer=0 head=0]" in capsys.readouterr().out


def test_a_page_takes_a_free_name(look: Look, capsys: pytest.CaptureFixture[str]) -> None:
    assert look(f"text={SENTENCE}") == 0
    assert look(f"text={SENTENCE}") == 0  # the same page again
    assert files() == {"look.html"}
    assert look("text=the dog sees a cat .") == 0
    assert files() == {"look.html", "look-2.html"}
    assert capsys.readouterr().out.split() == ["look.html", "look.html", "look-2.html"]


def test_a_chosen_page_is_not_replaced(look: Look, capsys: pytest.CaptureFixture[str]) -> None:
    assert look(f"text={SENTENCE}", "out=a.html") == 0
    assert look("text=the dog .", "out=a.html") == cli.MISTAKE
    assert "a.html exists with other content" in capsys.readouterr().err
    assert look("text=the dog .", "out=a.html", "overwrite=true") == 0
    assert "the dog ." in Path("a.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words", [["out=x.png", "layer=1", "head=2"], ["out=x", "view=lines", "layer=1", "head=2"]]
)
def test_a_picture_is_drawn_with_its_table(look: Look, words: list[str]) -> None:
    assert look(f"text={SENTENCE}", *words) == 0
    assert files() == {"x.png", "x.svg", "x.pdf", "x.csv"}
    assert Path("x.csv").read_text(encoding="utf-8").splitlines()[1].startswith("1,2,0,[CLS],")


def test_a_page_opens_with_a_view(look: Look) -> None:
    assert look(f"text={SENTENCE}", "view=matrix", "out=x.html") == 0
    assert '"view":"matrix"' in Path("x.html").read_text(encoding="utf-8")


def test_a_sentence_of_a_treebank(look: Look) -> None:
    assert look("task.path=farm.conllu", "sentence=0", "layer=0", "head=1", "out=x.html") == 0
    page = Path("x.html").read_text(encoding="utf-8")
    assert '"view":"arcs"' in page
    assert "look sentence=0 model=hf" in page


def test_the_first_example_of_a_task(look: Look) -> None:
    small = ["task=grammar/tense", "task.n_train=40", "task.n_dev=20", "task.n_test=20"]
    assert look(*small, "layer=0", "head=1", "out=x.html") == 0
    page = Path("x.html").read_text(encoding="utf-8")
    assert '"view":"semantic"' in page
    assert "an example of grammar/tense" in page


def test_the_task_of_an_experiment(look: Look) -> None:
    small = ["task.n_train=40", "task.n_dev=20", "task.n_test=20"]
    assert look("experiment=uses", *small, "analysis=probe", "layer=0", "head=1", "out=x.html") == 0
    page = Path("x.html").read_text(encoding="utf-8")
    assert '"view":"semantic"' in page
    assert "an example of grammar/tense" in page


def test_a_treebank_with_any_prefix(look: Look) -> None:
    assert look("++task.path=farm.conllu", "sentence=0", "layer=0", "head=1", "out=x.html") == 0
    assert '"view":"arcs"' in Path("x.html").read_text(encoding="utf-8")


def test_the_command_on_the_page_makes_the_page_again(look: Look, tiny_bert: Path) -> None:
    given = options(tiny_bert, Path("outputs"))
    pages = [probing.look(f"it's {SENTENCE}", given, second="and"), probing.look("a cat", [*given, "seed=3"])]
    assert pages[0].commands[0].startswith("probing look ")
    for page in pages:
        _, _, *words = shlex.split(page.commands[0])
        assert cli.main(["look", *words, "out=x.html", "overwrite=true"]) == 0
        assert Path("x.html").read_text(encoding="utf-8") == page.html()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["layer=0"], 'nothing to read; give text="..."'),
        (["text=a", "layr=0"], "cannot use 'layr=0'; did you mean layer?"),
        (["text=a", "dog"], "cannot use 'dog'; quote a text"),
        (["text=a", "layer=x"], "layer=x; give a whole number from 0"),
        (["text=a", "layer=9"], "layer=9: the model has attention in layers 0, 1, 2"),
        (["text=a", "head=-1"], "head=-1; give a whole number"),
        (["text=a", "layer=0", "layer=1"], "layer= is given twice"),
        (["text=a", "view=grid"], "view"),
        (["text=a", "view=arcs"], "view=arcs needs a sentence of a treebank"),
        (["text=a", "view=semantic"], "view=semantic needs the examples of a task"),
        (["text=a", "second=b", "second=c"], "second= has no text= before it"),
        (["second=b", "text=a"], "second= has no text= before it"),
        (["sentence=0"], "sentence= needs a treebank"),
        (["task.path=farm.conllu", "sentence=4"], "has sentences 0 to 0"),
        (["text=a", "granularity=layer"], "leave out granularity=layer"),
        (["text=a", "analysis=entropy"], "leave out analysis=entropy"),
        (["text=a", "model.nam=x"], "did you mean"),
        (["text=", "layer=0"], "text= is empty"),
        (["text=a", "special=maybe"], "special"),
        (["task.path=farm.conllu", "sentence=0,x"], "sentence=x; give a whole number from 0"),
    ],
)
def test_a_mistake_is_one_line(
    words: list[str], message: str, look: Look, capsys: pytest.CaptureFixture[str]
) -> None:
    assert look(*words) == cli.MISTAKE
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert files() == set()


def test_a_second_text_belongs_to_the_text_before_it(look: Look) -> None:
    assert look("text=the dog", "text=a cat", "second=the horse", "out=x.html") == 0
    page = Path("x.html").read_text(encoding="utf-8")
    assert '"text":"the dog","second":null' in page
    assert '"text":"a cat","second":"the horse"' in page


def test_a_call_refuses_seconds_without_texts(tiny_bert: Path, tmp_path: Path) -> None:
    with pytest.raises(ProbingError, match="1 text= and 2 second="):
        probing.look("a", options(tiny_bert, tmp_path), second=["b", "c"])


def test_a_call_suggests_names() -> None:
    with pytest.raises(ProbingError, match="look has no laier=; did you mean layer"):
        probing.look("a", laier=3)


def test_values_that_complete_are_those_of_a_scene() -> None:
    choices: dict[str, tuple[object, ...]] = {
        name: get_args(hint) or (True, False)
        for name, hint in get_type_hints(Scene).items()
        if get_args(hint) or hint is bool
    }
    typed = {name: tuple(str(each).lower() for each in values) for name, values in choices.items()}
    assert {name: values for name, values in VALUES.items() if name in WORDS} == typed


def complete(line: str) -> list[str]:
    return candidates(line, lambda text: [])


def test_words_complete() -> None:
    assert "look" in complete("lo")
    assert complete("look lay") == ["layer="]
    assert complete("look layer=1 view=m") == ["view=matrix", "view=model"]
    assert complete("look text=a model=mini") == ["model=minilm"]
