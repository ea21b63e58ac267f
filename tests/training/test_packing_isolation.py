"""Packed equals separate: outputs, gradients, and a disturbed neighbour that nobody notices."""

from __future__ import annotations

import random

import pytest
import torch

import tiny
from tunesmith.errors import ModelError
from tunesmith.packing.reader import read_pack
from tunesmith.training.attention import assert_isolated, packed_attention, segment_attention, varlen_caller
from tunesmith.training.collate import Segments
from tunesmith.training.loss import RowLoss, objective

KINDS = [("llama", True), ("llama", False), ("qwen2", True), ("gpt2", True)]


def segments(n, seed=0, longest=30):
    rng = random.Random(seed)
    made = []
    for _ in range(n):
        ids = [rng.randrange(5, 320) for _ in range(rng.randrange(2, longest))]
        masked = rng.randrange(0, len(ids))
        made.append((ids, [-100] * masked + ids[masked:]))
    return made


def collated(tmp_path, rows, weights=None):
    pack = Segments(read_pack(tiny.pack_folder(tmp_path / "pack", rows, capacity=64, weights=weights)))
    return pack.collate(pack.bins), pack


@pytest.mark.parametrize(("kind", "tied"), KINDS)
def test_packed_logits_equal_separate_ones(tmp_path, kind, tied):
    rows = segments(7)
    batch, _ = collated(tmp_path, rows)
    model = tiny.model(kind, tied=tied)
    with torch.no_grad():
        with packed_attention(model):
            packed = model(**batch.model_inputs()).logits[0]
        for k, segment in enumerate(batch.segments):
            alone = model(input_ids=torch.tensor([rows[segment][0]]), use_cache=False).logits[0]
            torch.testing.assert_close(packed[batch.cu_seqlens[k] : batch.cu_seqlens[k + 1]], alone, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize(("kind", "tied"), KINDS)
def test_packed_gradients_equal_separate_ones(tmp_path, kind, tied):
    rows, weights = segments(6, seed=1), [1.0, 2.0, 1.0, 0.5, 1.0, 1.0]
    batch, _ = collated(tmp_path, rows, weights)
    model = tiny.model(kind, tied=tied)
    with packed_attention(model):
        measure = RowLoss(model)
        assert measure.apart
        objective(measure(batch), batch.weights, batch.weighted_tokens()).backward()
    packed = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    # The plain twin: each row alone, transformers' own shift and cross-entropy, summed, divided by the weighted tokens.
    total, tokens = 0.0, 0.0
    for (ids, labels), weight in zip(rows, weights, strict=True):
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, :-1]
        targets = torch.tensor(labels[1:])
        total = total + weight * torch.nn.functional.cross_entropy(logits, targets, reduction="sum", ignore_index=-100)
        tokens += weight * int((targets != -100).sum())
    (total / tokens).backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(packed[name], parameter.grad, rtol=1e-4, atol=1e-7, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize(("kind", "tied"), KINDS)
def test_a_disturbed_segment_leaves_the_others_bit_unchanged(tmp_path, kind, tied):
    batch, _ = collated(tmp_path, segments(5, seed=2))
    model = tiny.model(kind, tied=tied)
    start, stop = int(batch.cu_seqlens[1]), int(batch.cu_seqlens[2])
    disturbed = batch.input_ids.clone()
    disturbed[0, start:stop] = (disturbed[0, start:stop] + 7) % 320
    with torch.no_grad(), packed_attention(model):
        before = model(**batch.model_inputs()).logits[0]
        after = model(**{**batch.model_inputs(), "input_ids": disturbed}).logits[0]
    assert not torch.equal(before[start:stop], after[start:stop])
    assert torch.equal(before[:start], after[:start])
    assert torch.equal(before[stop:], after[stop:])


def test_a_loss_in_chunks_equals_the_whole(tmp_path):
    batch, _ = collated(tmp_path, segments(6, seed=3))
    gradients = []
    for chunk_logits in (1 << 26, 320 * 5):
        model = tiny.model()
        with packed_attention(model):
            sums = RowLoss(model, chunk_logits=chunk_logits)(batch)
            sums.sum().backward()
        gradients.append((sums.detach(), [p.grad for p in model.parameters()]))
    torch.testing.assert_close(gradients[0][0], gradients[1][0])
    for one, other in zip(gradients[0][1], gradients[1][1], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_a_head_that_does_more_is_not_taken_apart(tmp_path):
    batch, _ = collated(tmp_path, segments(4, seed=4))
    plain, scaled = tiny.model(), tiny.model()
    forward = scaled.forward
    scaled.forward = lambda **inputs: _scaled(forward(**inputs))
    with torch.no_grad(), packed_attention(plain), packed_attention(scaled):
        simple, other = RowLoss(plain), RowLoss(scaled)
        assert (simple.apart, other.apart) == (True, False)
        wanted = torch.nn.functional.cross_entropy(
            plain(**batch.model_inputs()).logits[0] * 0.5, batch.labels[0], reduction="sum", ignore_index=-100
        )
        torch.testing.assert_close(other(batch).sum(), wanted)


def _scaled(output):
    output.logits = output.logits * 0.5
    return output


def test_attention_goes_back_to_what_it_was():
    model = tiny.model()
    with packed_attention(model):
        assert model.config._attn_implementation == "tunesmith_segments"
        with pytest.raises(ModelError, match="no segment lengths"):
            model(input_ids=torch.tensor([[5, 6, 7]]))
    assert model.config._attn_implementation == "sdpa"
    model(input_ids=torch.tensor([[5, 6, 7]]))


def test_an_architecture_whose_state_runs_on_is_refused():
    from transformers import MambaConfig, MambaForCausalLM

    model = MambaForCausalLM(MambaConfig(vocab_size=50, hidden_size=16, num_hidden_layers=1, state_size=4)).eval()
    with pytest.raises(ModelError, match=r"MambaForCausalLM: .*cannot be trained packed"):
        assert_isolated(model)
    # And one that takes everything but lets its state run on.
    leaky = tiny.model()
    with pytest.raises(ModelError, match="leak into each other"):
        assert_isolated(leaky_through_cumsum(leaky))


def leaky_through_cumsum(model):
    embed = model.model.embed_tokens.forward
    model.model.embed_tokens.forward = lambda ids: embed(ids).cumsum(1)
    return model


def reference(query, key, value, lengths, window):
    """The slow twin: scores, mask, softmax."""
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
    owner = [k for k, n in enumerate(lengths) for _ in range(n)]
    seen = torch.tensor([[owner[i] == owner[j] and 0 <= i - j < (window or 10**9) for j in range(len(owner))] for i in range(len(owner))])
    return (scores.masked_fill(~seen, float("-inf")).softmax(-1) @ value).transpose(1, 2)


@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("path", ["each", "block_mask", "varlen_windowed", "varlen_flag"])
def test_every_path_of_attention_computes_the_same(path, window):
    from tunesmith.training import attention

    generator = torch.Generator().manual_seed(0)
    lengths = (5, 1, 9, 2)
    query = torch.randn(1, 4, 17, 8, generator=generator)
    key, value = (torch.randn(1, 2, 17, 8, generator=generator) for _ in range(2))
    starts = torch.tensor([0, 5, 6, 15, 17], dtype=torch.int32)
    wanted = reference(query, key, value, lengths, window)
    if path == "each":
        out, _ = segment_attention(
            None, query, key, value, None, sliding_window=window, cu_seqlens=starts, segment_lengths=lengths, max_segment=9
        )
    elif path == "block_mask":
        out = attention._block_mask(query, key, value, lengths, scaling=None, window=window).transpose(1, 2)
    else:
        # torch's kernel needs a GPU; these have its two signatures and the slow twin's arithmetic.
        def newer(query, key, value, cu_seq_q, cu_seq_k, max_q, max_k, *, scale=None, window_size=(-1, -1), enable_gqa=False):
            assert enable_gqa
            assert window_size[1] == 0
            q, k, v = (x.transpose(0, 1)[None] for x in (query, key, value))
            return reference(q, k, v, cu_seq_q.diff().tolist(), window_size[0] + 1 or None)[0]

        def older(query, key, value, cu_seq_q, cu_seq_k, max_q, max_k, is_causal=False):
            assert is_causal
            q, k, v = (x.transpose(0, 1)[None] for x in (query, key, value))
            return reference(q, k, v, cu_seq_q.diff().tolist(), None)[0]

        call = varlen_caller(newer if path == "varlen_windowed" else older)
        if path == "varlen_flag" and window is not None:
            with pytest.raises(ModelError, match="newer torch"):
                call(query, key, value, starts, 9, scaling=None, window=window)
            return
        out = call(query, key, value, starts, 9, scaling=None, window=window)
    torch.testing.assert_close(out, wanted, rtol=1e-5, atol=1e-6)


def test_an_unknown_varlen_signature_is_not_guessed_at():
    assert varlen_caller(lambda query, key, value: None) is None
