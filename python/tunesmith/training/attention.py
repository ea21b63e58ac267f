"""Attention that keeps packed segments apart: one causal SDPA a segment on the CPU, torch's varlen attention on a GPU.

transformers isolates packed segments only where it guesses them from position ids; an all-ones mask mixes them silently.
Here the segments' lengths come with the batch, no mask is made, and `assert_isolated` proves it on the model at hand.
Attention dropout is not applied (as in flash kernels); dropout elsewhere in a model is.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tunesmith.errors import ModelError

if TYPE_CHECKING:
    import torch

NAME = "tunesmith_segments"
# Arguments that some models hand to attention and that the kernels here do not know.
_UNKNOWN = ("softcap", "s_aux", "position_bias")


@contextmanager
def packed_attention(model: Any) -> Iterator[None]:
    """Switch a model to attention by segments; it gets its former one back, so that it can generate.

    Raises:
        ModelError: If the model's attention cannot be replaced.
    """
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, segment_attention)
    before = model.config._attn_implementation
    try:
        model.set_attn_implementation(NAME)
    except (ValueError, ImportError, AttributeError) as error:
        raise ModelError(f"{type(model).__name__}: its attention cannot be replaced, so it cannot be trained packed: {error}") from error
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def segment_attention(
    module: Any,  # noqa: ARG001  (the interface's signature)
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,  # noqa: ARG001
    *,
    scaling: float | None = None,
    sliding_window: int | None = None,
    cu_seqlens: torch.Tensor | None = None,
    segment_lengths: Sequence[int] = (),
    max_segment: int = 0,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Attend within each segment, causally.

    Args:
        module: The attention layer.
        query: ``[1, heads, T, d]``.
        key: ``[1, key-value heads, T, d]``; fewer heads than the query's are shared (GQA).
        value: As key.
        attention_mask: Never given.
        scaling: Of the scores; None is 1 / sqrt(d).
        sliding_window: A token attends to so many, itself included; None: to all before it.
        cu_seqlens: ``int32[n + 1]``.
        segment_lengths: Tokens of each segment; their sum is T.
        max_segment: The longest.
        **others: What the model passes besides.
    Returns:
        ``[1, T, heads, d]``, and None for the weights.
    Raises:
        ModelError: If the batch has no segments, or the model needs attention that is not supported.
    """
    if cu_seqlens is None or sum(segment_lengths) != query.shape[2] or query.shape[0] != 1:
        raise ModelError("attention by segments got no segment lengths; the model does not pass them on, so it cannot be trained packed")
    for name in _UNKNOWN:
        if others.get(name) is not None:
            raise ModelError(f"the model's attention needs `{name}`, which packed training does not support")
    window = sliding_window if sliding_window is not None and sliding_window < max_segment else None
    if query.is_cuda:
        attend = _varlen() if query.dtype != _float32() else None
        if attend is not None:
            out = attend(query, key, value, cu_seqlens, max_segment, scaling=scaling, window=window)
            return out, None
        return _block_mask(query, key, value, segment_lengths, scaling=scaling, window=window).transpose(1, 2), None
    return _each(query, key, value, segment_lengths, scaling=scaling, window=window).transpose(1, 2), None


def _float32() -> torch.dtype:
    import torch

    return torch.float32


def _each(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, lengths: Sequence[int], *, scaling: float | None, window: int | None
) -> torch.Tensor:
    """Run one SDPA a segment."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention as sdpa

    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    parts = []
    for q, k, v in zip(query.split(list(lengths), 2), key.split(list(lengths), 2), value.split(list(lengths), 2), strict=True):
        n = q.shape[2]
        mask = _window_mask(n, window, q.device) if window is not None and n > window else None
        parts.append(sdpa(q, k, v, attn_mask=mask, is_causal=mask is None, scale=scaling))
    return torch.cat(parts, dim=2)


def _window_mask(n: int, window: int, device: torch.device) -> torch.Tensor:
    import torch

    place = torch.arange(n, device=device)
    ahead = place[:, None] - place[None, :]
    return (ahead >= 0) & (ahead < window)


def _block_mask(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, lengths: Sequence[int], *, scaling: float | None, window: int | None
) -> torch.Tensor:
    """Run one SDPA under a mask that is block-diagonal and causal: the fallback on GPUs, quadratic in T."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention as sdpa

    place = torch.arange(query.shape[2], device=query.device)
    owner = torch.repeat_interleave(torch.arange(len(lengths), device=query.device), torch.tensor(lengths, device=query.device))
    ahead = place[:, None] - place[None, :]
    mask = (owner[:, None] == owner[None, :]) & (ahead >= 0)
    if window is not None:
        mask &= ahead < window
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    return sdpa(query, key, value, attn_mask=mask, scale=scaling)


def _varlen() -> Callable[..., torch.Tensor] | None:
    """Find torch's varlen attention (2.10 and newer); None where it is not there."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    return varlen_caller(varlen_attn)


def varlen_caller(varlen_attn: Any) -> Callable[..., torch.Tensor] | None:
    """Adapt to the signature at hand: causal is a window in newer builds, a flag in older ones.

    Returns:
        A function of (query, key, value, cu_seqlens, max_segment, *, scaling, window), the first three as
        `segment_attention` gets them, to ``[1, T, heads, d]``; None if the signature is another one.
    """
    known = inspect.signature(varlen_attn).parameters
    windowed, shares_heads = "window_size" in known, "enable_gqa" in known
    if not windowed and "is_causal" not in known:
        return None

    def attend(
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        cu_seqlens: torch.Tensor,
        max_segment: int,
        *,
        scaling: float | None,
        window: int | None,
    ) -> torch.Tensor:
        if window is not None and not windowed:
            raise ModelError("the model's sliding window needs a newer torch for packed training; upgrade torch, or pack shorter rows")
        groups = query.shape[1] // key.shape[1]
        options: dict[str, Any] = {"window_size": (-1 if window is None else window - 1, 0)} if windowed else {"is_causal": True}
        if groups > 1 and shares_heads:
            options["enable_gqa"] = True
        elif groups > 1:
            key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
        if "scale" in known:
            options["scale"] = scaling
        elif scaling is not None:
            query = query * (scaling * query.shape[-1] ** 0.5)
        q, k, v = (x[0].transpose(0, 1).contiguous() for x in (query, key, value))
        out: torch.Tensor = varlen_attn(q, k, v, cu_seqlens, cu_seqlens, max_segment, max_segment, **options)
        return out[None]

    return attend


def assert_isolated(model: Any) -> None:
    """Prove on this model, with 2 x 6 tokens, that a segment's outputs do not depend on the segment before it.

    Architectures whose state does not pass through attention (recurrent ones) fail here.

    Raises:
        ModelError: If they do.
    """
    import torch

    vocabulary = model.config.get_text_config().vocab_size
    first = torch.arange(6) % vocabulary
    training = model.training
    model.eval()
    common = {
        "position_ids": torch.arange(6).repeat(2)[None].to(model.device),
        "use_cache": False,
        "cu_seqlens": torch.tensor([0, 6, 12], dtype=torch.int32, device=model.device),
        "segment_lengths": (6, 6),
        "max_segment": 6,
    }
    outputs = []
    try:
        with torch.no_grad():
            for shift in (0, 1):
                ids = torch.cat([(first + shift) % vocabulary, first])[None].to(model.device)
                outputs.append(model(input_ids=ids, **common).logits[0, 6:])
    except TypeError as error:
        raise ModelError(f"{type(model).__name__}: it does not take segments ({error}), so it cannot be trained packed") from error
    model.train(training)
    if not torch.equal(*outputs):
        raise ModelError(
            f"{type(model).__name__}: packed segments leak into each other in this architecture, so it cannot be trained packed"
        )
