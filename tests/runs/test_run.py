"""Runs on a tiny model: nothing is done twice, nothing is lost, and mistakes leave no trace."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import probing
from probing.analyses.probe import ProbeAnalysis
from probing.cli import main as cli
from probing.errors import ProbingError
from tests.tiny import make_mamba

pytestmark = pytest.mark.slow

SMALL = ["task.n_train=80", "task.n_dev=40", "task.n_test=40", "extract.threads=1"]


def overrides(root: Path, model: Path, *more: str) -> list[str]:
    return [f"paths.root={root}", "model=hf", f"model.name={model}", *SMALL, *more]


def written(root: Path, pattern: str) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in root.glob(pattern)}


def test_a_run_ends_in_a_frame_a_picture_and_a_table(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(overrides(tmp_path, tiny_bert)) == 0
    frame = probing.load_results(tmp_path)
    assert frame[["layer", "head"]].to_numpy().tolist() == [[la, he] for la in range(3) for he in range(4)]
    assert set(frame["model"]) == {"tiny-bert"}
    assert frame["test"].between(frame["test_low"], frame["test_high"]).all()
    assert frame["majority"].between(0.4, 0.6).all()
    assert (frame[["n_train", "n_dev", "n_test", "n_classes"]].iloc[0] == [80, 40, 40, 2]).all()
    (run,) = (tmp_path / "runs").iterdir()
    assert {path.name for path in run.iterdir()} == {
        "run.log",
        "config.yaml",
        "task.yaml",
        "grid.png",
        "grid.svg",
        "grid.pdf",
        "grid.csv",
    }
    pd.testing.assert_frame_equal(
        pd.read_csv(run / "grid.csv")[["dev", "test"]], frame[["dev", "test"]], check_dtype=False
    )
    printed = capsys.readouterr().out
    assert "best: layer" in printed
    assert f"{100 * frame['test'].max():.1f}*" in printed


def test_a_second_run_does_nothing_and_says_so(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = overrides(tmp_path, tiny_bert)
    first = probing.run(arguments)
    before = written(tmp_path, "results/*") | written(tmp_path, "representations/*/shard*/*")
    monkeypatch.setattr(ProbeAnalysis, "run_part", None)
    monkeypatch.setattr("probing.models.loading.load_model", None)
    capsys.readouterr()
    again = probing.run(arguments)
    assert "nothing to extract or train" in capsys.readouterr().err
    pd.testing.assert_frame_equal(first, again)
    assert written(tmp_path, "results/*") | written(tmp_path, "representations/*/shard*/*") == before


def test_a_changed_probe_trains_without_extracting(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probing.run(overrides(tmp_path, tiny_bert))
    monkeypatch.setattr("probing.models.loading.load_model", None)
    probing.run(overrides(tmp_path, tiny_bert, "probe.l2=[0.5]"))
    frame = probing.load_results(tmp_path)
    assert frame["key"].nunique() == 2
    assert set(frame["l2"]) > {0.5}


@pytest.mark.parametrize(
    "change",
    ["seed=5", "pooling=mean", "granularity=layer", "probe=sklearn", "task=grammar/length", "task.seed=3",
     "granularity.layers=[1]", "extract.dtype=bfloat16", "extract.storage=float16", "extract.max_length=20",
     "task.metric=macro_f1", "model.pretrained=false", "model.label=other", "probe.standardize=false"],
)  # fmt: skip
def test_what_the_result_depends_on_is_in_its_key(tmp_path: Path, tiny_bert: Path, change: str) -> None:
    from probing.config.compose import compose_config, plain_values
    from probing.config.run_config import build_config
    from probing.runs.prepare import prepare

    def key(*more: str) -> str:
        config = build_config(plain_values(compose_config(overrides(tmp_path, tiny_bert, *more))))
        return prepare(config).spec.key

    assert key(change) != key()
    assert key("extract.batch_tokens=99", f"paths.root={tmp_path}/b", "figure.order=score") == key()


def test_overwrite_says_what_may_be_redone(tmp_path: Path, tiny_bert: Path) -> None:
    arguments = overrides(tmp_path, tiny_bert)
    first = probing.run(arguments)
    before = written(tmp_path, "results/*")
    (path,) = map(Path, before)
    probing.run([*arguments, "overwrite=always"])
    assert written(tmp_path, "results/*").keys() == before.keys()
    assert written(tmp_path, "results/*") != before
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ProbingError, match=r"damaged .* overwrite=missing computes it again"):
        probing.run([*arguments, "overwrite=never"])
    pd.testing.assert_frame_equal(probing.run(arguments), first)


def test_a_damaged_cache_is_made_again_in_the_middle_of_a_run(tmp_path: Path, tiny_bert: Path) -> None:
    first = probing.run(overrides(tmp_path, tiny_bert))
    (path,) = tmp_path.glob("representations/*/shard-*/layer-02.parquet")
    content = bytearray(path.read_bytes())
    content[100] ^= 255
    path.write_bytes(content)
    again = probing.run(overrides(tmp_path, tiny_bert, "probe.l2=[1e-5,1e-4,1e-3,1e-2,0.1,0.2]"))
    assert first["test"].sub(again["test"]).abs().max() < 0.2
    assert not path.exists()


def test_a_killed_sweep_goes_on_where_it_stopped(tmp_path: Path, tiny_bert: Path) -> None:
    tasks = "task=grammar/tense,grammar/subj_number,grammar/obj_number"
    command = [sys.executable, "-m", "probing", "-m", *overrides(tmp_path, tiny_bert, tasks)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not written(tmp_path, "results/*.parquet") and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    kept = written(tmp_path, "results/*.parquet")
    assert 0 < len(kept) < 3, "it was done before it could be killed"
    assert cli.main(["-m", *overrides(tmp_path, tiny_bert, tasks)]) == 0
    assert kept.items() < written(tmp_path, "results/*.parquet").items()
    assert probing.load_results(tmp_path)["task"].nunique() == 3


def test_finished_layers_are_kept_when_a_run_is_stopped(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[int] = []
    real = ProbeAnalysis.run_part

    def stop_at_two(self: ProbeAnalysis, experiment: object, part: int) -> pd.DataFrame:
        done.append(part)
        if done == [0, 1, 2]:
            raise KeyboardInterrupt
        return real(self, experiment, part)  # type: ignore[arg-type]

    monkeypatch.setattr(ProbeAnalysis, "run_part", stop_at_two)
    assert cli.main(overrides(tmp_path, tiny_bert)) == cli.STOPPED
    assert probing.load_results(tmp_path).empty
    assert cli.main(overrides(tmp_path, tiny_bert)) == 0
    assert done == [0, 1, 2, 2]
    assert "kept from an interrupted run" in capsys.readouterr().err
    assert len(probing.load_results(tmp_path)) == 12


def test_representations_come_back_as_an_array_and_as_a_frame(tmp_path: Path, tiny_bert: Path) -> None:
    probing.run(overrides(tmp_path, tiny_bert))
    array = probing.load_representations(tmp_path)
    assert array.shape == (160, 3, 4, 8)
    assert array.dtype == np.float32
    frame = probing.load_representations(tmp_path, task="grammar/tense", layer=1, head=2, frame=True)
    assert list(frame.columns.names) == ["layer", "head", "feature"]
    np.testing.assert_array_equal(frame.to_numpy(), array[:, 1, 2])
    assert frame.index.get_level_values("split").value_counts()["train"] == 80
    assert set(frame.index.get_level_values("label")) == {"past", "present"}
    probing.run(overrides(tmp_path, tiny_bert, "pooling=mean", "granularity=layer"))
    with pytest.raises(
        ProbingError, match="more than one set of vectors: granularity is any of head, layer; name one"
    ):
        probing.load_representations(tmp_path)
    with pytest.raises(ProbingError, match="has no taks=; did you mean task"):
        probing.load_representations(tmp_path, taks="grammar/tense")
    layers = probing.load_representations(tmp_path, granularity="layer")
    assert layers.shape == (160, 4, 1, 32)
    with pytest.raises(ProbingError, match="nothing cached for model=other; cached: model=tiny-bert"):
        probing.load_representations(tmp_path, model="other")
    with pytest.raises(ProbingError, match="layer 9 is not cached"):
        probing.load_representations(tmp_path, granularity="head", layer=9)


def test_two_sizes_of_a_task_are_told_apart(tmp_path: Path, tiny_bert: Path) -> None:
    probing.run(overrides(tmp_path, tiny_bert, "granularity.layers=[0]"))
    assert probing.load_representations(tmp_path).shape == (160, 1, 4, 8)
    probing.run(overrides(tmp_path, tiny_bert))
    assert probing.load_representations(tmp_path).shape == (160, 3, 4, 8)
    probing.run(overrides(tmp_path, tiny_bert, "task.n_train=60"))
    with pytest.raises(ProbingError, match="more than one set of vectors: examples is any of") as caught:
        probing.load_representations(tmp_path)
    names = set(re.findall(r"(\w+) \(\d+ examples\)", str(caught.value)))
    sizes = {len(probing.load_representations(tmp_path, examples=name)) for name in names}
    assert sizes == {140, 160}


def test_the_same_weights_under_another_name_are_results_of_their_own(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = probing.run(overrides(tmp_path, tiny_bert))
    monkeypatch.setattr("probing.models.loading.load_model", None)
    again = probing.run(overrides(tmp_path, tiny_bert, "model.label=twin"))
    assert set(again["model"]) == {"twin"}
    np.testing.assert_array_equal(first["test"], again["test"])
    assert sorted(probing.load_results(tmp_path)["model"].unique()) == ["tiny-bert", "twin"]
    assert len(probing.load_representations(tmp_path, model="twin")) == 160


def test_runs_of_the_same_second_have_folders_of_their_own(tmp_path: Path, tiny_bert: Path) -> None:
    fixed = f"hydra.run.dir={tmp_path}/runs/now"
    for seed in (1, 2):
        probing.run(overrides(tmp_path, tiny_bert, fixed, f"seed={seed}"))
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["now", "now-2"]
    assert "seed: 2" in (tmp_path / "runs" / "now-2" / "config.yaml").read_text()


def test_a_sweep_over_settings_that_no_column_names_is_drawn_too(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = ["-m", *overrides(tmp_path, tiny_bert, "extract.max_length=20,30,-1")]
    assert cli.main([*sweep, f"hydra.sweep.dir={tmp_path}/mine"]) == 2
    printed = capsys.readouterr()
    assert "2 of 3 jobs done" in printed.out
    assert "extract.max_length=-1: extract.max_length is" in printed.err
    assert "_length=30)" in (tmp_path / "mine" / "sheet.svg").read_text()
    assert (tmp_path / "mine" / "2" / "run.log").is_file()


def test_jobs_can_run_side_by_side(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="the extra 'joblib' is not installed")
    sweep = overrides(tmp_path, tiny_bert, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert cli.main(["-m", *sweep, "task=grammar/tense,grammar/length"]) == 0
    assert "2 of 2 jobs done" in capsys.readouterr().out
    assert probing.load_results(tmp_path)["task"].nunique() == 2


def test_granularity_layer_has_the_embeddings_as_layer_minus_one(tmp_path: Path, tiny_gpt2: Path) -> None:
    frame = probing.run(overrides(tmp_path, tiny_gpt2, "granularity=layer"))
    assert frame["layer"].tolist() == [-1, 0, 1]
    assert frame["head"].isna().all()
    assert set(frame["pooling"]) == {"last"}


def test_the_untrained_twin_is_seeded_and_another_model(tmp_path: Path, tiny_bert: Path) -> None:
    twin = overrides(tmp_path, tiny_bert, "model.pretrained=false")
    first = probing.run(twin)
    pd.testing.assert_frame_equal(probing.run([*twin, "overwrite=always"]), first)
    other = probing.run([*twin, "model.seed=1"])
    assert set(first["model"]) == {"tiny-bert-untrained-0"}
    assert not np.allclose(first["test"].astype(float), other["test"].astype(float))


def test_one_failed_job_stops_no_other(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mamba = make_mamba(tmp_path / "mamba")
    root = tmp_path / "out"
    models = f"model.name={tmp_path}/nowhere,{mamba},{tiny_bert}"
    assert cli.main(["-m", f"paths.root={root}", "model=hf", models, *SMALL]) == 2
    printed = capsys.readouterr()
    assert "1 of 3 jobs done" in printed.out
    assert "2 failed:" in printed.err
    listed = printed.err[printed.err.index("2 failed:") :]
    assert "nowhere does not exist" in listed
    assert "mamba" in listed
    (sweep,) = (root / "runs").iterdir()
    assert (sweep / "sheet.png").is_file()
    assert "does not exist" in (sweep / "0" / "run.log").read_text()
    assert set(probing.load_results(root)["model"]) == {"tiny-bert"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model=nope"], "there is no model=nope"),
        (["task=grammar/nope"], "there is no task=grammar/nope"),
        (["probe.l22=3"], "unknown option probe.l22"),
        (["model=hf", "model.name=./nowhere"], "model folder nowhere does not exist"),
        (["model=hf", "model.name=no/such-model"], "no/such-model: not a local folder"),
        (["task=senteval/tense", "task.root=nowhere"], "nowhere/probing/past_present.txt: no such file"),
        (["model=hf", "model.name={mamba}"], "mamba"),
        (["granularity.layers=[99]"], "the model has no layer 99"),
        (["model.sha256=abc"], "not the expected abc"),
        (["-m", "task=grammar/tense,grammar/nope"], "there is no task=grammar/nope"),
        (["-m", "task=glob(nope/*)"], "matches nothing"),
        (["-m", "task=glob(nope*)"], "matches nothing"),
        (["experiment=anatomy"], "is a sweep; add -m, as in probing -m"),
        (["--bogus"], "unknown flag --bogus; did you mean"),
        (["model=hf", "model.name={tiny}", "model.revision=v2"], "is local and has no revisions"),
        (["model=hf", "model.name={tiny}/config.json"], "is a file; give the model's folder"),
        (["model=hf", "model.name={mute}"], "the model has no tokenizer"),
        (["model=hf", "model.name={torn}"], "cannot be read as safetensors"),
        (["model=hf", "model.name={odd}"], "config.json: cannot be read as JSON"),
    ],
)
def test_a_mistake_is_one_line_exits_with_2_and_writes_nothing(
    tmp_path: Path,
    tiny_bert: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    root = tmp_path / "out"
    mamba = make_mamba(tmp_path / "mamba")
    broken = {name: Path(shutil.copytree(tiny_bert, tmp_path / name)) for name in ("mute", "torn", "odd")}
    for path in broken["mute"].glob("*token*"):
        path.unlink()
    (broken["torn"] / "model.safetensors").write_bytes(b"no weights")
    (broken["odd"] / "config.json").write_text("{")
    arguments = [argument.format(mamba=mamba, tiny=tiny_bert, **broken) for argument in arguments]
    base = (
        []
        if any(argument.startswith("model=") for argument in arguments)
        else ["model=hf", f"model.name={tiny_bert}"]
    )
    assert cli.main([f"paths.root={root}", *base, *arguments]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("probing: ")
    assert message in last
    assert not root.exists()


def test_a_full_disk_is_one_line_too(tmp_path: Path, tiny_bert: Path) -> None:
    limited = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); " \
        "from probing.cli.main import main; import probing.cli.run; " \
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000)); sys.exit(main(sys.argv[1:]))"  # fmt: skip
    command = [sys.executable, "-B", "-c", limited, *overrides(tmp_path / "out", tiny_bert)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 2, ended.stderr
    assert "File too large" in ended.stderr.strip().splitlines()[-1]
    assert not list((tmp_path / "out").glob("representations/*/shard-*"))
    assert cli.main(overrides(tmp_path / "out", tiny_bert)) == 0
