"""Generation: batches by length with left padding, a KV cache that finished rows leave, base and adapter from one load.

A prompt's output depends on the prompt, the options and its place in the list, never on its batch mates: padding is
masked and does not count as a position, greedy takes the argmax, and sampling draws from a stream of the prompt's own.
(Bit for bit this holds where the matrix products do, so up to rounding; in bfloat16 near ties may fall otherwise.)
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tunesmith.errors import ModelError, OptionError
from tunesmith.models.loading import (
    Device,
    Dtype,
    find_adapter,
    find_model,
    fitting_threads,
    is_adapter,
    load_model,
    load_tokenizer,
    put_adapter,
    quiet,
)
from tunesmith.progress import SILENT, Progress

if TYPE_CHECKING:
    import torch

Finish = Literal["stop", "length"]


@dataclass(frozen=True, kw_only=True)
class Generation:
    """What a model answered to one prompt.

    Attributes:
        ids: The generated token ids, without the stop token that ended them.
        text: Their text without special tokens, cut before a stop string; None where no tokenizer lies with the model.
        finish: `stop`: a stop token or string came; `length`: the limit came first.
        prompt_tokens: Tokens of the prompt.
        output_tokens: Tokens generated, the stop token included.
        seconds: Wall time of the prompt's batch, divided by the prompts in it.
    """

    ids: list[int]
    text: str | None
    finish: Finish
    prompt_tokens: int
    output_tokens: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How to generate.

    Attributes:
        max_new_tokens: Tokens to generate at most.
        temperature: 0 is greedy; above it, sampling from softmax(logits / temperature).
        stop_ids: Tokens that end an answer; None: those of the model's generation configuration and tokenizer.
        stop: Strings that end an answer; the text is cut before them.
        seed: Of the sampling.
        batch_tokens: A batch holds at most this many tokens, prompts and answers together (at least one prompt).
        batch_rows: And at most this many prompts.
    """

    max_new_tokens: int
    temperature: float = 0.0
    stop_ids: Sequence[int] | None = None
    stop: Sequence[str] = ()
    seed: int = 0
    batch_tokens: int = 16_384
    batch_rows: int = 128

    def __post_init__(self) -> None:
        for name in ("max_new_tokens", "batch_tokens", "batch_rows"):
            if getattr(self, name) < 1:
                raise OptionError(f"{name}: expected at least 1, found {getattr(self, name)}")
        if self.temperature < 0:
            raise OptionError(f"temperature: expected 0 (greedy) or more, found {self.temperature}")
        if "" in self.stop:
            raise OptionError("stop: an empty string would end every answer at once")


class Generator:
    """A model that is loaded once and answers with its adapter or without.

    Where `adapter` is a run with full weights, base and finetuned model are both loaded.
    """

    def __init__(self, model: str | Path, *, adapter: str | Path | None = None, dtype: Dtype = "auto", device: Device = "auto") -> None:
        self.folders = [find_model(model)]
        self._model: Any = load_model(model, dtype=dtype, device=device)
        self._tuned: Any = None
        self._has_adapter = False
        if adapter is not None and not is_adapter(adapter) and (Path(adapter) / "config.json").is_file():
            self._tuned = load_model(adapter, dtype=dtype, device=device)
            self.folders.insert(0, find_model(adapter))
        elif adapter is not None:
            self.folders.insert(0, find_adapter(adapter))
            self._model = put_adapter(self._model, self.folders[0]).to(self._model.device).eval()
            self._has_adapter = True
        tokenizers = [folder for folder in self.folders if (folder / "tokenizer.json").is_file()]
        self.tokenizer: Any = load_tokenizer(tokenizers[0]) if tokenizers else None

    def stop_ids(self) -> list[int]:
        """List the tokens that end an answer: the generation configurations' (base and run) and the tokenizer's EOS.

        Base and adapter stop at the same ones, so that they are compared on equal terms.
        """
        from transformers import GenerationConfig

        found: set[int] = set()
        for folder in self.folders:
            if (folder / "generation_config.json").is_file():
                eos = GenerationConfig.from_pretrained(folder, local_files_only=True).eos_token_id
                found.update(eos if isinstance(eos, list) else [eos] if eos is not None else [])
        if self.tokenizer is not None and self.tokenizer.eos_token_id is not None:
            found.add(self.tokenizer.eos_token_id)
        return sorted(found)

    def run(
        self, prompts: Sequence[Sequence[int]], *, decoding: Decoding, adapter: bool = True, progress: Progress = SILENT
    ) -> list[Generation]:
        """Answer every prompt, in input order; see `stream`."""
        answers: dict[int, Generation] = {}
        with progress.task("Generating", len(prompts)) as done:
            for k, answer in self.stream(prompts, decoding=decoding, adapter=adapter):
                answers[k] = answer
                done(len(answers))
        return [answers[k] for k in range(len(prompts))]

    def stream(
        self, prompts: Sequence[Sequence[int]], *, decoding: Decoding, adapter: bool = True, skip: frozenset[int] = frozenset()
    ) -> Iterator[tuple[int, Generation]]:
        """Answer prompts, a batch at a time, shortest first.

        Args:
            prompts: Token ids, each at least one.
            decoding: How.
            adapter: With the adapter (where there is one), or the base alone.
            skip: Places that need no answer (they are done); the others' answers do not depend on it.
        Yields:
            The place of a prompt in the list, and its answer.
        Raises:
            ModelError: If a prompt is empty or leaves no room in the model's context.
        """
        model = self._tuned if adapter and self._tuned is not None else self._model
        limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        for k, prompt in enumerate(prompts):
            if not len(prompt):
                raise ModelError(f"prompt {k}: expected at least one token, found none")
            if limit is not None and len(prompt) >= limit:
                raise ModelError(f"prompt {k}: {len(prompt)} tokens leave no room for an answer; the model reads {limit}")
        if decoding.stop and self.tokenizer is None:
            raise ModelError(f"{self.folders[-1]}: stop strings need a tokenizer, found no tokenizer.json; use stop ids")
        stop_ids = list(self.stop_ids() if decoding.stop_ids is None else decoding.stop_ids)
        base_alone = self._has_adapter and not adapter
        size = sum(p.numel() for p in model.parameters())
        order = sorted((k for k in range(len(prompts)) if k not in skip), key=lambda k: (len(prompts[k]), k))
        with self._model.disable_adapter() if base_alone else nullcontext():
            for batch in _batches(order, prompts, decoding):
                start = time.perf_counter()
                with fitting_threads(size, model.device.type):
                    finished = _decode(
                        model,
                        [prompts[k] for k in batch],
                        places=batch,
                        decoding=decoding,
                        stop_ids=stop_ids,
                        limit=limit,
                        tokenizer=self.tokenizer,
                    )
                seconds = (time.perf_counter() - start) / len(batch)
                for k, (ids, finish, tokens) in zip(batch, finished, strict=True):
                    text = _text(self.tokenizer, ids, decoding.stop) if self.tokenizer is not None else None
                    yield (
                        k,
                        Generation(ids=ids, text=text, finish=finish, prompt_tokens=len(prompts[k]), output_tokens=tokens, seconds=seconds),
                    )


def _batches(order: list[int], prompts: Sequence[Sequence[int]], decoding: Decoding) -> Iterator[list[int]]:
    """Cut prompts, sorted by length, where the padded batch would pass the token budget."""
    batch: list[int] = []
    for k in order:
        tokens = (len(prompts[k]) + decoding.max_new_tokens) * (len(batch) + 1)
        if batch and (tokens > decoding.batch_tokens or len(batch) >= decoding.batch_rows):
            yield batch
            batch = []
        batch.append(k)
    if batch:
        yield batch


def _decode(
    model: Any,
    prompts: list[Sequence[int]],
    *,
    places: list[int],
    decoding: Decoding,
    stop_ids: list[int],
    limit: int | None,
    tokenizer: Any,
) -> list[tuple[list[int], Finish, int]]:
    """Generate for one batch: prefill, then a token a step; rows that are done leave the batch."""
    import torch
    from transformers import DynamicCache

    device, longest = model.device, max(len(prompt) for prompt in prompts)
    ids = torch.zeros(len(prompts), longest, dtype=torch.long)
    mask = torch.zeros(len(prompts), longest, dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, longest - len(prompt) :] = torch.as_tensor(list(prompt), dtype=torch.long)
        mask[row, longest - len(prompt) :] = 1
    ids, mask = ids.to(device), mask.to(device)
    room = [min(decoding.max_new_tokens, (limit or 1 << 62) - len(prompt)) for prompt in prompts]
    draws = _draws(decoding, places, max(room)) if decoding.temperature > 0 else None

    answers: list[list[int]] = [[] for _ in prompts]
    finish: list[Finish] = ["length"] * len(prompts)
    counts = [0] * len(prompts)
    stops, alive = set(stop_ids), list(range(len(prompts)))
    rows = alive  # which prompt each row of the tensors holds; it shrinks later than `alive`
    cache, positions = DynamicCache(config=model.config), (mask.cumsum(1) - 1).clamp(min=0)
    with quiet(), torch.inference_mode():  # `past_key_values` gets another name in transformers 5.40
        for step in range(max(room)):
            output = model(
                input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True, logits_to_keep=1
            )
            logits = output.logits[:, -1].float()
            chosen = logits.argmax(-1) if draws is None else _sample(logits, draws[rows, step], decoding.temperature)
            still = set(alive)
            for row, token in zip(rows, chosen.tolist(), strict=True):
                if row not in still:
                    continue
                counts[row] += 1
                if token in stops:
                    finish[row] = "stop"
                    still.discard(row)
                    continue
                answers[row].append(token)
                if decoding.stop and _hits(tokenizer, answers[row], decoding.stop):
                    finish[row] = "stop"
                    still.discard(row)
                elif counts[row] >= room[row]:
                    still.discard(row)
            alive = [row for row in rows if row in still]
            if not alive:
                break
            ids = chosen[:, None]
            positions = positions[:, -1:] + 1
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
            if 4 * len(alive) <= 3 * len(rows):  # a quarter are done: the copy pays
                kept = torch.tensor([k for k, row in enumerate(rows) if row in still], device=device)
                cache.batch_select_indices(kept)
                ids, positions, mask = ids[kept], positions[kept], mask[kept]
                rows = alive
    return [(answers[k], finish[k], counts[k]) for k in range(len(prompts))]


def _draws(decoding: Decoding, places: list[int], steps: int) -> torch.Tensor:
    """Draw each prompt's uniform numbers from a stream named by (seed, place): `float64[prompts, steps]` in [0, 1)."""
    import torch

    rows = []
    for place in places:
        generator = torch.Generator().manual_seed((decoding.seed * 0x9E3779B97F4A7C15 + place) % (1 << 63))
        rows.append(torch.rand(steps, generator=generator, dtype=torch.float64))
    return torch.stack(rows)


def _sample(logits: torch.Tensor, draws: torch.Tensor, temperature: float) -> torch.Tensor:
    """Take the token whose share of the cumulated distribution holds the draw (inversion)."""
    import torch

    shares = torch.softmax(logits.double() / temperature, dim=-1).cumsum(-1)
    at = draws.to(logits.device)[:, None] * shares[:, -1:]
    return torch.searchsorted(shares, at, right=True).squeeze(1).clamp(max=logits.shape[-1] - 1)


def _hits(tokenizer: Any, ids: list[int], stop: Sequence[str]) -> bool:
    """Look for a stop string at the end of an answer; a token holds at least one byte, so a window is enough."""
    window = 8 + 4 * max(len(text) for text in stop)
    tail = tokenizer.decode(ids[-window:], skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return any(text in tail for text in stop)


def _text(tokenizer: Any, ids: list[int], stop: Sequence[str]) -> str:
    text: str = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    cuts = [place for place in (text.find(part) for part in stop) if place >= 0]
    return text[: min(cuts)] if cuts else text
