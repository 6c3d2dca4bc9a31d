"""Tables for papers and issues: one grid, a row for each grid, one setting down and another across."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

import probing
from probing.cli.main import main
from probing.results.baselines import with_baselines
from probing.results.finding import main_rows
from probing.results.store import ResultStore
from probing.results.table import grid_text, summary
from probing.results.tables.layout import Cell, Layout
from probing.results.tables.markup import FORMATS, latex, markdown
from tests.figures import found
from tests.page.results import rows, top_rows


def lines_of(text: str) -> list[list[str]]:
    """The cells of a table in Markdown, without its rule."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:])]


def caption_of(text: str) -> str:
    return text.splitlines()[-1]


def scored(key: str, **columns: object) -> pd.DataFrame:
    return rows(key=key, p_adjusted=0.02, **columns)  # type: ignore[arg-type]


def two_models() -> pd.DataFrame:
    """Two tasks by two models; the second model is better at one task, and lacks the other metric."""
    return pd.concat(
        [
            scored("a", task="t/one", model="small"),
            scored("b", task="t/one", model="large", shift=3),
            scored("c", task="t/two", model="small", shift=1),
            scored("d", task="t/two", model="large", shift=5),
        ],
        ignore_index=True,
    )


def best(frame: pd.DataFrame, **where: str) -> float:
    for name, value in where.items():
        frame = frame[frame[name] == value]
    return 100 * float(frame["test"].max())


@pytest.mark.parametrize(
    "run",
    [scored("k"), rows(heads=None, key="k"), found.importance(), found.ablation(), found.entropy()],
    ids=["probe", "layers", "importance", "ablation", "entropy"],
)
def test_one_run_has_the_numbers_and_the_mark_of_the_terminal(run: pd.DataFrame) -> None:
    text = probing.table(run, format="text")
    printed = [line.split() for line in grid_text(run).splitlines() if re.match(r" +\d", line)]
    cells = [line.split() for line in text.splitlines() if re.match(r"\d+  ", line)]
    assert cells == printed
    assert len(cells) == main_rows(run)["layer"].nunique()
    said = " ".join(text.split())  # the caption is folded
    assert summary(run)[1:] in said
    assert text.isascii()


def test_the_best_cell_is_bold_and_the_caption_names_the_run() -> None:
    run = scored("k")
    table = lines_of(probing.table(run))
    top = run.iloc[int(run["test"].argmax())]
    assert table[0] == ["layer", "0", "1", "2", "3"]
    assert [line[0] for line in table[1:]] == ["2", "1", "0"]
    bold = [
        (line[0], place - 1, cell)
        for line in table
        for place, cell in enumerate(line)
        if cell.startswith("**")
    ]
    assert bold == [(str(top["layer"]), top["head"], f"**{100 * top['test']:.1f}**")]
    caption = caption_of(probing.table(run))
    assert caption.startswith(
        "Test accuracy (%) by layer and head; the best in bold. Analysis probe, model tiny,"
    )
    assert "n 100 train, 50 dev, 50 test. Best: layer " in caption


def test_the_output_of_grid_is_written_like_its_rows() -> None:
    for run, value in ((scored("k"), "test"), (found.ablation(), "value"), (found.importance(), "value")):
        main = main_rows(run)
        of_rows = lines_of(probing.table(run))
        assert lines_of(probing.table(probing.grid(main, value=value))) == of_rows


def test_a_frame_of_layers_and_heads_without_a_run_keeps_its_numbers() -> None:
    frame = pd.DataFrame([[1.5, 2.25], [0.5, -1.0]], index=pd.Index([0, 1], name="layer"))
    table = probing.table(frame)
    assert lines_of(table) == [["layer", "0", "1"], ["1", "0.50", "-1.00"], ["0", "1.50", "**2.25**"]]
    assert caption_of(table) == "The largest in bold."


def test_the_stacks_of_a_model_are_rows_below_each_other() -> None:
    both = pd.concat(
        [found.entropy().assign(stack=stack) for stack in ("encoder", "cross")], ignore_index=True
    )
    table = lines_of(probing.table(both))
    assert table[0][:3] == ["stack", "layer", "0"]
    assert [line[:2] for line in table[1:]] == [
        [stack, layer] for stack in ("encoder", "cross") for layer in "210"
    ]


def test_several_grids_have_a_row_each_with_what_differs_in_front() -> None:
    frame = two_models()
    text = probing.table(frame)
    table = lines_of(text)
    assert table[0] == [
        "model", "task", "layer", "head", "test accuracy (%)", "95 % interval", "p", "mean", "majority",
    ]  # fmt: skip
    assert [line[:2] for line in table[1:]] == [
        ["small", "t/one"], ["large", "t/one"], ["small", "t/two"], ["large", "t/two"],
    ]  # fmt: skip
    for line in table[1:]:
        own = frame[(frame["model"] == line[0]) & (frame["task"] == line[1])]
        top = own.iloc[int(own["test"].argmax())]
        ends = f"[{100 * top['test_low']:.1f}, {100 * top['test_high']:.1f}]"
        wanted = [str(top["layer"]), str(top["head"]), f"{100 * top['test']:.1f}", ends, "0.020"]
        assert line[2:] == [*wanted, f"{100 * own['test'].mean():.1f}", "50.0"]
    caption = caption_of(text)
    assert "p is corrected for choosing the best of 12" in caption
    assert "Analysis probe, granularity head, pooling first, probe logistic, seed 1111" in caption
    assert "bold" not in caption  # scores of different tasks are not compared


def test_the_best_grid_of_one_task_is_bold() -> None:
    frame = two_models().iloc[:24]
    text = probing.table(frame)
    scores = {line[0]: line[3] for line in lines_of(text)[1:]}
    values = {model: best(frame, model=model) for model in scores}
    first = max(values, key=lambda model: values[model])
    assert scores == {
        model: f"**{value:.1f}**" if model == first else f"{value:.1f}" for model, value in values.items()
    }
    assert "the best of all in bold" in caption_of(text)


def test_baselines_are_columns_of_the_run_that_has_them_and_rows_of_their_own() -> None:
    runs = [
        rows(key="a"),
        rows(key="b", baseline="untrained", shift=1),
        rows(key="c", baseline="control", shift=2),
    ]
    frame = with_baselines(pd.concat(runs, ignore_index=True).assign(setup="q"))
    table = [
        dict(zip(line[0], cells, strict=True))
        for line in [lines_of(probing.table(frame))]
        for cells in line[1:]
    ]
    assert [row["baseline"] for row in table] == ["none", "untrained", "control"]
    top = frame.iloc[int(frame[frame["baseline"] == "none"]["test"].argmax())]
    assert table[0]["untrained"] == f"{100 * top['untrained']:.1f}"
    assert table[0]["control"] == f"{100 * top['control']:.1f}"
    assert table[1]["untrained"] == "\N{EN DASH}"


def test_findings_of_any_analysis_share_a_table_and_numbers_have_their_own_unit() -> None:
    frame = pd.concat(
        [
            scored("a", task="grammar/tense"),
            found.ablation(key="b"), found.importance(key="c"), found.masking(12, key="d"),
            top_rows().assign(key="e"),
        ], ignore_index=True,
    )  # fmt: skip
    head, *lines = lines_of(probing.table(frame))
    table = [dict(zip(head, line, strict=True)) for line in lines]
    assert [row["best"] for row in table] == [
        f"{best(frame[frame['key'] == 'a']):.1f} %", "\N{MINUS SIGN}4.2 points", "0.0234 nats", "\N{EN DASH}",
        "68.0 %",
    ]  # fmt: skip
    assert [row["heads"] for row in table] == [*["\N{EN DASH}"] * 4, "4"]
    assert table[1]["full model"] == "83.2 %"
    assert table[3]["result"] == summary(found.masking(12))
    assert "objective" not in head  # it follows from the analysis


@pytest.mark.parametrize("analysis", ["masking", "prune", "gates"])
def test_a_run_of_no_single_layer_is_the_report_of_its_finding(analysis: str) -> None:
    run = getattr(found, analysis)()
    from probing.results.finding import finding_of

    report = finding_of(analysis).report
    assert report is not None
    _, headings, lines = report(run)
    table = lines_of(probing.table(run))
    assert table == [list(headings), *map(list, lines)]
    assert "variant" not in caption_of(probing.table(run))


def test_n_heads_together_have_a_row_for_each_n_and_their_comparisons() -> None:
    table = lines_of(probing.table(top_rows()))
    assert table[0] == [
        "heads", "top dev (%)", "top test (%)", "random dev (%)", "random test (%)", "permuted dev (%)",
        "permuted test (%)",
    ]  # fmt: skip
    assert [line[0] for line in table[1:]] == ["1", "2", "4"]
    assert [line[2] for line in table[1:]] == ["62.0", "64.0", "**68.0**"]
    assert [line[4] for line in table[1:]] == ["60.0"] * 3


def test_one_setting_down_and_another_across_with_the_best_of_each_row_in_bold() -> None:
    frame = two_models()
    text = probing.table(frame, rows="task", columns="model")
    table = lines_of(text)
    assert table[0] == ["task", "small", "large"]
    for line in table[1:]:
        values = [best(frame, task=line[0], model=model) for model in ("small", "large")]
        assert line[1:] == [
            f"**{value:.1f}**" if value == max(values) else f"{value:.1f}" for value in values
        ]
    assert caption_of(text).startswith(
        "Test accuracy (%), the best cell of each grid; the best of each row in bold."
    )
    turned = lines_of(probing.table(frame, rows="model", columns="task"))
    assert [line[0] for line in turned] == ["model", "small", "large"]


def test_a_cross_table_may_show_means_other_columns_and_gaps() -> None:
    frame = two_models().iloc[:-12]
    means = lines_of(probing.table(frame, rows="task", columns="model", summary="mean"))
    own = frame[(frame["task"] == "t/one") & (frame["model"] == "small")]
    assert means[1][1].strip("*") == f"{100 * own['test'].mean():.1f}"
    assert means[2][2] == "\N{EN DASH}"
    dev = probing.table(frame, rows="task", columns="model", value="dev")
    assert lines_of(dev)[1][1].strip("*") == f"{100 * own['dev'].max():.1f}"
    assert caption_of(dev).startswith("Dev accuracy (%)")


def test_rows_with_another_metric_have_their_own_unit() -> None:
    frame = two_models()
    frame.loc[frame["task"] == "t/two", "metric"] = "pearson"
    table = lines_of(probing.table(frame, rows="task", columns="model"))
    assert [line[1] for line in table] == ["score", "test accuracy (%)", "test Pearson correlation"]
    assert table[2][2].strip("*") == f"{best(frame, task='t/two', model='small') / 100:.2f}"


def test_the_largest_effect_of_a_difference_is_the_smallest_value() -> None:
    one, two = (found.ablation(key=key, model=key) for key in "ab")
    frame = pd.concat([one, two.assign(value=2 * two["value"])], ignore_index=True)
    table = lines_of(probing.table(frame, rows="task", columns="model"))
    assert table[1] == ["grammar/tense", "\N{MINUS SIGN}4.2", "**\N{MINUS SIGN}8.4**"]


NASTY = r"a_b{c}%d&e#f$g~h^i\j<k>|l*"


def test_names_cannot_break_a_format() -> None:
    frame = pd.concat([scored("a", task=NASTY), scored("b", task="[x]")], ignore_index=True)
    text = probing.table(frame, format="latex")
    escaped = r"a\_b\{c\}\%d\&e\#f\$g\textasciitilde{}h\textasciicircum{}i\textbackslash{}j$<$k$>$$|$l*"
    assert f"\n{escaped} & " in text
    assert "\n{}[x] " in text  # a bracket after a line break would be an argument of it
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert lines_of(probing.table(frame, format="markdown").replace(r"\|", "!"))[1][0] == (
        r"a_b{c}%d&e#f\$g\~h^i\\j\<k>!l\*"
    )
    read = list(csv.reader(io.StringIO(probing.table(frame, format="csv"))))
    assert [line[0] for line in read] == ["task", NASTY, "[x]"]


def test_signs_powers_and_dashes_are_written_as_the_format_has_them() -> None:
    table = Layout(
        "In 10⁻³ nats.",
        ("a", "λ (10⁻³)"),
        ((Cell("x-1"), Cell("\N{MINUS SIGN}0.5")), (Cell("-2"), Cell("\N{EN DASH}"))),
    )
    assert latex(table).splitlines()[3:] == [
        r"\caption{In 10$^{-3}$ nats.}", r"\begin{tabular}{lr}", r"\toprule",
        r"a    & $\lambda$ (10$^{-3}$) \\",
        r"\midrule", r"x-1  &                $-$0.5 \\", r"$-$2 &                    -- \\", r"\bottomrule",
        r"\end{tabular}", r"\end{table}",
    ]  # fmt: skip
    assert FORMATS["csv"](table).splitlines()[1:] == ["x-1,-0.5", "-2,"]
    assert FORMATS["text"](table.__class__(table.caption, ("a", "b"), table.lines)).isascii()
    assert "**" not in markdown(table)


TABLES = {
    "grid": scored("k"),
    "grids": pd.concat([scored("a", task=NASTY), scored("b", model=NASTY)], ignore_index=True),
    "ablation": found.ablation(),
    "importance": found.importance(),
    "masking": found.masking(12),
    "gates": found.gates(),
    "together": pd.concat([scored("a"), found.masking(12, key="d")], ignore_index=True),
}


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles(tmp_path: Path) -> None:
    body = "\n".join(str(probing.table(frame, format="latex")) for frame in TABLES.values())
    start = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"
    (tmp_path / "t.tex").write_text(f"{start}{body}\\end{{document}}\n", encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "t.tex"], cwd=tmp_path,
        capture_output=True, text=True, check=False, errors="replace",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert not re.search(r"Missing character|LaTeX Warning: Unicode", done.stdout)


@pytest.mark.parametrize("name", TABLES)
def test_every_line_of_latex_has_as_many_cells_as_columns(name: str) -> None:
    text = probing.table(TABLES[name], format="latex")
    kinds = re.search(r"\\begin\{tabular\}\{(\w+)\}", text)
    assert kinds is not None
    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {len(re.split(r"(?<!\\)&", line)) for line in lines} == {len(kinds[1])}


def test_a_notebook_shows_markdown_as_a_table_and_latex_as_text() -> None:
    run = scored("k")
    text = probing.table(run)
    assert text._repr_markdown_() == text  # type: ignore[attr-defined]
    shown = probing.table(run, format="latex")._repr_markdown_()  # type: ignore[attr-defined]
    assert shown.startswith("```latex\n")


def test_a_run_that_gives_way_to_a_whole_one_has_no_row() -> None:
    whole, part = scored("a", setup="q"), scored("b", setup="q", layers=1)
    frame = pd.concat([whole, part], ignore_index=True).assign(inner=False)
    assert lines_of(probing.table(frame)) == lines_of(probing.table(whole))


MISTAKES = [
    ({"rows": "task"}, "columns= is missing; give both"),
    ({"rows": "task", "columns": "task"}, "rows and columns are both 'task'"),
    ({"rows": "taks", "columns": "model"}, "rows 'taks' is not a column of settings; did you mean task?"),
    (
        {"rows": "task", "columns": "seed"},
        "task=t/one, seed=1111: more than one grid: model is any of small, large",
    ),
    ({"value": "l2"}, "value 'l2' is not a score or a finding; use one of test, dev"),
    ({"format": "html"}, "format 'html' is unknown; expected one of markdown, latex, csv, text"),
    ({"task": "none"}, "no result with task='none'"),
]


@pytest.mark.parametrize(("options", "message"), MISTAKES)
def test_a_mistake_is_named(options: dict[str, str], message: str) -> None:
    with pytest.raises(probing.ProbingError, match=re.escape(message)):
        probing.table(two_models(), **options)  # type: ignore[arg-type]


def test_other_frames_are_refused() -> None:
    with pytest.raises(probing.ProbingError, match=r"has no column 'analysis'; give rows as returned by"):
        probing.table(pd.DataFrame({"a": [1]}))
    grid = probing.grid(scored("k"))
    with pytest.raises(probing.ProbingError, match="task= selects result rows, but frame is one grid"):
        probing.table(grid, task="t")
    with pytest.raises(probing.ProbingError, match="the cells of frame are not numbers"):
        probing.table(grid.astype(str) + "x")
    with pytest.raises(probing.ProbingError, match="frame has no numbers"):
        probing.table(grid * float("nan"))
    with pytest.raises(probing.ProbingError, match="frame has no rows"):
        probing.table(scored("k").iloc[:0])


def stored(root: Path, frame: pd.DataFrame) -> None:
    for key, own in frame.groupby("key"):
        ResultStore(root / "results", str(key), f"run-{key}").write(own.reset_index(drop=True), {})


def test_the_command_prints_a_table_or_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = pd.concat([two_models(), scored("e", model="small", baseline="control")], ignore_index=True)
    stored(tmp_path, frame)
    crossed = probing.table(two_models(), rows="task", columns="model")
    assert main(["table", f"paths.root={tmp_path}", "rows=task", "columns=model"]) == 0
    assert capsys.readouterr().out == crossed
    out = tmp_path / "deep" / "scores.tex"
    assert main(["table", f"paths.root={tmp_path}", "rows=task", "columns=model", f"out={out}"]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert out.read_text(encoding="utf-8") == probing.table(
        two_models(), rows="task", columns="model", format="latex"
    )
    assert main(["table", f"root={tmp_path}", "task=t/one,t/two", "model=small", "format=csv"]) == 0
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()] == ["task", "t/one", "t/two"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["out=x.html"],
            "out=x.html: the end '.html' names no format; expected one of .md, .tex, .csv, .txt",
        ),
        (["out=.", "format=csv"], "out=. is a folder; give the start of a file name"),
        (["model=other"], "no result with model=other; expected one of small, large"),
        (["rows=task"], "columns= is missing"),
        (["task"], "'task' is not column=value"),
    ],
)
def test_a_mistake_of_the_command_is_one_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    stored(tmp_path, two_models())
    assert main(["table", "paths.root=.", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
