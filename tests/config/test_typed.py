"""Options that take texts take the words as they were typed; numbers are checked where they are declared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

from probing.config.choices import choices
from probing.config.compose import compose_config, composed_yaml, hydra_session, path_as_run, plain_values
from probing.config.quoting import exact, split
from probing.config.run_config import Config, build_config
from probing.config.typed import as_typed
from probing.errors import ProbingError
from probing.io.yaml import as_yaml
from probing.validation.ranges import AtLeast, Bound, Entries, Most, Range, hints_of
from probing.validation.signs import Signs

pytestmark = pytest.mark.slow

TABLE = ["task=table", "model=hf", "model.name=x"]
ODD = (
    "false", "1e5", "1_000", "0x10", "on", "12e3456", "~", "=", "a=b", "[a]", "{a: b}", "(a)", "o'neil",
    'say "hi"', "a b", " a ", "$x", "C:\\new\\", "#1", "100%", "données/café.csv", "文本", "-", "a:b", ".5",
    "inf", "NULL", "a\tb",
)  # fmt: skip
WRONG: list[Any] = [float("nan"), float("inf"), -float("inf"), -1, 0, 10**30, 10**400, 1e308, "abc", True, []]


def made(*overrides: str) -> Config:
    return build_config(plain_values(compose_config([*TABLE, *overrides])))


@pytest.mark.parametrize("word", ODD)
def test_a_text_is_taken_as_it_was_typed(word: str) -> None:
    config: Any = made(f"task.text={word}", f"model.revision={word}", f"model.name={word}")
    assert (config.task.text, config.model.revision) == (word, word)
    assert config.model.name == (str(Path.home()) if word == "~" else word)
    assert made(f"++task.label={word}").task.label == word  # type: ignore[attr-defined]


@pytest.mark.parametrize("word", [word for word in ODD if word != "~"])
def test_a_path_is_taken_as_it_was_typed(word: str) -> None:
    config: Any = made(f"task.path={word}", f"paths.root={word}")
    assert (config.task.path, config.paths.root) == (Path(word), Path(word))


def test_lists_of_texts_are_taken_as_they_were_typed() -> None:
    def classes(value: str) -> object:
        return made(f"task.classes={value}").task.classes  # type: ignore[attr-defined]

    assert classes("[false,true]") == ("false", "true")
    assert classes("[null]") == ("null",)
    assert classes("[1e5,1_000, 0x10 ,on,~,=]") == ("1e5", "1_000", "0x10", "on", "~", "=")
    assert classes("[o'neil,a b]") == ("o'neil", "a b")
    assert classes("""['a,b',"c]d",'null']""") == ("a,b", "c]d", "null")
    assert classes("[]") == ()
    assert classes("null") is None


def test_null_alone_leaves_an_optional_text_unset() -> None:
    config: Any = made("task.split=null", "model.revision=null", "task.path=null", "task.text=null")
    assert (config.task.split, config.model.revision, config.task.path) == (None, None, None)
    assert config.task.text == "null"
    assert made("model.revision='null'").model.revision == "null"


def test_who_quotes_twice_is_understood() -> None:
    config: Any = made("task.path='a=b.csv'", 'task.text="null"', "task.label='it\\'s'")
    assert (config.task.path, config.task.text, config.task.label) == (Path("a=b.csv"), "null", "it's")


def test_a_comma_alone_is_a_separator_and_no_sweep() -> None:
    assert made("task.separator=,").task.separator == ","  # type: ignore[attr-defined]
    with hydra_session():
        assert as_typed(["task=table", "task.separator=,"], swept=True)[1] == "task.separator=','"


def test_a_file_whose_name_has_a_comma(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProbingError, match=r"a,b.csv is a sweep \(no file has this name\)"):
        made("task.path=a,b.csv")
    (tmp_path / "a,b.csv").write_text("text,label\n")
    assert made("task.path=a,b.csv").task.path == Path("a,b.csv")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("task.path=a=b,c d", "task.path='a=b','c d'"),
        ("task.path=x(1,2).csv,[y].csv", "task.path='x(1,2).csv','[y].csv'"),
        ("model.revision=12e3,false,null,main", "model.revision='12e3','false',null,main"),
        ("task.classes=[false,true],[a,b],null", "task.classes=['false','true'],[a,b],null"),
        ("model.revision=choice(false,1_0)", "model.revision=choice('false','1_0')"),
        ("model.name=glob(runs/*)", "model.name=glob(runs/*)"),
        ("model.revision=range(1,3)", "model.revision=range(1,3)"),
        ("task.folds=3,5", "task.folds=3,5"),
        ("probe.l2=[1e-5,0.1]", "probe.l2=[1e-5,0.1]"),
        ("task.quotes=true,false", "task.quotes=true,false"),
        ("+task.text=a=b", "+task.text='a=b'"),
        ("~task.text", "~task.text"),
    ],
)
def test_commas_sweep_and_each_part_is_a_text(override: str, read: str) -> None:
    with hydra_session():
        assert as_typed(["task=table", override], swept=True)[1] == read


@pytest.mark.parametrize(
    "chosen", ["task=table,grammar/tense", "task=glob(grammar/*)", "experiment=anatomy", "task=treebank/upos"]
)
def test_the_class_of_every_choice_of_a_sweep_is_known(chosen: str) -> None:
    with hydra_session():
        assert as_typed([chosen, "task.name=1e5", "task.seed=1e5"], swept=True)[1:] == [
            "task.name='1e5'",
            "task.seed=1e5",
        ]


def test_references_work_and_their_characters_can_be_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_FOLDER", "/data")
    assert made("paths.root=${oc.env:SOME_FOLDER}/a=b").paths.root == Path("/data/a=b")
    assert made("paths.root='${oc.env:SOME_FOLDER}/x'").paths.root == Path("/data/x")
    assert made(r"paths.root=a\${b").paths.root == Path("a${b")
    for broken in ("a${b", "${b}", "${oc.env:NO_SUCH_VARIABLE}"):
        with pytest.raises(
            ProbingError, match=r"^paths.root: .* for the characters themselves write \\\$\{$"
        ):
            made(f"paths.root={broken}")


def test_a_number_for_a_revision_stays_what_it_was() -> None:
    assert "revision: '12e3456'" in composed_yaml(["model=hf", "model.name=x", "model.revision=12e3456"])


def test_readers_take_a_folder_as_a_run_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_FOLDER", "/data")
    for typed in ("~/some place", "'quoted, twice'", "a=b", "${oc.env:SOME_FOLDER}/x", "o'neil", r"a\${b"):
        assert path_as_run(typed) == made(f"paths.root={typed}").paths.root


def test_what_the_page_writes_is_read_back() -> None:
    for text in ("1e5", "[a]", "o'neil", "null", "a,b", "'a'", "a${b", "${b}", "\\${b}", "x'y\\'"):
        values = plain_values(
            compose_config([*TABLE, f"task.text={exact(text)}", f"task.ignore=[{exact(text)}]"])
        )
        assert (values["task"]["text"], values["task"]["ignore"]) == (text, [text])


@pytest.mark.parametrize("text", ["a${b", "${b}", "\\${b}", "12e3456", "x\\"])
def test_a_kept_configuration_says_what_was_meant(text: str) -> None:
    from omegaconf import OmegaConf

    kept = OmegaConf.create(as_yaml({"root": text, "list": [text]}))
    assert OmegaConf.to_container(kept, resolve=True) == {"root": text, "list": [text]}


def test_values_are_split_at_commas_outside_brackets_and_quotes() -> None:
    assert split("a,b") == ["a", "b"]
    assert split("[a,b],(c,d),{e,f}") == ["[a,b]", "(c,d)", "{e,f}"]
    assert split("'a,b',\"c,d\"") == ["'a,b'", '"c,d"']
    assert split("['a]',b],c") == ["['a]',b]", "c"]
    assert split("a(,b") == ["a(", "b"]
    assert split("o'neil,b'c") == ["o'neil", "b'c"]


def bases() -> dict[str, dict[str, Any]]:
    """A composed configuration for every choice whose options are numbers, by its name."""
    chosen = [
        *(f"probe={name}" for name in choices("probe")),
        *(f"analysis={name}" for name in choices("analysis")),
        "objective=lm", "objective=readout", "task=table", "task=grammar/tense", "task=senteval/trec",
        "task=senteval/mr", "task=senteval/sick_e", "task=treebank/upos", "task=treebank/tense",
    ]  # fmt: skip
    more = {"treebank": ["task.path=x"]}
    return {
        choice: plain_values(compose_config([choice, *more.get(choice.split("=")[1].split("/")[0], [])]))
        for choice in chosen
    }


def numbers(hint: Any) -> tuple[Any, bool] | None:  # noqa: ANN401
    """The type of number that a hint asks for, and whether in a list."""
    if hint in (int, float):
        return hint, False
    if get_origin(hint) is Annotated:
        return numbers(get_args(hint)[0])
    found = [numbers(each) for each in get_args(hint) if each not in (type(None), ...)]
    if len(found) != 1 or found[0] is None:
        return None
    return found[0][0], found[0][1] or get_origin(hint) is tuple


def options(config: Config) -> Iterator[tuple[str, str, bool]]:
    """Group, name, and whether it is a list, of every option of a configuration that is a number."""
    for field in fields(config):
        part = getattr(config, field.name)
        for name, hint in get_type_hints(type(part)).items() if hasattr(part, "__dataclass_fields__") else ():
            found = numbers(hint)
            if found and name in part.__dataclass_fields__:
                yield "task" if field.name == "sample" else field.name, name, found[1]


def test_every_option_that_is_a_number_is_checked() -> None:
    seen = set()
    for choice, values in bases().items():
        for group, name, listed in options(build_config(values)):
            seen.add((group, name))
            for value in WRONG:
                _try(values, group, name, [value] if listed else value, choice)
    assert len(seen) >= 50


def ends(bound: Range) -> list[float]:
    """Numbers outside a range: NaN, infinity, and one beyond each end."""
    known = [(bound.low, bound.open_low, -1), (bound.high, bound.open_high, 1)]
    return [
        math.nan,
        math.inf,
        *(end if left_out else end + by for end, left_out, by in known if end is not None),
    ]


OUTSIDE: dict[type[Bound], Callable[[Any], list[Any]]] = {
    Range: ends,
    AtLeast: lambda bound: [bound.least - 1],
    Most: lambda bound: [bound.most + 1],
    Signs: lambda _: ["null", "a", " ."],
    Entries: lambda bound: [(), *([tuple(range(1, bound.most + 2))] if bound.most else [])],
}


def outside(hint: Any) -> Iterator[tuple[type[Bound], Any]]:  # noqa: ANN401
    """Kinds of the bounds that a hint declares, with values that they refuse."""
    for bound in getattr(hint, "__metadata__", ()):
        yield from ((type(bound), value) for value in OUTSIDE[type(bound)](bound))
    for inner in get_args(hint):
        found = outside(inner)
        yield from ((kind, (value,)) for kind, value in found) if get_origin(hint) is tuple else found


def test_dataclasses_made_from_python_refuse_what_is_outside_their_declared_bounds() -> None:
    tried = 0
    kinds: set[type[Bound]] = set()
    for values in bases().values():
        config = build_config(values)
        for part in (getattr(config, field.name) for field in fields(config)):
            hints = hints_of(type(part)) if hasattr(part, "__dataclass_fields__") else {}
            for name in (field.name for field in fields(part) if field.init) if hints else ():
                if name == "folds" and "senteval" in type(part).__module__:
                    continue  # their folds are checked by the task that they build
                for bound, value in outside(hints[name]):
                    with pytest.raises(ProbingError, match=name) as caught:
                        replace(part, **{name: value})
                    assert "\n" not in str(caught.value)
                    tried, kinds = tried + 1, kinds | {bound}
    assert tried >= 150
    assert kinds == {Range, AtLeast, Most, Entries, Signs}


def _try(values: Mapping[str, Any], group: str, name: str, value: object, choice: str) -> None:
    """Either one line that names the option, or a configuration; never NaN, infinity or another error."""
    changed = deepcopy(dict(values))
    changed[group][name] = value
    problem = None
    try:
        build_config(changed)
    except ProbingError as error:
        problem = str(error)
    if problem is not None:
        assert "\n" not in problem
        assert name in problem, f"{choice}: {group}.{name}={value}: {problem}"
        return
    flat = value[0] if isinstance(value, list) and value else value
    assert flat == [] or (isinstance(flat, int | float) and not isinstance(flat, bool) and abs(flat) <= 1e308)
    assert flat != -1 or name in {"layers", "low", "high", "lowest", "scores"}, f"{choice}: {group}.{name}"


def test_ranges_say_what_they_take() -> None:
    Range(0, 1).check(1, "x")
    for limits, value, message in (
        (Range(0, 1), 1.5, "x is 1.5; give a number from 0 to 1"),
        (Range(0, open_low=True), 0, "x is 0; give a number above 0"),
        (Range(1), 0, "x is 0; give 1 or more"),
        (Range(0, 1, open_high=True), 1, "x is 1; give a number from 0 to below 1"),
    ):
        with pytest.raises(ProbingError, match=f"^{message}$"):
            limits.check(value, "x")
