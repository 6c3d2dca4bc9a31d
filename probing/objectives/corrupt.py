"""Targets of a language model: labels for the tokens of a batch, and inputs that hide them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.objectives.objective import Batch

if TYPE_CHECKING:
    from torch import Tensor

    from probing.models.loading import LoadedModel

IGNORED = -100
"""Label of a token that is not predicted, as in transformers."""
_SENTINEL = "<extra_id_{}>"


@dataclass(frozen=True)
class Corruption:
    """Selection of the tokens to predict, based only on a text's own tokens and the seed.

    Attributes:
        loaded: Model and tokenizer.
        share: Share of the tokens of a text that are masked, not counting special tokens; at least one is.
        seed: Seed of the choice of masked tokens.
    """

    loaded: LoadedModel
    share: float
    seed: int

    def shifted(self, batch: Batch) -> Batch:
        """Predict each token from those before it (Radford et al. 2018, equation 1)."""
        ids = batch.inputs["input_ids"]
        labels = torch.full_like(ids, IGNORED)
        labels[:, :-1] = torch.where(batch.tokens[:, 1:] & batch.tokens[:, :-1], ids[:, 1:], IGNORED)
        return _labelled(batch, labels)

    def masked(self, batch: Batch) -> Batch:
        """Predict masked tokens (Devlin et al. 2019, section 3.1); all selected tokens are masked.

        Raises:
            ProbingError: If the tokenizer has no mask token.
        """
        mask = self.loaded.tokenizer.mask_token_id
        if mask is None:
            raise ProbingError(
                "objective=lm: the tokenizer has no mask token; use another model or objective"
            )
        ids, chosen = batch.inputs["input_ids"], self._chosen(batch)
        hidden = {**batch.inputs, "input_ids": ids.masked_fill(chosen, mask)}
        return _labelled(replace(batch, inputs=hidden), ids.masked_fill(~chosen, IGNORED))

    def denoised(self, batch: Batch) -> Batch:
        """Let a decoder predict a text whose tokens are masked (Lewis et al. 2020), or only those tokens.

        The latter, with a sentinel for each, follows T5 (Raffel et al. 2020, section 3.1.4).
        """
        mask = self.loaded.tokenizer.mask_token_id
        ids, chosen = batch.inputs["input_ids"], self._chosen(batch)
        if mask is not None:
            hidden = {**batch.inputs, "input_ids": ids.masked_fill(chosen, mask)}
            labels = ids.masked_fill(~batch.tokens, IGNORED)
            return self._decoded(replace(batch, inputs=hidden), list(labels))
        sentinels = self._sentinels(int(chosen.sum(1).max()))
        hidden_ids, targets = ids.clone(), []
        for row, places in enumerate(chosen):
            at = places.nonzero()[:, 0]
            marks = sentinels[: len(at)]
            targets.append(torch.stack([marks, ids[row, at]], 1).flatten())
            hidden_ids[row, at] = marks
        return self._decoded(replace(batch, inputs={**batch.inputs, "input_ids": hidden_ids}), targets)

    def translated(self, batch: Batch, seconds: Sequence[str]) -> Batch:
        """Let a decoder predict a second text from the first."""
        limit = self.loaded.max_length
        encoded = self.loaded.tokenizer(
            text_target=list(seconds), truncation=limit is not None, max_length=limit
        )
        return self._decoded(batch, [torch.tensor(ids) for ids in encoded["input_ids"]])

    def _decoded(self, batch: Batch, targets: Sequence[Tensor]) -> Batch:
        labels = torch.nn.utils.rnn.pad_sequence(list(targets), batch_first=True, padding_value=IGNORED)
        shift = getattr(self.loaded.model, "prepare_decoder_input_ids_from_labels", None)
        if shift is None:
            kind = self.loaded.model.config.model_type
            raise ProbingError(f"objective=lm: {kind} has no start of the decoder; use another model")
        inputs = {
            **batch.inputs,
            "decoder_input_ids": shift(labels=labels.to(self.loaded.model.device)).cpu(),
        }
        inputs["decoder_attention_mask"] = (labels != IGNORED).long()
        return _labelled(replace(batch, inputs=inputs), labels)

    def _sentinels(self, count: int) -> Tensor:
        tokenizer = self.loaded.tokenizer
        names = [_SENTINEL.format(number) for number in range(count)]
        ids = [tokenizer.convert_tokens_to_ids(name) for name in names]
        known = [i for i in ids if i is not None and i != tokenizer.unk_token_id]
        if len(known) < count:
            raise ProbingError(
                f"objective=lm: the tokenizer has neither a mask token nor {count} sentinels; give pairs of "
                "texts, or use another model"
            )
        return torch.tensor(known)

    def _chosen(self, batch: Batch) -> Tensor:
        """Return the tokens that are masked, bool (b, seq)."""
        ids = batch.inputs["input_ids"]
        special = torch.tensor(self.loaded.tokenizer.all_special_ids)
        free = batch.tokens & ~torch.isin(ids, special)
        chosen = torch.zeros_like(free)
        for row, places in enumerate(free):
            at = places.nonzero()[:, 0].numpy()
            if len(at):
                digest = hashlib.blake2b(ids[row, at].numpy().tobytes(), digest_size=8).digest()
                generator = np.random.default_rng([self.seed, int.from_bytes(digest, "big")])
                count = max(1, round(self.share * len(at)))
                chosen[row, torch.from_numpy(generator.choice(at, count, replace=False))] = True
        return chosen


def _labelled(batch: Batch, labels: Tensor) -> Batch:
    counts = (labels != IGNORED).sum(1).numpy().astype(np.float64)
    return replace(batch, extra={"labels": labels}, counts=counts)
