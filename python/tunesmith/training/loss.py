"""The loss: cross-entropy of the next token at supervised places only, summed a row, never all logits at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tunesmith.training.collate import MASKED, Batch

if TYPE_CHECKING:
    import torch

# Logits held at once, fp32: 2^26 are 256 MB. 16k tokens x 128k words whole would be 8 GB.
CHUNK_LOGITS = 1 << 26


class RowLoss:
    """Measures each segment's loss under a causal language model.

    The hidden states of supervised tokens alone go through the output head, in chunks whose logits are recomputed in
    the backward pass. Whether head and decoder can be taken apart is tried on the model at hand (some scale or cap
    their logits); where not, the model's own forward gives the logits of supervised places.
    """

    def __init__(self, model: Any, *, chunk_logits: int = CHUNK_LOGITS) -> None:
        self._causal = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._chunk = max(1, chunk_logits // self._causal.config.get_text_config().vocab_size)
        self.apart = self._can_be_taken_apart()

    def __call__(self, batch: Batch) -> torch.Tensor:
        """Sum the loss of every segment.

        Returns:
            ``float32[n]``, nats, with gradient; 0 for a segment without supervised tokens.
        """
        import torch

        places = (batch.labels[0] != MASKED).nonzero().squeeze(1)
        targets = batch.labels[0, places]
        if self.apart:
            hidden = self._causal.get_decoder()(**batch.model_inputs()).last_hidden_state[0, places]
            losses = self._chunked(hidden, targets)
        else:
            logits = self._causal(**batch.model_inputs(), logits_to_keep=places).logits[0]
            losses = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="none")
        return losses.new_zeros(len(batch.lengths)).index_add(0, batch.owner()[places], losses)

    def _chunked(self, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        import torch
        from torch.utils.checkpoint import checkpoint

        if len(targets) <= self._chunk:
            return self._head(hidden, targets)
        parts = [
            checkpoint(self._head, h, t, use_reentrant=False, preserve_rng_state=False)
            for h, t in zip(hidden.split(self._chunk), targets.split(self._chunk), strict=True)
        ]
        return torch.cat(parts)

    def _head(self, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        import torch

        logits = self._causal.get_output_embeddings()(hidden).float()
        return torch.nn.functional.cross_entropy(logits, targets, reduction="none")

    def _can_be_taken_apart(self) -> bool:
        import torch

        causal = self._causal
        training = causal.training
        causal.eval()
        one = {
            "input_ids": torch.arange(4, device=causal.device)[None],
            "position_ids": torch.arange(4, device=causal.device)[None],
            "use_cache": False,
            "cu_seqlens": torch.tensor([0, 4], dtype=torch.int32, device=causal.device),
            "segment_lengths": (4,),
            "max_segment": 4,
        }
        try:
            with torch.no_grad():
                whole = causal(**one).logits
                parts = causal.get_output_embeddings()(causal.get_decoder()(**one).last_hidden_state)
            same = whole.shape == parts.shape and torch.allclose(whole.float(), parts.float(), rtol=1e-3, atol=1e-5)
        except (AttributeError, TypeError):
            same = False
        causal.train(training)
        return bool(same)


def objective(row_losses: torch.Tensor, weights: torch.Tensor, denominator: torch.Tensor) -> torch.Tensor:
    """Combine row losses into what is minimised.

    The sum over rows of weight x loss, divided by the sum of weight x supervised tokens over the **whole optimizer
    step** (all accumulated passes), so that the gradient does not depend on how a step is cut into passes, and a row
    of weight 2 counts like the row twice.

    Args:
        row_losses: ``float32[n]``, summed a row, nats.
        weights: ``float32[n]``.
        denominator: The step's weighted tokens; 0 is taken as 1.
    """
    import torch

    return (row_losses * weights).sum() / torch.where(denominator > 0, denominator, torch.ones_like(denominator)).to(row_losses.dtype)
