"""Load an unmodified model and its tokenizer from the model's files."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import transformers
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.tokenization_utils_base import PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from probing.errors import ProbingError
from probing.models.broken import check_files, check_shapes, library_loads, warn_of_layers
from probing.models.family import LanguageKind, language_kind
from probing.models.gguf_file import no_progress
from probing.models.guard import guard_embeddings
from probing.models.merge import merge_adapter
from probing.models.model_files import ModelFiles
from probing.models.padding import FILLED_WITH_0, Padding, reconciled
from probing.models.pruned import cut_untrained, from_pretrained
from probing.models.text import check_reads_text, text_side
from probing.models.tokenizer import load_tokenizer
from probing.validation.shortened import shortened

Attention = Literal["sdpa", "eager"]
Purpose = Literal["read", "lm", "classify"]
"""Purpose of a model: to be read without a task head, or run with a language-model head or a classifier."""
LANGUAGE: dict[LanguageKind, Any] = {
    "causal": AutoModelForCausalLM,
    "masked": AutoModelForMaskedLM,
    "seq2seq": AutoModelForSeq2SeqLM,
}
_LONGEST = 100_000  # tokenizers without a limit report one of about 1e30

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedModel:
    """A model in evaluation mode with its tokenizer.

    Attributes:
        model: Unmodified module, whose embeddings reject indices out of range. For an encoder-decoder model
            it is the encoder; for an image-text pair such as CLIP it is the text tower.
        tokenizer: Tokenizer of the model.
        max_length: Maximum number of tokens in one input; None if the model has no limit.
        padding: Padding of texts of different lengths that share a batch.
        folder: Folder that the model was read from; None if it was made in another way.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    max_length: int | None
    padding: Padding = FILLED_WITH_0
    folder: Path | None = None

    def __repr__(self) -> str:
        """Return the classes of model and tokenizer, the number of parameters, type, device and folder."""
        size, kind = self.model.num_parameters(), str(self.model.dtype).removeprefix("torch.")
        names = f"{type(self.model).__name__}, {type(self.tokenizer).__name__}"
        place = "" if self.folder is None else f", {shortened(str(self.folder), 80)}"
        return f"LoadedModel({names}: {size:,} parameters, {kind} on {self.model.device}{place})"

    def limit(self, asked: int | None) -> int | None:
        """Return the number of tokens after which an input is truncated; None if it never is.

        Args:
            asked: Limit of the user; None or 0 leaves it to the model.
        """
        return min((each for each in (asked, self.max_length) if each), default=None)


def load_model(
    files: ModelFiles,
    *,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    attention: Attention = "sdpa",
    purpose: Purpose = "read",
) -> LoadedModel:
    """Load a model and freeze its parameters.

    Args:
        files: Files of the model.
        device: Device to compute on.
        dtype: Data type to compute in.
        attention: Attention implementation; families without `sdpa` run eager.
        purpose: Purpose of the model, which determines its task head.

    Raises:
        ProbingError: If the files do not define a model, or leave some of its weights at random values; if
            the model does not read text.
    """
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    name = files.config.name
    check_files(files)
    with library_loads(files, "configuration"):
        config = _configuration(files)
    check_reads_text(name, config)
    with library_loads(files, "tokenizer"):
        tokenizer = load_tokenizer(files)
    if files.gguf is not None:  # unpacking its weights takes a while
        log.info("reading the weights in %s", files.gguf.name)
    with library_loads(files, "weights"):
        make = _pretrained if files.config.pretrained else _untrained
        model = make(files, dtype, attention, _class(files, purpose))
    if purpose == "read":
        model = text_side(name, model)
    model.train(False).requires_grad_(False)
    guard_embeddings(model, tokenizer, name)
    nn.Module.to(model, device)
    limit = _length_limit(model, tokenizer)
    padding = reconciled(model, tokenizer, limit, classifies=purpose == "classify")
    return LoadedModel(model, tokenizer, limit, padding, files.folder)


def _class(files: ModelFiles, purpose: Purpose) -> Any:  # noqa: ANN401
    if purpose == "lm":
        return LANGUAGE[language_kind(files.settings)]
    return AutoModel if purpose == "read" else AutoModelForSequenceClassification


def _configuration(files: ModelFiles) -> PreTrainedConfig:
    config: PreTrainedConfig = (
        AutoConfig.from_pretrained(files.folder, trust_remote_code=files.config.trust_remote_code)
        if files.gguf is None
        else AutoConfig.for_model(**files.settings)
    )
    return config


def _source(files: ModelFiles) -> dict[str, Any]:
    """Return the options that make `from_pretrained` read a GGUF file; none for an ordinary folder."""
    if files.gguf is None:
        return {}
    options = {"gguf_file": files.gguf.name, "config": _configuration(files)}
    packed = getattr(transformers, "GgufConfig", None)  # newer versions may keep weights quantised
    return options if packed is None else {**options, "quantization_config": packed(dequantize=True)}


def _pretrained(files: ModelFiles, dtype: torch.dtype, attention: Attention, kind: Any) -> PreTrainedModel:  # noqa: ANN401
    _ = files.identity  # checks the digest before any weight is used
    options: dict[str, Any] = {"dtype": dtype, "trust_remote_code": files.config.trust_remote_code}
    try:
        return _from_pretrained(files, kind, attn_implementation=attention, **options)
    except ValueError as error:
        if attention == "eager" or "scaled_dot_product_attention" not in str(error):
            raise
        return _from_pretrained(files, kind, attn_implementation="eager", **options)


def _from_pretrained(files: ModelFiles, kind: Any, **options: Any) -> PreTrainedModel:  # noqa: ANN401
    adapter = files.adapter
    dtype = options["dtype"]
    if adapter is not None and files.settings.get("quantization_config"):
        raise ProbingError(
            f"adapter {adapter.folder}: cannot be merged into the quantised weights of {files.folder}; use "
            "floating-point weights of the same model"
        )
    if adapter is not None:  # merged in full precision, rounded afterwards
        options["dtype"] = torch.promote_types(dtype, torch.float32)
        if kind is AutoModelForSequenceClassification and adapter.labels is not None:
            options["num_labels"] = adapter.labels
    with no_progress() if files.gguf else nullcontext():
        model, report = from_pretrained(
            kind,
            files.folder,
            use_safetensors=True,
            ignore_mismatched_sizes=True,
            **options,
            **_source(files),
        )
    check_shapes(files.folder, report)
    warn_of_layers(model, report)
    unread = "pooler" if kind in (AutoModel, AutoModelForMaskedLM) else None
    missing = sorted(name for name in report["missing_keys"] if unread is None or unread not in name)
    if adapter is not None:
        missing = [name for name in missing if name not in adapter.shapes]
    if missing:
        why = (
            "the files belong to another architecture"
            if kind is AutoModel
            else "use objective=readout, or a checkpoint with a trained head"
        )
        raise ProbingError(
            f"model {files.config.name}: its weights lack {missing[0]} and {len(missing) - 1} "
            f"more tensors, which would stay random; {why}"
        )
    if adapter is not None:
        merge_adapter(model, adapter)
        for parameter in model.parameters():
            parameter.data = parameter.data.to(dtype)
    return model


def _untrained(files: ModelFiles, dtype: torch.dtype, attention: Attention, kind: Any) -> PreTrainedModel:  # noqa: ANN401
    remote = files.config.trust_remote_code
    config = _configuration(files)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(files.config.seed)
        options = {"attn_implementation": "eager"} if attention == "eager" else {}
        model: PreTrainedModel = kind.from_config(
            config, trust_remote_code=remote, dtype=torch.float32, **options
        )
    cut_untrained(model, files.folder)
    nn.Module.to(model, dtype)
    return model


def _length_limit(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int | None:
    """Return the smallest limit set by the tokenizer or the position embeddings."""
    limits = [_own_limit(tokenizer)]
    for name, module in model.named_modules():
        if isinstance(module, nn.Embedding) and name.endswith(("position_embeddings", "wpe")):
            # RoBERTa's positions start after the padding index
            offset = 0 if module.padding_idx is None else module.padding_idx + 1
            limits.append(module.num_embeddings - offset)
    config = model.config.get_text_config()
    limits += [getattr(config, name, None) or _LONGEST for name in ("max_position_embeddings", "n_positions")]
    limit = min(limit for limit in limits if limit > 0)  # XLNet has -1, for no limit
    return int(limit) if limit < _LONGEST else None


def _own_limit(tokenizer: PreTrainedTokenizerBase) -> float:
    limit: object = tokenizer.model_max_length
    if isinstance(limit, bool) or not isinstance(limit, int | float) or limit < 1:
        raise ProbingError(
            f"{tokenizer.name_or_path}/tokenizer_config.json: model_max_length is {limit!r}, but must be a "
            "number of tokens, 1 or more; correct this value"
        )
    return limit
