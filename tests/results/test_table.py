"""What is printed of each analysis: its numbers, the head that is marked, and the last line."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from probing.figures.naming import minus
from probing.figures.path import path_table
from probing.results.effects import ranked_on
from probing.results.finding import finding_of, main_rows
from probing.results.select import selected_lambda
from probing.results.table import beside_baseline, grid_text, part_text, summary
from probing.results.threshold import last_kept
from probing.results.units import difference_unit, score_unit
from tests.figures import found


def of(rows: pd.DataFrame, variant: str) -> pd.DataFrame:
    return found.of(rows, variant)


@pytest.mark.parametrize(
    ("rows", "number", "line"),
    [
        (found.importance(6, 12), "23.4", "most important: layer 3 head 4, 0.0234 nats; mean "),
        (
            found.ablation(6, 12),
            "-4.2",
            "largest effect: layer 3 head 4, accuracy -4.2 points [-6.0, -2.4]; mean ",
        ),
    ],
    ids=["importance", "ablation"],
)
def test_the_head_needed_most_is_marked_and_named(rows: pd.DataFrame, number: str, line: str) -> None:
    text = grid_text(rows)
    (marked,) = (part for part in text.splitlines() if "*" in part)
    assert re.match(rf" +3 .* {re.escape(number)}\*", marked)
    assert text.count("*") == 1
    assert text.splitlines()[-1] == summary(rows)
    assert summary(rows).startswith(line)


@pytest.mark.parametrize(
    ("rows", "split"),
    [(found.importance(), "dev"), (found.ablation(), "test"), (found.gates(), "train")],
    ids=["importance", "ablation", "gates"],
)
def test_what_heads_are_ranked_on_is_said(rows: pd.DataFrame, split: str) -> None:
    assert ranked_on(main_rows(rows)) == split
    if rows["analysis"].iloc[0] != "gates":
        assert f"; ranked on {split}, the first of 12" in summary(rows)


def test_an_ablation_says_in_how_many_heads_a_difference_is_shown_and_the_best_of_each_layer() -> None:
    rows = found.ablation(6, 12)
    main = main_rows(rows)
    shown = ((main["value_low"] > 0) | (main["value_high"] < 0)).sum()
    assert f"a difference is shown in {shown} of 72; full model 83.2%" in summary(rows)
    text = grid_text(rows)
    for layer, head in of(rows, "only_best")[["layer", "head"]].to_numpy():
        assert f"layer {layer} head {head} " in text


def test_a_language_model_is_told_in_nats_and_needs_the_head_without_which_it_loses_most() -> None:
    rows = found.ablation(6, 12)
    lm = found.of(rows, "leave_one_out", metric="loss").assign(objective="lm", full=2.3456, main=True)
    assert summary(lm).startswith("largest effect: layer 3 head 4, loss +0.0123 nats [+0.0103, +0.0143]")
    assert summary(lm).endswith("full model 2.346 nats")


def test_stacks_are_printed_below_each_other_and_one_head_of_all_is_marked() -> None:
    rows = main_rows(found.importance())
    ranked = rows.assign(stack="cross", rank=rows["rank"] + len(rows), value=rows["value"] / 2)
    text = grid_text(pd.concat([rows.assign(stack="encoder"), ranked], ignore_index=True))
    assert text.index("encoder:") < text.index("*") < text.index("cross:")
    assert text.count("*") == 1
    assert "most important: encoder layer 1 head 1" in text


def test_a_masking_curve_has_a_line_for_every_number_of_heads_and_a_column_for_every_ranking() -> None:
    rows = found.masking(12)
    header, *lines, sizes, last = grid_text(rows).splitlines()
    assert sizes == "n 500 dev, 500 test"
    assert header.split() == ["heads", "masked", "iterative", "importance", "ablation", "probe", "random"]
    assert [int(line.split()[0]) for line in lines] == sorted(rows["n_heads"].unique(), reverse=True)
    cells = {int(line.split()[0]): line.split() for line in lines}
    assert cells[6][1] == "50%"
    mean = rows[(rows["variant"] == "random") & (rows["n_heads"] == 6)]["test"].mean()
    assert cells[6][6] == f"{mean:.1%}"
    assert last == summary(rows)
    assert last.endswith("of 12 heads; full model 83.2%")


def test_a_pruned_model_is_set_beside_the_full_one_with_ratios() -> None:
    lines = grid_text(found.prune(6, 12)).splitlines()
    table = {line.split()[0]: line.split()[1:] for line in lines[-6:-2]}
    assert table["full"] == ["72", "84.2%", "83.2%", "22,000,000", "88", "1.5"]
    assert table["masked"] == ["36", "81.0%", "80.0%"]
    assert table["pruned"] == ["36", "81.0%", "80.0%", "19,800,000", "79.2", "1.35"]
    assert table["ratio"] == ["90.0%", "90.0%", "90.0%"]
    assert lines[-1].startswith(
        "pruned to 36 of 72 heads: test accuracy 80.0% against 83.2%; parameters 90.0%"
    )


def test_gates_have_a_line_for_every_lambda_and_the_grid_of_the_last_that_keeps_the_score() -> None:
    rows = found.gates(6, 12)
    path = of(rows, "path")
    assert path["dev"].ge(0.9 * found.FULL).tolist() == [True, True, False]
    text = grid_text(rows)
    for _, row in path.iterrows():
        assert re.search(
            rf"^ +{row['penalty']} +{row['n_heads']} +{row['dev']:.1%} +{row['test']:.1%}$", text, re.M
        )
    assert "gates at lambda 0.01:" in text
    assert summary(rows).startswith(
        f"lambda 0.01, selected on dev: {path['n_heads'].iloc[1]} of 72 heads remaining, test accuracy "
    )


def test_heads_left_are_counted_of_the_whole_model_where_some_layers_have_gates() -> None:
    rows = found.gates()
    rows.loc[rows["variant"] == "path", "n_heads"] = 11
    rows = rows[rows["layer"].isna() | (rows["layer"] == 2)]
    assert " 11 of 12 heads remaining, " in summary(rows)


def test_a_lambda_keeps_the_score_of_the_full_model_on_dev_whatever_that_is_on_test() -> None:
    rows = found.gates()
    rows.loc[rows["variant"] == "full", ["dev", "test"]] = [0.9, 0.4]
    rows["full"] = rows["full"].where(rows["full"].isna(), 0.4)
    rows.loc[rows["variant"] == "path", "dev"] = [0.85, 0.6, 0.5]  # all above 90 % of 0.4
    assert selected_lambda(rows)["penalty"] == 0.001
    assert summary(rows).startswith("lambda 0.001, selected on dev: ")
    assert path_table(rows)["full_dev"].tolist() == [0.9] * 3


def test_entropy_has_no_head_that_is_needed_most() -> None:
    text = grid_text(found.entropy())
    assert "*" not in text
    assert text.splitlines()[-1].startswith(
        "mean 1.46 nats; lowest: layer 0 head 0, 0.50 nats; highest: layer 1 "
    )


def test_a_baseline_is_told_with_how_alike_both_rank_heads() -> None:
    rows = found.importance(6, 12)
    same = rows.assign(baseline="untrained", value=rows["value"] / 2)
    turned = rows.assign(baseline="untrained", value=-rows["value"]).iloc[::-1]
    assert beside_baseline(rows, same).endswith("Spearman's rho of heads 1.00")
    assert beside_baseline(rows, turned).endswith("Spearman's rho of heads -1.00")
    assert beside_baseline(rows, same).startswith("untrained: most important: layer 3 head 4, 0.0117 nats")


def test_a_part_of_a_run_says_what_it_found_most_of() -> None:
    assert part_text(of(found.ablation(6, 12), "leave_one_out")) == "largest effect -4.2 points"
    assert part_text(of(found.importance(6, 12), "per_example")) == "most important 0.0234 nats"
    assert part_text(found.masking()) == "best 83.2%"
    gates = found.gates()
    gates.loc[gates["variant"] == "full", "test"] = 0.99  # which is not a score under gates
    assert part_text(gates) == "best 83.2%"
    sums = of(found.importance(6, 12), "per_example").assign(analysis=None, variant="example", value=2.5)
    assert part_text(sums) == "largest 2.50"


@pytest.mark.parametrize(
    "rows",
    [found.importance(), found.ablation(), found.gates(), found.prune(), found.entropy(), found.masking()],
)
def test_text_has_letters_that_every_terminal_has(rows: pd.DataFrame) -> None:
    assert grid_text(rows).isascii()


@pytest.mark.parametrize(
    ("values", "cell", "label", "spoken"),
    [
        ([0.0123, 0.001], "12.3", "10⁻³ nats", "0.0123 nats"),
        ([12.345], "12.3", "nats", "12.3 nats"),
        ([1234.0], "1.23", "10³ nats", "1234 nats"),
        ([2e-7], "200", "10⁻⁹ nats", "0.000000200 nats"),
        ([0.0, float("nan")], "0.00", "nats", "0.00 nats"),
        ([], "0.00", "nats", "0.00 nats"),
    ],
)
def test_importances_have_three_digits_of_the_largest(
    values: list[float], cell: str, label: str, spoken: str
) -> None:
    unit = finding_of("importance").unit_of("loss", "", values)
    largest = values[0] if values else 0.0
    assert (unit.cell(largest), unit.label, unit.spoken(largest)) == (cell, label, spoken)


def test_signs_stand_before_differences_but_not_before_0() -> None:
    unit = difference_unit("accuracy", [0.1])
    assert [unit.cell(value) for value in (0.012, -0.012, 0.0, -0.0004)] == [
        "+1.2",
        minus("-1.2"),
        "0.0",
        "0.0",
    ]
    assert difference_unit("matthews", [0.1]).cell(-0.0123) == minus("-0.012")
    assert [score_unit(name).spoken(0.5) for name in ("accuracy", "matthews", "loss")] == [
        "50.0 %",
        "0.50",
        "0.500 nats",
    ]


def test_what_is_kept_ends_at_the_first_score_that_is_not() -> None:
    assert last_kept([1.0, 0.95, 0.8, 0.95], 1.0, "accuracy") == 1
    assert last_kept([0.8, 1.0], 1.0, "accuracy") == -1
    assert last_kept([2.0, 2.2, 2.3], 2.0, "loss") == 1
    assert last_kept([1.0, 1.0], 1.0, "accuracy") == 1
