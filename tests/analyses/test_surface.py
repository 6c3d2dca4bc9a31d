"""`analysis=surface` end to end, against the attention of plain transformers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoModelForSeq2SeqLM, AutoTokenizer

import probing
from probing import capture_values, find_sites
from probing.errors import ProbingError
from probing.models.attended import Attended
from probing.models.sites import Site
from tests import tiny

SETTINGS = ["analysis=surface", "extract.device=cpu", "extract.threads=1"]
TEXTS = ["the old dog sees a cat .", "a river", "farmers walk slowly , and see horses", "the cat walks ."]
DATA = [
    {"text": text, "label": at % 2, "split": split}
    for at, text in enumerate(TEXTS)
    for split in ("train", "dev", "test")
]


def run(root: Path, model: Path, *more: str) -> pd.DataFrame:
    arguments = [f"paths.root={root}", "model=hf", f"model.name={model}", "task=table", "task.split=split"]
    return probing.run([*arguments, *SETTINGS, *more], data=pd.DataFrame(DATA))


def attentions(model: Any, folder: Path, text: str) -> tuple[list[torch.Tensor], list[str]]:  # noqa: ANN401
    """Attention weights of each layer, (heads, n, n), of a text alone, and its tokens."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    given = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        found = model(input_ids=given.input_ids, output_attentions=True).attentions
    return [each[0].double() for each in found], list(tokenizer.convert_ids_to_tokens(given.input_ids[0]))


def value(frame: pd.DataFrame, variant: str, column: str = "value") -> np.ndarray[Any, Any]:
    rows = frame[frame["variant"] == variant].sort_values(["layer", "head"])
    return rows[column].to_numpy(dtype=np.float64)


@pytest.mark.slow
@pytest.mark.parametrize("average", ["document", "token"])
@pytest.mark.parametrize(
    "make",
    [tiny.make_bert, tiny.make_gpt2, tiny.make_llama, tiny.make_t5],
    ids=["bert", "gpt2", "llama", "t5"],
)
def test_values_are_those_of_plain_transformers(
    make: Callable[[Path], Path], average: str, tmp_path: Path
) -> None:
    folder = make(tmp_path / "model")
    frame = run(tmp_path, folder, f"analysis.average={average}")
    whole = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    model = whole.get_encoder() if whole.config.is_encoder_decoder else whole
    means: list[dict[str, Any]] = []
    counts, firsts = [], []
    for text in TEXTS:
        layers, tokens = attentions(model, folder, text)
        n = len(tokens)
        causal = all(float(each.triu(1).abs().max()) == 0 for each in layers)
        rows = torch.arange(1 if causal else 0, n)
        at = torch.arange(n)
        dots = torch.tensor([token.strip("Ġ▁ ") in {".", ","} for token in tokens])
        all_layers = torch.stack(layers)
        own = {
            "self": all_layers[..., at, at][..., rows],
            "previous": torch.nn.functional.pad(all_layers[..., at[1:], at[:-1]], (1, 0))[..., rows],
            "first": all_layers[..., rows, 0],
            "punctuation": all_layers[..., rows, :][..., dots].sum(-1),
            "entropy": -torch.xlogy(all_layers, all_layers).sum(-1)[..., rows],
        }
        means.append({name: each.mean(-1).flatten().numpy() for name, each in own.items()})
        counts.append(len(rows))
        firsts.append(own["entropy"][..., 0].flatten().numpy())
    weights = None if average == "document" else counts
    for name in means[0]:
        wanted = np.average([each[name] for each in means], axis=0, weights=weights)
        np.testing.assert_allclose(value(frame, name), wanted, atol=1e-6, err_msg=name)
    if causal:  # the first token sees only itself
        assert "entropy_of_first" not in set(frame["variant"])
    else:
        np.testing.assert_allclose(value(frame, "entropy_of_first"), np.mean(firsts, 0), atol=1e-6)


@pytest.mark.slow
def test_every_measure_has_its_chance_and_an_interval_around_it(tmp_path: Path, tiny_bert: Path) -> None:
    frame = run(tmp_path, tiny_bert)
    assert (frame["value_low"] <= frame["value"]).all()
    assert (frame["value"] <= frame["value_high"]).all()
    n = np.array([len(text.split()) + 2 for text in TEXTS])
    assert value(frame, "self", "chance") == pytest.approx((1 / n).mean())
    assert value(frame, "next", "chance") == pytest.approx(((n - 1) / n**2).mean())
    assert value(frame, "entropy", "chance") == pytest.approx(np.log(n).mean())
    assert value(frame, "entropy_share", "chance") == pytest.approx(1)
    assert value(frame, "entropy_of_first", "chance") == pytest.approx(np.log(n).mean())
    assert set(frame.loc[frame["main"], "variant"]) == {
        "self", "previous", "next", "first", "separator", "punctuation",
    }  # fmt: skip
    assert "lacking" not in set(frame["variant"])
    # of all queries together the share lies between that of separators and that of the rest
    frame = run(tmp_path, tiny_bert, "analysis.average=token")
    low, high = value(frame, "separator_to_separator"), value(frame, "rest_to_separator")
    both = value(frame, "separator")
    assert (both > np.minimum(low, high)).all()
    assert (both < np.maximum(low, high)).all()


@pytest.mark.slow
def test_two_segments_join_each_text_with_the_next(tmp_path: Path, tiny_bert: Path) -> None:
    frame = run(tmp_path, tiny_bert, "analysis.segments=2")
    assert frame["n_dev"].unique().tolist() == [2]
    # the tokenizer of this model adds no special tokens to pairs
    n = [len(f"{one} {two}".split()) for one, two in zip(TEXTS[::2], TEXTS[1::2], strict=True)]
    assert value(frame, "self", "chance") == pytest.approx((1 / np.array(n)).mean())


@pytest.mark.slow
@pytest.mark.parametrize("stack", ["decoder", "cross"])
def test_stacks_of_an_encoder_decoder_model(stack: str, tmp_path: Path) -> None:
    folder = tiny.make_t5(tmp_path / "t5")
    frame = run(tmp_path, folder, f"analysis.stack={stack}")
    assert set(frame["stack"]) == {stack}
    model = AutoModelForSeq2SeqLM.from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    firsts = []
    for text in TEXTS:
        ids = tokenizer(text, return_tensors="pt").input_ids
        shifted = model.prepare_decoder_input_ids_from_labels(ids)
        with torch.no_grad():
            found = model(input_ids=ids, decoder_input_ids=shifted, output_attentions=True)
        layers = found.decoder_attentions if stack == "decoder" else found.cross_attentions
        rows = torch.stack(layers)[:, 0].double()[:, :, 1 if stack == "decoder" else 0 :, 0]
        firsts.append(rows.mean(-1).flatten().numpy())
    np.testing.assert_allclose(value(frame, "first"), np.mean(firsts, 0), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("make", [tiny.make_bert, tiny.make_llama])
def test_weighted_shares_are_of_what_heads_write(make: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = make(tmp_path / "model")
    frame = run(tmp_path, folder, "analysis.weighted=true")
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    firsts: list[NDArray[np.float64]] = []
    for text in TEXTS:
        found: dict[int, torch.Tensor] = {}

        def keep(site: Site, attended: Attended, found: dict[int, torch.Tensor] = found) -> None:
            moved: torch.Tensor = attended.values  # noqa: PD011
            written = moved.double() @ attended.factor.double().mT
            cells = attended.weights.double().unsqueeze(-1) * written.unsqueeze(2)
            found[site.layer] = cells.norm(dim=-1)[0]

        with torch.no_grad(), capture_values(model, find_sites(model).heads, keep) as read:
            read(**tokenizer(text, return_tensors="pt"))
        maps = torch.stack([found[layer] for layer in sorted(found)])
        causal = float(maps.triu(1).max()) == 0
        shares = (maps / maps.sum(-1, keepdim=True))[:, :, int(causal) :, 0].mean(-1)
        firsts.append(shares.flatten().numpy())
    np.testing.assert_allclose(value(frame, "first"), np.mean(firsts, 0), atol=1e-6)
    plain = run(tmp_path, folder)
    assert not np.allclose(value(plain, "first"), value(frame, "first"), atol=1e-4)


def test_what_cannot_be_read_is_refused_in_one_line(tmp_path: Path, tiny_bert: Path) -> None:
    with pytest.raises(
        ProbingError, match=r"analysis.stack=cross: .* has one stack of layers; leave it empty"
    ):
        run(tmp_path, tiny_bert, "analysis.stack=cross")
    with pytest.raises(ProbingError, match=r"analysis=surface: granularity=layer is not supported"):
        run(tmp_path, tiny_bert, "granularity=layer")
    with pytest.raises(ProbingError, match=r"analysis.smoothing"):
        run(tmp_path, tiny_bert, "analysis.smoothing=0.5")
