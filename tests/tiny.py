"""Tiny models, tokenizers and packs, made offline in a second: what every test that needs a model uses.

The tokenizer is a byte-level BPE with distinct bos, eos and pad, `<|im_end|>` as the end of turn, and a chat template
with `{% generation %}`. The models have hidden size 64, 2 layers, and 2 key-value heads for 4 heads.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

Kind = Literal["llama", "qwen2", "gpt2"]
Segment = tuple[list[int], list[int]]  # input ids, labels (-100 where masked; not shifted)

BOS, EOS, PAD, START, END = "<|bos|>", "<|eos|>", "<|pad|>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\\n' }}"
    "{% else %}{{ message['content'] + '<|im_end|>\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
WORDS = tuple("red green blue one two three cat dog bird runs sleeps sings the a small big list name say repeat".split())  # noqa: SIM905
CORPUS = [" ".join(WORDS[(k * step) % len(WORDS)] for k in range(12)) for step in range(1, 40)]


@cache
def _tokenizer_json(vocabulary: int) -> str:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, BOS, EOS, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer.to_str()


def tokenizer(*, vocabulary: int = 320, chat_template: str | None = CHAT_TEMPLATE, end: str = END) -> Any:
    """A transformers tokenizer; `end` is its EOS (the end of turn unless said)."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    made = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_tokenizer_json(vocabulary)), bos_token=BOS, eos_token=end, pad_token=PAD
    )
    made.chat_template = chat_template
    return made


def model(kind: Kind = "llama", *, tied: bool = True, vocabulary: int = 320, context: int = 256, seed: int = 0) -> Any:
    """A transformers model in fp32 with random weights, in evaluation mode."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

    ids = {"bos_token_id": 1, "eos_token_id": 4, "pad_token_id": 0, "tie_word_embeddings": tied, "vocab_size": vocabulary}
    body = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 128}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if kind == "gpt2":
            made = GPT2LMHeadModel(GPT2Config(n_embd=64, n_layer=2, n_head=4, n_positions=context, **ids))
        elif kind == "qwen2":
            made = Qwen2ForCausalLM(Qwen2Config(max_position_embeddings=context, **body, **ids))
        else:
            made = LlamaForCausalLM(LlamaConfig(max_position_embeddings=context, **body, **ids))
    return made.eval()


def model_folder(folder: Path, kind: Kind = "llama", *, tied: bool = True, context: int = 256, seed: int = 0) -> Path:
    """Save a tiny model and its tokenizer; returns the folder."""
    model(kind, tied=tied, context=context, seed=seed).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def chat_segment(prompt: str, answer: str) -> Segment:
    """Tokens of one exchange in the chat template; the answer and its end of turn are supervised."""
    made = tokenizer()
    before = made.encode(f"{START}user\n{prompt}{END}\n{START}assistant\n", add_special_tokens=False)
    after = made.encode(f"{answer}{END}", add_special_tokens=False)
    return before + after, [-100] * len(before) + after


def exchanges(n: int, *, seed: int = 0) -> list[tuple[str, str]]:
    """Distinct prompts with answers that follow from them."""
    rng = random.Random(seed)
    made: dict[str, str] = {}
    while len(made) < n:
        words = rng.sample(WORDS, 3)
        made[f"say {' '.join(words)}"] = " ".join(reversed(words))
    return list(made.items())


def pack_folder(
    folder: Path,
    segments: Sequence[Segment],
    *,
    capacity: int = 64,
    weights: Sequence[float] | None = None,
    details: Mapping[str, Any] | None = None,
    tokenizer_folder: Path | None = None,
) -> Path:
    """Write a pack as `tunesmith pack` does (first fit; a test's own plan), without polars; returns the folder."""
    import pyarrow as pa

    from tunesmith.artefact import Manifest, writing

    plan: list[tuple[int, int, int]] = []
    room: list[int] = []
    for k, (ids, _) in enumerate(segments):
        place = next((b for b, left in enumerate(room) if left >= len(ids)), len(room))
        if place == len(room):
            room.append(capacity)
        plan.append((place, k, capacity - room[place]))
        room[place] -= len(ids)
    plan.sort()
    columns = {
        "position": pa.array(range(len(segments)), pa.uint64()),
        "row_id": pa.array([f"{k:032x}" for k in range(len(segments))]),
        "pair": pa.nulls(len(segments), pa.string()),
        "input_ids": pa.array([ids for ids, _ in segments], pa.list_(pa.uint32())),
        "labels": pa.array([labels for _, labels in segments], pa.list_(pa.int32())),
        "weight": pa.array(weights or [1.0] * len(segments), pa.float32()),
    }
    names = {name: pa.array([entry[k] for entry in plan], pa.uint32()) for k, name in enumerate(("bin", "segment", "offset"))}
    about = {"template": "chatml", "end_of_turn_id": 4, "eos_id": 4, "pad_id": 0, "context": capacity, **(details or {})}
    content = repr((list(segments), plan, weights))
    with writing(folder) as work:
        for file, table in (("segments.arrow", pa.table(columns)), ("plan.arrow", pa.table(names))):
            with pa.OSFile(str(work.folder / file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
        if tokenizer_folder is None:
            tokenizer().save_pretrained(work.folder / "tokenizer")
        else:
            (work.folder / "tokenizer").symlink_to(tokenizer_folder)
        work.finish(Manifest(kind="pack", inputs={}, options={"capacity": capacity}, hash=_hash(content), details=about))
    return folder


def _hash(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:32]
