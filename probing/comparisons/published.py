"""Published accuracies as a result frame, for comparison with a run."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from probing.errors import ProbingError
from probing.results.schema import as_frame
from probing.statistics.intervals import fisher, wilson
from probing.validation.arguments import checked

# SentEval's default seed
SENTEVAL_SEED, THEIR_SEED = 1111, 123
# the authors' names of models, where they differ from those in conf/model
MODELS = {"all-MiniLM-L6-v2": "minilm"}
# the authors' folders, and the contents of their files; results of fine-tuned models are not read
FOLDERS = {
    "linear_head_wise_results": "head",
    "ds_linear_head_wise_results": "head",
    "linear_results": "layer",
    "mlp_results": "layer_mlp",
    "top_head_wise_results": "top_heads",
    "ds_top_head_wise_results": "top_heads",
}
NEEDED = {"model", "task", "layer", "head", "dev", "test"}


@dataclass(frozen=True)
class _Test:
    """SentEval's test set of a task: its name here, items, classes, and the share of train's largest class.

    The share is the score of always predicting that class. The published grids contain rows that do so.
    """

    name: str
    n: int
    classes: int | None
    majority: float


TASKS = {
    "Length": _Test("length", 10_000, 6, 0.1667),
    "WordContent": _Test("word_content", 10_000, 1000, 0.001),
    "Depth": _Test("depth", 10_000, 8, 0.1788),
    "TopConstituents": _Test("top_constituents", 10_000, 20, 0.05),
    "BigramShift": _Test("bigram_shift", 10_000, 2, 0.5),
    "Tense": _Test("tense", 10_000, 2, 0.5),
    "SubjNumber": _Test("subj_number", 10_000, 2, 0.5),
    "ObjNumber": _Test("obj_number", 10_000, 2, 0.5),
    "OddManOut": _Test("odd_man_out", 10_000, 2, 0.4987),
    "CoordinationInversion": _Test("coordination_inversion", 10_000, 2, 0.5),
    "MRPC": _Test("mrpc", 1725, 2, 0.6649),
    "TREC": _Test("trec", 500, 6, 0.188),
    "SST2": _Test("sst2", 1821, 2, 0.4992),
    "SST5": _Test("sst5", 2210, 5, 0.2308),
    "SICKEntailment": _Test("sick_e", 4927, 3, 0.5669),
    "STSBenchmark": _Test("stsb", 1379, None, 0.0),
}


@checked()
def load_published(path: str | Path) -> pd.DataFrame:
    """Read published accuracies as result rows.

    Supported are the grids of *Transformer Anatomy* (Jo & Myaeng 2020), as one Parquet table or as the folder
    of JSON files in the authors' repository, and a Parquet table of SentEval's own runs on MiniLM's heads.
    Models and tasks have the names of conf/model and conf/task, so that `compare` and `select` find the same
    grid of a run; `analysis` is "published". Intervals are Wilson's and Fisher's for SentEval's test sets.

    One row of the authors' release is kept for every cell:

    - For BERT, `linear_results` and `mlp_results` contain each whole layer and then slices of its hidden
      state as wide as a head. These slices are not heads and are left out. The table has lost their
      numbers. There the whole layer is the first row of its layer without a location, and the last with one.
    - Rows of location `fc` under `ds_linear_head_wise_results` are whole layers too; slices are left out.
    - MLP probes have a hidden size that was selected for each layer: probe `senteval[nhid=best]`.

    BERT and ELECTRA were read at the first token. The others have pooling `last`, as the paper states. The
    released code reads the position after the last token, which is padding.

    Args:
        path: A Parquet file, the folder of the repository, or its `results` folder.

    Returns:
        Columns as in `probing.results.schema.COLUMNS`; scores are fractions.

    Raises:
        ProbingError: If the path does not exist, or has neither format.

    Example:
        >>> import probing
        >>> published = probing.load_published("transformer_anatomy.parquet")  # doctest: +SKIP
        >>> probing.grid(published, model="bert_base", task="senteval/trec")  # doctest: +SKIP
    """
    where = Path(path)
    if not where.exists():
        raise ProbingError(f"{where}: no such file or folder; give a Parquet file or the authors' repository")
    table = _of_folder(where) if where.is_dir() else _of_parquet(where)
    unknown = sorted(set(table["task"]) - set(TASKS))
    if unknown:
        raise ProbingError(f"{where}: unknown task {unknown[0]!r}; known tasks are {', '.join(TASKS)}")
    return as_frame([_row(entry) for entry in table.to_dict("records")])


def _of_parquet(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ProbingError(f"{path}: not a Parquet file ({str(error).splitlines()[0]})") from error
    missing = sorted(NEEDED - set(table))
    if missing:
        raise ProbingError(
            f"{path}: no column {missing[0]!r}; published grids have {', '.join(sorted(NEEDED))}"
        )
    if "unit" not in table:
        return table.assign(unit="head", metric="acc")
    plain = table["location"].isna()
    seeds = (plain & (table["source"] == "linear_results")).map({True: SENTEVAL_SEED, False: THEIR_SEED})
    layer = table["unit"].isin(["layer", "layer_mlp"])
    cell = ["model", "task", "source", "layer"]
    doubled = table.duplicated(cell, keep="first").where(
        plain, table.duplicated([*cell, "location"], keep="last")
    )
    slices = (layer & doubled) | ((table["unit"] == "head") & (table["location"] != "head"))
    return table.assign(seed=seeds)[~slices.astype(bool)]


def _of_folder(folder: Path) -> pd.DataFrame:
    entries = [
        entry
        for parent in (folder, folder / "results")
        for name, unit in FOLDERS.items()
        for path in sorted((parent / name).glob("*.json"))
        for entry in _of_json(path, unit)
    ]
    if not entries:
        raise ProbingError(f"{folder}: contains none of {', '.join(FOLDERS)} with JSON files")
    cell = ["model", "task", "unit", "layer", "head", "n_heads"]
    return pd.DataFrame(entries).drop_duplicates(cell, keep="last")


def _of_json(path: Path, unit: str) -> Iterator[dict[str, object]]:
    """Return the entries of one file; `head` is −1 where a whole layer was read."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8")).values()
        for entry in entries:
            found, head = unit, entry.get("head", -1)
            if unit == "head" and head == -1:
                found = "layer"
            whole = found != "head" and head == -1
            if not whole and entry.get("location", "fc") != "head":
                continue
            graded = "pearson" in entry
            yield {
                "model": entry["model_name"].split("/")[-1],
                "task": entry["task"],
                "unit": found,
                "layer": entry.get("layer"),
                "head": None if whole else head,
                "n_heads": entry.get("num_head"),
                "heads": " ".join(f"{layer}.{number}" for layer, number in entry.get("heads", ())) or None,
                "metric": "pearson" if graded else "acc",
                "dev": entry["devpearson" if graded else "devacc"],
                "test": entry["pearson" if graded else "acc"],
                "spearman": entry.get("spearman"),
                "seed": entry.get("seed", SENTEVAL_SEED),
            }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ProbingError(f"{path}: not a result file of the authors ({error!r})") from error


def _row(entry: Mapping[Hashable, Any]) -> dict[str, object]:
    """Return one result row, with percentages as fractions."""
    test, unit, model = TASKS[str(entry["task"])], entry["unit"], str(entry["model"])
    graded = entry["metric"] == "pearson"
    dev, score = (float(entry[name]) / (1 if graded else 100) for name in ("dev", "test"))
    low, high = fisher(score, test.n, "pearson") if graded else wilson(round(score * test.n), test.n)
    metric = "pearson" if graded else "accuracy"
    return {
        "analysis": "published",
        "model": MODELS.get(model, model),
        "task": f"senteval/{test.name}",
        "granularity": {"layer_mlp": "layer"}.get(str(unit), unit),
        "pooling": entry.get("pooling") or ("first" if model.startswith(("bert", "electra")) else "last"),
        "probe": "senteval[nhid=best]" if unit == "layer_mlp" else "senteval",
        "seed": entry["seed"],
        "baseline": "none",
        "variant": "top" if unit == "top_heads" else None,
        "layer": entry["layer"],
        "head": entry["head"],
        "n_heads": 1 if unit == "head" else entry["n_heads"] if unit == "top_heads" else None,
        "heads": entry.get("heads"),
        "metric": metric,
        "dev": dev,
        "test": score,
        "test_low": low,
        "test_high": high,
        f"test_{metric}": score,
        **({"test_spearman": entry.get("spearman")} if graded else {}),
        "n_test": test.n,
        "n_classes": test.classes,
        "majority": test.majority,
        "key": "published",
    }
