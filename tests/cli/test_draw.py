"""`probing draw`: rows chosen by column, pictures written, mistakes in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from probing.cli import main as cli
from probing.cli.draw import KINDS
from probing.cli.selection import choose, values
from probing.figures.pictures import draw_run, draw_sweep
from probing.results.schema import COLUMNS, as_frame
from probing.results.store import ResultStore
from tests.figures import found
from tests.figures.frames import checkpoints, frame, texts, top_heads

pytestmark = pytest.mark.slow

MLP = "senteval[nhid=50,dropout=0.1]"
HEADS = ["granularity=head", "probe=logistic"]
ONE = ["task=a", *HEADS]
ALONE = ["variant=only_one", "metric=accuracy"]


def keep(root: Path, rows: pd.DataFrame) -> None:
    """Write rows as one run would."""
    key = f"k{len(list(root.glob('results/*')))}"
    store = ResultStore(root / "results", key, "run")
    store.root.mkdir(parents=True, exist_ok=True)
    known = rows.assign(key=key).astype(object).where(rows.notna(), None)
    names = [name for name in COLUMNS if name in known]
    store.write(as_frame([dict(zip(names, row, strict=True)) for row in known[names].to_numpy()]), {})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "outputs"
    for rows in (
        frame(task="a"), frame(task="b"), frame(task="a", probe=MLP),
        frame(task="a", granularity="layer"), top_heads("a"), checkpoints(task="c"),
        frame(task="a", baseline="untrained", test=0.2),
        found.importance(task="h"), found.ablation(task="h"), found.masking(12, task="h"),
        found.gates(task="h"), found.prune(task="h"), found.entropy(task="h"),
    ):  # fmt: skip
        keep(folder, rows)
    return folder


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["grid", *ONE, "order=score"], "heads, sorted within each layer"),
        (["grid", "task=a", "granularity=head", "baseline=untrained"], "untrained model"),
        (["grid", *ONE, "value=untrained"], "untrained model's test accuracy"),
        (["sheet", *HEADS, "task=a,b"], "org/model: 2 tasks"),
        (["profiles", "task=a", "probe=logistic", "granularity=layer"], "org/model: layer profiles"),
        (["top_heads"], "org/model: the effect of n heads"),
        (["correlations", *HEADS, "task=a,b"], "org/model: rank correlation of heads between tasks"),
        (["trajectories"], "run: scores over training"),
        (["masking", "task=h"], "org/model: scores with masked heads"),
        (["path", "task=h"], "org/model: gates of heads"),
        (["grid", "analysis=ablation", *ALONE, "value=value"], "ablation: alone in its layer"),
        (["sheet", "analysis=importance", "value=value"], "org/model: importance on h"),
        (["grid", "analysis=prune", "variant=kept", "value=value"], "6 of 12 heads kept"),
        (["comparison", "task=a", "granularity=head", f"probe={MLP},logistic"], "logistic probe"),
    ],
)  # fmt: skip
def test_every_kind_is_drawn_from_the_rows_that_are_named(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    out = tmp_path / "pictures" / "mine"
    assert cli.main(["draw", *words, f"root={root}", f"out={out}"]) == 0
    printed = capsys.readouterr().out.split()
    assert printed == [f"{out}.{kind}" for kind in ("png", "svg", "pdf", "csv")]
    assert all(Path(path).is_file() for path in printed)
    assert said in "\n".join(texts(out.with_suffix(".svg")))


def test_the_first_value_of_a_comparison_is_across(root: Path, tmp_path: Path) -> None:
    words = ["draw", "comparison", "task=a", "granularity=head", f"root={root}", f"out={tmp_path}/two"]
    assert cli.main([*words, f"probe={MLP},logistic"]) == 0
    table = pd.read_csv(tmp_path / "two.csv")
    assert set(table["probe_b"]) == {"logistic"}


def test_rows_of_baselines_count_only_if_they_are_asked_for() -> None:
    rows = pd.concat([frame(), frame(baseline="control")])
    assert set(choose(rows, {})["baseline"]) == {"none"}
    assert set(choose(rows, {"baseline": ["control", "none"]})["baseline"]) == {"control", "none"}
    assert choose(rows, {"layer": ["1"], "head": ["0", "2"]})[["layer", "head"]].to_numpy().tolist() == [
        [1, 0],
        [1, 2],
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["grids"], "unknown kind of picture 'grids'; did you mean grid?"),
        (["grid", "taks=a"], "no column 'taks'; did you mean task?"),
        (["grid", "task=z"], "no result with task=z; expected one of a, b, h, c"),
        (["grid", "task"], "'task' is not column=value"),
        (["profiles", "order=score"], "draw profiles does not use order=; it takes"),
        (["grid", "task=a", "granularity=head"], "more than one grid: probe is any of logistic, senteval"),
        (["grid", "granularity=top_heads"], "drawn by draw_top_heads"),
        (["grid", "task=b", "order=best"], "order 'best' is unknown"),
        (["profiles", "value=model"], "value 'model' is not a column of scores"),
        (["comparison", "task=b"], "a comparison needs two grids of a task, but there is only one"),
        (["comparison", "task=c"], "give two values, model="),
        (["correlations", "granularity=head", "by=nothing"], "no column 'nothing'"),
        (["grid", "analysis=importance", "variant=per_token", "normalisation=none"], "use value=value"),
        (["masking", "task=a"], "no results of masking to draw; run probing analysis=masking"),
        (["masking", "value=dev"], "draw masking does not use value=; it takes"),
        (["path", "analysis=masking"], "no results of gates to draw; run probing analysis=gates"),
        (
            ["grid", "analysis=masking", "variant=random", "value=value"],
            "a masking curve is drawn by draw_masking",
        ),
        (["grid", "root=nowhere"], "nowhere: no such folder"),
    ],
)
def test_a_mistake_is_one_line_and_exits_with_2(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    own = [] if any(word.startswith("root=") for word in words) else [f"root={root}"]
    assert cli.main(["draw", *words, *own, f"out={tmp_path}/picture"]) == cli.MISTAKE
    complaint = capsys.readouterr().err
    assert message in complaint
    assert complaint.count("\n") == 1
    assert not list(tmp_path.glob("picture*"))


def test_an_empty_folder_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["draw", "grid", f"root={tmp_path}"]) == cli.MISTAKE
    assert "no results; run probing first" in capsys.readouterr().err


def test_without_words_the_kinds_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["draw"]) == 0
    listed = capsys.readouterr().out
    assert all(f"\n  {name} " in listed for name in KINDS)


def test_a_run_is_drawn_as_what_it_is(tmp_path: Path) -> None:
    assert [path.name for path in draw_run(frame(), tmp_path / "heads")] == [
        "grid.png", "grid.svg", "grid.pdf", "grid.csv",
    ]  # fmt: skip
    assert "heads read together" in texts(draw_run(top_heads(), tmp_path / "top")[1])
    together = frame(1, 1, granularity="all_heads").assign(layer=np.nan, n_heads=144)
    (table,) = draw_run(together, tmp_path / "all")
    assert pd.read_csv(table)["test"].tolist() == together["test"].tolist()


def test_a_sweep_of_different_granularities_has_a_picture_for_each_kind(tmp_path: Path) -> None:
    together = frame(1, 1, granularity="all_heads").assign(layer=np.nan)
    mixed = pd.concat([frame(), frame(granularity="attention"), top_heads(), together])
    assert [path.name for path in draw_sweep(mixed, tmp_path)] == ["sheet.png", "top_heads.png"]
    assert draw_sweep(together, tmp_path / "none") == ()


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        (found.importance(), ["grid", "variants"]),
        (found.ablation(), ["grid", "only_one"]),
        (found.of(found.ablation(main=True), "only_one", metric="accuracy"), ["grid", "only_one"]),
        (found.masking(12), ["masking"]),
        (found.prune(), ["grid"]),
        (found.gates(), ["grid", "path"]),
        (found.entropy(), ["grid"]),
    ],
    ids=["importance", "ablation", "alone", "masking", "prune", "gates", "entropy"],
)
def test_what_heads_do_is_drawn_as_its_analysis_asks(
    rows: pd.DataFrame, names: list[str], tmp_path: Path
) -> None:
    drawn = draw_run(rows, tmp_path)
    assert [path.name for path in drawn if path.suffix == ".png"] == [f"{name}.png" for name in names]
    assert sorted(drawn) == sorted(tmp_path.iterdir())


def test_a_sweep_of_several_analyses_has_pictures_of_each(tmp_path: Path) -> None:
    mixed = pd.concat(
        [
            frame(), found.importance(), found.ablation(), found.ablation(task="b", metric="loss"),
            found.masking(12), found.prune(), found.gates(), found.entropy(),
        ]
    )  # fmt: skip
    names = ["sheet", "importance", "ablation", "masking", "prune", "path", "entropy"]
    assert [path.name for path in draw_sweep(mixed, tmp_path)] == [f"{name}.png" for name in names]


def test_two_analyses_that_name_their_picture_alike_have_one_each(tmp_path: Path) -> None:
    widths = found.entropy().assign(analysis="width", plugin="not_installed")
    mixed = pd.concat([frame(), widths])
    names = [path.name for path in draw_sweep(mixed, tmp_path)]
    assert names == ["sheet.png", "sheet-width.png"]
    assert (tmp_path / "sheet.png").read_bytes() != (tmp_path / "sheet-width.png").read_bytes()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("draw", "value 'draw' is not a column of scores; use test, dev, untrained, control or selectivity"),
        ("p", "value 'p' is not a column of scores"),
        ("selectivity", "value 'selectivity' is missing in all rows; run baseline=control first"),
    ],
)
def test_only_scores_that_are_there_are_drawn(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], value: str, said: str
) -> None:
    words = ["draw", "grid", *ONE, f"value={value}", f"root={root}", f"out={tmp_path}/none"]
    assert cli.main(words) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("none*"))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a,b", ["a", "b"]),
        ("senteval[nhid=50,dropout=0.1],logistic", ["senteval[nhid=50,dropout=0.1]", "logistic"]),
        ("'table/a,b',c", ["table/a,b", "c"]),
        ("o'neil,[m],a[1", ["o'neil", "[m]", "a[1"]),
    ],
)
def test_a_value_in_quotes_may_hold_commas(text: str, read: list[str]) -> None:
    assert values(text) == read
