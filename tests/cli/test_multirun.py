"""Sweeps: what the plan says before the first job is what the jobs then do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

import probing
from probing.cli import main as cli
from probing.datasets.grammar.task import GrammarTask
from probing.errors import ProbingError
from probing.models import digests
from probing.runs.pipeline import Run
from tests.tiny import make_mamba

pytestmark = pytest.mark.slow

SMALL = [
    "task.n_train=60",
    "task.n_dev=30",
    "task.n_test=30",
    "extract.threads=1",
    "granularity.layers=[0,1]",
]
FOUND = "nothing to extract or train"


def words(root: Path, model: Path | str, *more: str) -> list[str]:
    return [f"paths.root={root}", "model=hf", f"model.name={model}", *SMALL, *more]


def plan_of(log: str) -> dict[str, int]:
    """Return the counts of the plan, which precedes every job."""
    before = log[: log.index("job 1 of ")]
    (line,) = [line for line in before.splitlines() if re.match(r"\d+ jobs?, ", line)]
    on_vectors, invalid = r"(?: \((\d+) of them on cached vectors\))?", r"(?:, (\d+) invalid)?"
    found = re.fullmatch(rf"(\d+) jobs?, (\d+) cached, (\d+) to run{on_vectors}{invalid}", line)
    assert found is not None, line
    names = ("jobs", "cached", "to run", "on cached vectors", "invalid")
    return {name: int(number or 0) for name, number in zip(names, found.groups(), strict=True)}


TWO = "task=grammar/tense,grammar/depth"
SWEEPS: list[tuple[str, list[list[str]], list[str], dict[str, int]]] = [
    ("nothing is cached", [], [TWO], {"jobs": 2, "cached": 0, "on cached vectors": 0}),
    ("one job of two", [["task=grammar/depth"]], [TWO], {"jobs": 2, "cached": 1, "on cached vectors": 0}),
    ("everything", [[TWO]], [TWO], {"jobs": 2, "cached": 2, "on cached vectors": 0}),
    ("vectors only", [[TWO]], [TWO, "seed=2"], {"jobs": 2, "cached": 0, "on cached vectors": 2}),
    ("vectors of an earlier job", [], ["seed=1,2,3"], {"jobs": 3, "cached": 0, "on cached vectors": 2}),
    ("exactly one job", [], ["task=grammar/depth"], {"jobs": 1, "cached": 0, "on cached vectors": 0}),
    ("the same job twice", [], ["seed=1,1"], {"jobs": 2, "cached": 1, "on cached vectors": 0}),
    ("overwrite", [[TWO]], [TWO, "overwrite=always"], {"jobs": 2, "cached": 0, "on cached vectors": 0}),
    ("more layers", [["granularity.layers=[1]"]], ["seed=1111"], {"jobs": 1, "cached": 0, "invalid": 0}),
    ("attention", [["analysis=entropy"]], ["analysis=entropy,probe"], {"jobs": 2, "cached": 1}),
    ("an experiment", [], ["experiment=poolings", "pooling=mean,max"], {"jobs": 2, "cached": 0}),
]


@pytest.mark.parametrize(
    ("first", "swept", "counts"), [row[1:] for row in SWEEPS], ids=[row[0] for row in SWEEPS]
)
def test_the_plan_counts_the_jobs_that_find_their_result_and_their_vectors(
    tmp_path: Path,
    tiny_bert: Path,
    capsys: pytest.CaptureFixture[str],
    first: list[list[str]],
    swept: list[str],
    counts: dict[str, int],
) -> None:
    for earlier in first:
        assert cli.main(["-m", *words(tmp_path, tiny_bert, *earlier)]) == 0
    capsys.readouterr()
    assert cli.main(["-m", *words(tmp_path, tiny_bert, *swept)]) == 0
    log = capsys.readouterr().err
    plan = plan_of(log)
    assert counts.items() <= plan.items()
    assert plan["cached"] == log.count(FOUND)
    assert plan["on cached vectors"] == log.count("representations: all ")
    assert plan["cached"] + plan["to run"] == plan["jobs"]
    assert re.findall(r"^job (\d+) of (\d+): ", log, re.MULTILINE) == [
        (str(number + 1), str(plan["jobs"])) for number in range(plan["jobs"])
    ]


def test_an_interrupted_sweep_is_counted_when_it_is_repeated(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = ["-m", *words(tmp_path, tiny_bert, "task=grammar/tense,grammar/depth,grammar/length")]
    real, started = Run.__call__, []

    def stopped_at_third(self: Run) -> pd.DataFrame:
        started.append(self)
        if len(started) == 3:
            raise KeyboardInterrupt
        return real(self)

    monkeypatch.setattr(Run, "__call__", stopped_at_third)
    assert cli.main(sweep) == cli.STOPPED
    capsys.readouterr()
    assert cli.main(sweep) == 0
    log = capsys.readouterr().err
    assert plan_of(log)["cached"] == log.count(FOUND) == 2


ESTIMATES = [
    ["granularity=head"],
    ["granularity=layer"],
    ["pooling=mean", "extract.storage=float16"],
    ["seed=1,2"],
]


@pytest.mark.parametrize("swept", ESTIMATES, ids=" ".join)
@pytest.mark.parametrize("model", ["tiny_bert", "tiny_gpt2"])
def test_the_estimate_of_disk_is_about_what_is_written(
    tmp_path: Path,
    model: str,
    swept: list[str],
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = request.getfixturevalue(model)
    own = ["task=grammar/tense,grammar/depth", "task.n_train=400", "granularity.layers=null", *swept]
    assert cli.main(["-m", *words(tmp_path, name, *own)]) == 0
    found = re.search(r"^at most about ([\d.]+) (kB|MB) of new ", capsys.readouterr().err, re.MULTILINE)
    assert found is not None
    files = [
        *tmp_path.glob("representations/*/shard-*/layer-*"),
        *tmp_path.glob("representations/*/shard-*/emb*"),
    ]
    metadata = [pq.read_metadata(path) for path in files]
    # without compression, which does much for the few different words of a tiny model
    written = sum(
        each.row_group(row).total_byte_size for each in metadata for row in range(each.num_row_groups)
    )
    assert float(found[1]) * {"kB": 1e3, "MB": 1e6}[found[2]] == pytest.approx(written, rel=0.2)
    assert sum(path.stat().st_size for path in files) < 1.2 * written


def test_the_disk_of_several_statistics_is_not_said_to_be_that_of_one(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    several = ["analysis=roles", "analysis.sequences=2", "analysis.length=8"]
    assert cli.main(["-m", *words(tmp_path, tiny_bert, *several)]) == 0
    log = capsys.readouterr().err
    assert "size of the vectors unknown" in log
    assert len(list((tmp_path / "representations").iterdir())) == 2


def test_the_time_is_estimated_once_there_are_records(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["-m", *words(tmp_path, tiny_bert, TWO)]) == 0
    log = capsys.readouterr().err
    assert "time unknown until the first job is done" in log
    assert re.search(r"^job 2 of 2: .*task=grammar/depth \(\S+ elapsed, \w.* remaining\)$", log, re.MULTILINE)
    assert cli.main(["-m", *words(tmp_path, tiny_bert, "task=grammar/length,grammar/depth")]) == 0
    log = capsys.readouterr().err
    assert re.search(r"of new vectors, (under|about) \d+ (s|min)$", log, re.MULTILINE)


def test_a_failing_job_does_not_change_the_plan_of_others(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = words(tmp_path / "a", tiny_bert)
    assert cli.main(["-m", *alone]) == 0
    plan, *_ = capsys.readouterr().err.split("job 1 of ")
    mamba = make_mamba(tmp_path / "mamba")
    several = words(tmp_path / "b", f"{tmp_path}/nowhere,{tiny_bert}", "seed=1111,-1")
    assert cli.main(["-m", *several]) == 2
    printed = capsys.readouterr()
    assert plan_of(printed.err) == {"jobs": 4, "cached": 0, "to run": 1, "on cached vectors": 0, "invalid": 3}
    assert plan.splitlines()[1] in printed.err.splitlines()  # the same estimate
    assert "1 of 4 jobs done" in printed.out
    assert printed.err.count("failed: model folder") == 1
    assert printed.err.count("failed: seed is -1") == 2
    assert cli.main(["-m", *words(tmp_path / "c", f"{mamba},{tiny_bert}")]) == 2
    assert "1 of 2 jobs done" in capsys.readouterr().out


def test_nothing_is_prepared_twice(tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[str] = Counter()
    build, digest = GrammarTask.build, digests._digest_file

    def counted_build(self: GrammarTask) -> Any:  # noqa: ANN401
        read[self.name] += 1
        return build(self)

    def counted_digest(path: Path) -> str:
        read[path.name] += 1
        return digest(path)

    monkeypatch.setattr(GrammarTask, "build", counted_build)
    monkeypatch.setattr(digests, "_digest_file", counted_digest)
    swept = [TWO, "granularity=head,layer", "task.limit=40,50"]
    assert cli.main(["-m", *words(tmp_path, tiny_bert, *swept)]) == 0
    assert read["grammar/tense"] == read["grammar/depth"] == 1
    assert read["model.safetensors"] == 1


def test_warnings_of_the_preparation_are_in_the_log_of_their_job(
    tmp_path: Path, tiny_gpt2: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["-m", *words(tmp_path, tiny_gpt2, "pooling=first,last")]) == 0
    assert capsys.readouterr().err.count("pooling=first: in a causal model") == 1
    logs = [path.read_text() for path in sorted(tmp_path.glob("runs/*/*/run.log"))]
    assert ["pooling=first: in a causal model" in log for log in logs] == [True, False]
    assert all(re.search(rf"job {number + 1} of 2: .*pooling=", log) for number, log in enumerate(logs))


def test_with_other_launchers_the_plan_comes_first_and_jobs_are_numbered(
    tmp_path: Path, tiny_bert: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="the extra 'joblib' is not installed")
    own = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", TWO]
    assert cli.main(["-m", *words(tmp_path, tiny_bert, *own)]) == 0
    assert "2 jobs, 0 cached, 2 to run" in capfd.readouterr().err
    logs = [path.read_text() for path in sorted(tmp_path.glob("runs/*/*/run.log"))]
    assert [re.findall(r"job \d of 2: ", log) for log in logs] == [["job 1 of 2: "], ["job 2 of 2: "]]


def test_a_sweep_in_python_returns_the_rows_that_are_loaded(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own: dict[str, Any] = {"task": ["grammar/tense", "grammar/depth"], "granularity": ["head", "layer"]}
    frame = probing.sweep(words(tmp_path, tiny_bert), **own)
    assert "4 of 4 jobs done" in capsys.readouterr().out
    by = ["task", "granularity", "layer", "head"]
    loaded = probing.load_results(tmp_path)
    pd.testing.assert_frame_equal(
        frame.sort_values(by, ignore_index=True), loaded.sort_values(by, ignore_index=True)
    )


FAILED: list[tuple[Sequence[str], int]] = [(["granularity.layers=[0],[99]"], 1), (["seed=1,-1"], 1)]


@pytest.mark.parametrize(("swept", "done"), FAILED)
def test_failed_jobs_are_named_once_all_others_have_run(
    tmp_path: Path, tiny_bert: Path, swept: list[str], done: int
) -> None:
    own = [*[word for word in words(tmp_path, tiny_bert) if "layers" not in word], *swept]
    with pytest.raises(
        ProbingError, match=r"1 of 2 jobs failed: .*=\S*(99|-1).*\(log: .*failed='warn'"
    ) as caught:
        probing.sweep(own)
    assert "\n" not in str(caught.value)
    frame = probing.sweep(own, failed="warn")
    assert frame["key"].nunique() == done
    assert set(frame["key"]) == set(probing.load_results(tmp_path)["key"])


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ({"overrides": 3}, "sweep: overrides"),
        ({"failed": "maybe"}, "sweep: failed"),
        ({"task": []}, "task: the list of values to sweep over is empty"),
        ({"task": "grammar/nope"}, "there is no task=grammar/nope"),
        (
            {"overrides": [{"task": "grammar/tense"}, {"task": "grammar/depth"}]},
            r"sweep: task is given twice; give its values as one list, task=\[\.\.\.\]",
        ),
        ({"task": object()}, "task: a value of type object cannot be an option"),
    ],
)
def test_a_wrong_call_is_refused_in_one_line(call: dict[str, Any], problem: str) -> None:
    with pytest.raises(ProbingError, match=problem):
        probing.sweep(**call)
