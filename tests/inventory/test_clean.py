"""`probing clean`: it removes what nothing refers to, and nothing else; runs give the same without it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import probing
from experiments.benchmarks.shelf import build
from probing.analyses.roles import RolesAnalysis
from probing.cli.clean import command as clean
from probing.cli.ls import command as ls
from probing.cli.show import command as show
from probing.errors import ProbingError
from probing.inventory.cleaning import remove
from probing.inventory.leftovers import FINDERS
from probing.inventory.unused import disk_size, outputs
from probing.io.files import own_name
from probing.io.locks import held, lock_file
from probing.results.footers import read_footers
from probing.runs.folder import new_run_folder
from tests.io.test_litter import aged, dead

KEY = "0123456789abcdef"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four results of two of four requests, each with two shards."""
    folder = tmp_path_factory.mktemp("built") / "outputs"
    build(folder, results=4, shards=8, requests=4)
    return folder


@pytest.fixture
def root(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "outputs"))


def files(root: Path) -> dict[str, int]:
    """Everything below a folder, by the time of its last change."""
    return {
        str(path.relative_to(root)): path.lstat().st_mtime_ns
        for path in root.rglob("*")
        if "locks" not in (path.name, path.parent.name)
    }


def cleaned(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    clean([*words, f"paths.root={root}"])
    return capsys.readouterr().out


def store(root: Path, *, used: bool) -> Path:
    listed = probing.stored(root, "vectors")
    return Path(listed["path"][listed["results"].gt(0) == used].iloc[0])


def result(root: Path) -> Path:
    return Path(probing.stored(root)["path"][0])


def test_every_piece_has_its_size(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result(root).write_bytes(b"damaged")
    found = outputs(root)
    pieces = [piece for finder in FINDERS.values() for piece in finder(found)]
    assert {piece.kind for piece in pieces} == {"results"}
    assert all(piece.size == disk_size(piece.path) > 0 for piece in pieces)
    assert "results: 1, 7 B" in cleaned(root, capsys)


def test_vectors_without_a_result_are_listed_first_and_removed_with_yes(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(root)
    frame = probing.stored(root, "vectors")
    unused = frame[frame["results"] == 0]
    text = cleaned(root, capsys)
    assert files(root) == before
    assert "vectors: 2, " in text
    assert "the model reads the texts again" in text
    assert "2 files and folders" in text
    assert "nothing was removed" in text
    assert all(path in text for path in unused["path"])
    assert "2 files and folders removed" in cleaned(root, capsys, "--yes")
    assert not any(Path(path).exists() for path in unused["path"])
    kept = {name: when for name, when in before.items() if not any(key in name for key in unused["key"])}
    assert files(root).keys() == kept.keys()
    assert "nothing to remove" in cleaned(root, capsys)


def put_parts(root: Path) -> Path:
    (root / "results" / f".parts-{KEY}").mkdir()
    (root / "results" / f".parts-{KEY}" / "0.parquet").write_bytes(b"x")
    return root / "results" / f".parts-{KEY}"


def put_picture(root: Path) -> Path:
    folder = root / "pictures" / KEY
    folder.mkdir(parents=True)
    (folder / "pictures.json").write_text("{}")
    (folder / "result.json").write_text(f'{{"key": "{KEY}", "code": ""}}')
    return folder


def put_model(root: Path) -> Path:
    folder = root / "models" / f"tiny.grammar-tense.head.readout.prune.{KEY}"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


def put_failed_run(root: Path) -> Path:
    folder = root / "runs" / "failed"
    folder.mkdir(parents=True)
    (folder / "run.log").write_text("tiny | grammar/tense\n")
    return folder


def put_killed_run(root: Path) -> Path:
    child = os.fork()
    if child == 0:
        with new_run_folder(root / "runs" / "killed", root) as folder:
            (folder / "run.log").touch()
            (folder / "grid.png").touch()
            os._exit(0)
    os.waitpid(child, 0)
    return root / "runs" / "killed"


def put_remains(root: Path) -> Path:
    name = own_name("tmp").replace(f"-{os.getpid()}-", f"-{dead()}-")
    (root / "results" / f".{name}").write_bytes(b"half")
    return root / "results" / f".{name}"


def truncate_result(root: Path) -> Path:
    path = result(root)
    path.write_bytes(path.read_bytes()[:-100])
    return path


def flip_a_row(root: Path) -> Path:
    path = result(root)
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    return path


def rename_result(root: Path) -> Path:
    path = result(root)
    return path.rename(path.with_name(f"run.{KEY}.parquet"))


def truncate_shard(root: Path) -> Path:
    shard = next(store(root, used=True).glob("shard-*"))
    path = shard / "layer-01.parquet"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1])
    return shard


def empty_mark(root: Path) -> Path:
    shard = next(store(root, used=True).glob("shard-*"))
    (shard / "shard.json").write_bytes(b"")
    return shard


def empty_request(root: Path) -> Path:
    path = store(root, used=True) / "request.json"
    path.write_bytes(b"")
    return path


def truncate_manifest(root: Path) -> Path:
    path = next(store(root, used=True).glob("task-*.parquet"))
    path.write_bytes(path.read_bytes()[:50])
    return path


def put_given_model(root: Path) -> Path:
    folder = root / "models" / "given" / KEY
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    os.utime(folder, (time.time() - 7200,) * 2)
    return folder


KINDS: list[tuple[str, Callable[[Path], Path]]] = [
    ("parts", put_parts), ("pictures", put_picture), ("models", put_model), ("runs", put_failed_run),
    ("models", put_given_model), ("runs", put_killed_run), ("remains", put_remains),
    ("results", truncate_result), ("results", flip_a_row), ("results", rename_result),
    ("vectors", truncate_shard),
    ("vectors", empty_mark), ("vectors", empty_request), ("vectors", truncate_manifest),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "put"), KINDS)
def test_a_piece_is_named_and_only_it_is_removed(
    root: Path, capsys: pytest.CaptureFixture[str], kind: str, put: Callable[[Path], Path]
) -> None:
    clean(["--yes", f"paths.root={root}"])
    path = put(root)
    before = files(root)
    text = cleaned(root, capsys)
    assert files(root) == before
    assert f"{kind}: 1, " in text
    assert str(path) in text
    for other in FINDERS:
        if other != kind:
            assert str(path) not in cleaned(root, capsys, other, "--yes")
    assert path.exists()
    assert str(path) in cleaned(root, capsys, kind, "--yes")
    own = str(path.relative_to(root))
    assert set(before) - set(files(root)) == {
        name for name in before if name == own or name.startswith(f"{own}/")
    }


@pytest.mark.parametrize("put", [put for kind, put in KINDS if kind in ("results", "vectors")])
def test_damaged_files_are_named_and_the_others_are_still_read(
    root: Path, capsys: pytest.CaptureFixture[str], put: Callable[[Path], Path]
) -> None:
    keys = set(probing.stored(root)["key"])
    path = put(root)
    listed = probing.stored(root)
    assert set(listed["key"]) <= keys
    assert len(listed) >= 3
    assert len(probing.stored(root, "vectors")) == 4
    capsys.readouterr()
    ls([f"paths.root={root}"])
    noticed = put not in (flip_a_row, truncate_shard)  # which `clean` notices, since it reads more
    assert (str(path) in capsys.readouterr().err) == noticed
    for key in (listed["key"][0], store(root, used=True).name):
        show([key, "examples=0", f"paths.root={root}"])
        assert key in capsys.readouterr().out
    if path.suffix == ".parquet" and path.parent.name == "results" and put is not flip_a_row:
        show([path.stem.rpartition(".")[2], "examples=0", f"paths.root={root}"])
        assert f"{path}: " in capsys.readouterr().out


def test_what_probing_did_not_write_stays(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = store(root, used=False)
    (folder / "notes.txt").write_text("mine")
    probing.stored(root).to_parquet(root / "results" / f"mine.{KEY}.parquet")
    (root / "results" / "mine.parquet").write_text("mine")
    for name in ("runs/mine", "models/mine", "pictures/mine", "representations/mine"):
        (root / name).mkdir(parents=True)
        (root / name / "notes.txt").write_text("mine")
    (root / "runs" / "mine" / "run.log").touch()
    before = files(root)
    text = cleaned(root, capsys, "--yes")
    gone = {name.split("/")[1] for name in set(before) - set(files(root))}
    assert len(gone) == 1
    assert folder.name not in gone
    for path in (folder, root / "results" / f"mine.{KEY}.parquet", root / "results" / "mine.parquet"):
        assert f"{path}: " in text.split("left alone")[1]


def test_links_are_not_followed(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    (unused,) = {str(store(root, used=False))}
    Path(unused).rename(aside / Path(unused).name)
    Path(unused).symlink_to(aside / Path(unused).name)
    for kind, put in (("models", put_model), ("runs", put_failed_run), ("pictures", put_picture)):
        path = put(root)
        shutil.move(path, aside / kind)
        path.symlink_to(aside / kind)
    before = files(aside)
    cleaned(root, capsys, "--yes")
    assert files(aside) == before
    assert Path(unused).is_symlink()
    (root / "representations").rename(aside / "representations")
    (root / "representations").symlink_to(aside / "representations")
    for path in (aside / "representations").glob("*/task-*"):
        path.unlink()
    for path in (root / "results").glob("*.parquet"):
        path.unlink()
    before = files(aside)
    assert f"{root / 'representations'}: it is a link" in cleaned(root, capsys, "--yes")
    assert files(aside) == before


@pytest.mark.parametrize("kind", ["results", "parts", "vectors", "models"])
def test_what_another_process_works_on_stays(
    root: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    put: dict[str, Callable[[Path], Path]] = {
        "results": truncate_result, "parts": put_parts, "models": put_model,
        "vectors": lambda root: store(root, used=False),
    }  # fmt: skip
    path = put[kind](root)
    key = (
        path.name
        if kind == "vectors"
        else path.name.removesuffix(".parquet").replace("-", ".").split(".")[-1]
    )
    lock = lock_file(root / ("representations" if kind == "vectors" else "results"), key)
    pieces = [piece for piece in FINDERS[kind](outputs(root)) if piece.path == path]  # type: ignore[index]
    assert len(pieces) == 1
    child = os.fork()
    if child == 0:
        with held(lock):
            time.sleep(60)
        os._exit(0)
    try:
        while not lock.exists() or remove(pieces[0], outputs(root)) != "a process is working on it":
            assert path.exists()
            time.sleep(0.01)
        cleaned(root, capsys, "--yes", kind)
        assert path.exists()
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert str(path) in cleaned(root, capsys, "--yes", kind)
    assert not path.exists()


def test_vectors_stay_while_a_run_is_at_work(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pieces = list(FINDERS["vectors"](outputs(root)))
    with new_run_folder(root / "runs" / "now", root) as folder:
        (folder / "run.log").touch()
        text = cleaned(root, capsys, "--yes")
        assert "removed" not in text.split("left alone")[0]
        assert f"the run in {folder} may be reading it" in text
        assert "has started meanwhile" in remove(pieces[0], outputs(root))
        assert folder.is_dir()
        given = put_given_model(root)
        assert str(given) not in cleaned(root, capsys, "models")
    assert "vectors: 2, " in cleaned(root, capsys, "--yes", "vectors")
    assert str(given) in cleaned(root, capsys, "models")


def test_what_changes_after_it_was_found_stays(root: Path) -> None:
    path = truncate_result(root)
    (piece,) = FINDERS["results"](outputs(root))
    path.write_bytes(b"written again")
    assert remove(piece, outputs(root)) == "it has changed meanwhile"
    assert path.exists()


def test_vectors_stay_that_a_damaged_result_may_be_of(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = truncate_result(root)
    assert "a damaged result may have been of it" in cleaned(root, capsys, "--yes", "vectors")
    assert len(probing.stored(root, "vectors")) == 4
    path.unlink()
    cleaned(root, capsys, "--yes", "vectors")
    assert len(probing.stored(root, "vectors")) == 2


def test_only_what_is_old_enough_is_removed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = aged(put_parts(root), 40 * 24 * 3600), root / "results" / ".parts-fedcba9876543210"
    new.mkdir()
    text = cleaned(root, capsys, "parts", "older_than=30d", "--yes")
    assert not old.exists()
    assert new.exists()
    assert str(new) not in text


def test_jobs_of_a_sweep_at_work_stay(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = root / "runs" / "sweep"
    for name in ("0", "1", "2"):
        aged(sweep / name / "run.log", 7200)
        os.utime(sweep / name, (time.time() - 7200,) * 2)
    (sweep / "2" / "run.log").touch()  # it reads its task, and has not marked its folder yet
    with new_run_folder(sweep / "3", root):
        assert "nothing to remove" in cleaned(root, capsys, "runs")
    cleaned(root, capsys, "runs", "--yes")
    assert sorted(path.name for path in sweep.iterdir()) == ["2", "3"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["vector"], "did you mean vectors?"),
        (["--yse"], "did you mean --yes?"),
        (["older_than=30"], "give hours, days or weeks"),
        (["task=a"], "cannot use task="),
    ],
)
def test_a_mistake_is_explained(root: Path, words: list[str], message: str) -> None:
    with pytest.raises(ProbingError, match=r".") as error:
        clean([*words, f"paths.root={root}"])
    assert message in str(error.value)


@pytest.mark.slow
def test_runs_give_the_same_after_everything_was_cleaned(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Baselines, inner runs and hidden states of objectives are referred to; a model may be probed itself."""
    root = tmp_path / "outputs"
    same = [f"paths.root={root}", "task.n_train=60", "task.n_dev=30", "task.n_test=30", "probe.l2=[1e-2]"]
    bert = ["model=hf", f"model.name={tiny_bert}"]
    runs = [
        [*bert, "baseline=control", "pooling=mean"],
        [*bert, "analysis=entropy"],
        [*bert, "analysis=prune", "objective=readout", "analysis.share=0.4"],
    ]
    before = [probing.run([*words, *same]) for words in runs]
    (pruned,) = (root / "models").iterdir()
    of_pruned = ["model=hf", f"model.name='{pruned}'"]
    before.append(probing.run([*of_pruned, *same]))
    assert "nothing to remove" in cleaned(root, capsys)
    kept = files(root / "results")
    for words, frame in zip([*runs, of_pruned], before, strict=True):
        pd.testing.assert_frame_equal(probing.run([*words, *same]), frame)
    assert files(root / "results") == kept  # all were found

    (root / "results" / f"{pruned.name}.parquet").unlink()  # the model stays, since a result is of it
    text = cleaned(root, capsys, "--yes")
    assert pruned.is_dir()
    assert "pictures: 1, " in text
    for path in (root / "results").glob("*"):
        path.unlink()
    text = cleaned(root, capsys, "--yes")
    assert not list((root / "representations").iterdir())
    assert "models: 1, " in text
    for words, frame in zip(runs[:2], before, strict=False):
        pd.testing.assert_frame_equal(probing.run([*words, *same]), frame)


@pytest.mark.parametrize("resumed", [False, True])
def test_every_statistic_that_a_result_is_of_is_referred_to(
    tmp_path: Path,
    tiny_bert: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    resumed: bool,
) -> None:
    root = tmp_path / "outputs"
    words = [f"paths.root={root}", "model=hf", f"model.name={tiny_bert}", "task.n_train=30", "task.n_dev=10",
             "task.n_test=10", "analysis=roles", "analysis.sequences=2", "analysis.length=8"]  # fmt: skip
    if resumed:
        with monkeypatch.context() as patch:
            patch.setattr(RolesAnalysis, "conclude", interrupted)
            with pytest.raises(ProbingError, match="full"):
                probing.run(words)
        (parts,) = (root / "results").glob(".parts-*")
        assert len(list(parts.iterdir())) == 3
    frame = probing.run(words)
    keys = {path.name for path in (root / "representations").iterdir()}
    assert len(keys) == 2  # sums over tokens, and sums over words
    (footer,) = read_footers(root / "results")[0]
    assert footer.vectors == keys
    assert set(probing.stored(root, "vectors")["results"]) == {1}
    assert cleaned(root, capsys, "--yes") == "nothing removed\n"
    assert {path.name for path in (root / "representations").iterdir()} == keys
    pd.testing.assert_frame_equal(probing.run(words), frame)
    result(root).unlink()
    cleaned(root, capsys, "--yes")
    assert not list((root / "representations").iterdir())


def interrupted(*_: object) -> None:
    raise OSError("full")


def test_vectors_stay_of_a_run_that_ends_while_the_folder_is_read(root: Path) -> None:
    found = outputs(root)
    (piece, *_) = FINDERS["vectors"](found)
    own = result(root)
    shutil.copy(own, own.with_name("new.result.0123456789abcdef.parquet"))
    assert "a run has ended meanwhile" in remove(piece, found)
    assert piece.path.exists()


def test_the_folder_of_a_run_that_started_meanwhile_stays(root: Path) -> None:
    found = outputs(root)
    with new_run_folder(root / "runs" / "now", root) as folder:
        (folder / "run.log").write_text("started")
        pieces = [piece for piece in FINDERS["runs"](found) if piece.path == folder]
        assert [remove(piece, found) for piece in pieces] == ["a run is at work there"]
        assert folder.is_dir()
