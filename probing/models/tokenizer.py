"""The tokenizer of a model, loaded without the model: importing this module imports no model class."""

from __future__ import annotations

from typing import Any

from transformers import AutoTokenizer
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from probing.models.model_files import ModelFiles


def load_tokenizer(files: ModelFiles) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a model; transformers raises errors of many kinds on damaged files."""
    if files.gguf is not None:
        own: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(files.folder, gguf_file=files.gguf.name)
        return own
    remote = files.config.trust_remote_code
    options: dict[str, Any] = {"trust_remote_code": remote}
    if files.tokenizer_folder != files.folder:  # only the model's configuration may state its kind
        from transformers import AutoConfig

        options["config"] = AutoConfig.from_pretrained(files.folder, **options)
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(files.tokenizer_folder, **options)
    return tokenizer
