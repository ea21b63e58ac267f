"""The demo's base model: a tiny Llama that has read the documents of the workshop world, and nothing else.

It does what base models do: it goes on writing, asks further questions, and never stops, since no document
it read ever ended. About half a minute on two cores; made once a folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.artefact import Manifest, finished, writing
from tunesmith.errors import MissingExtraError
from tunesmith.models.loading import fitting_threads, quiet
from tunesmith.progress import SILENT, Progress

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast

PAD, BOS, EOS = "<pad>", "<bos>", "<eos>"
# Words of the `plain` template, which the documents do not hold.
TEMPLATE_WORDS = "User: \nAssistant: \n"


@dataclass(frozen=True, kw_only=True)
class Pretraining:
    """How the base model is made.

    Attributes:
        steps: Optimizer steps.
        batch: Sequences a step.
        context: Tokens a sequence.
        lr: Peak learning rate (AdamW; linear warm-up over 30 steps, linear decay).
        vocabulary: Entries of the byte-level BPE, at most.
        hidden: Hidden size; the feed-forward is three times as wide.
        layers: Transformer layers.
        heads: Attention heads.
        seed: Of the weights and the order.
    """

    steps: int = 560
    batch: int = 8
    context: int = 128
    lr: float = 3e-3
    vocabulary: int = 1536
    hidden: int = 128
    layers: int = 4
    heads: int = 4
    seed: int = 0


def base_model(
    documents: Sequence[str], out: str | Path, *, options: Pretraining | None = None, force: bool = False, progress: Progress = SILENT
) -> Manifest:
    """Pretrain the base model into `out`, a folder that transformers loads; does nothing if it is there.

    Args:
        documents: Plain texts.
        out: The folder.
        options: How.
        force: Replace whatever lies at `out`.
        progress: Where to report.
    Returns:
        The folder's manifest; its result holds `steps`, `tokens`, `loss` (mean of the last 20 steps, nats a token) and `parameters`.
    Raises:
        MissingExtraError: Without torch and transformers.
    """
    options = options or Pretraining()
    inputs = {"documents": sha256(json.dumps(list(documents)).encode()).hexdigest()}
    if made := finished(out, kind="model", inputs=inputs, options=asdict(options), force=force):
        return made
    try:
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM
    except ImportError as error:
        raise MissingExtraError("torch with transformers", "train", "the demo") from error

    tokenizer = _tokenizer(documents, options)
    stream = _stream(documents, tokenizer)
    with torch.random.fork_rng(devices=[]):  # leaves the caller's random state alone
        torch.manual_seed(options.seed)
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(tokenizer),
                hidden_size=options.hidden,
                intermediate_size=3 * options.hidden,
                num_hidden_layers=options.layers,
                num_attention_heads=options.heads,
                max_position_embeddings=512,
                tie_word_embeddings=True,
                pad_token_id=tokenizer.pad_token_id,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
            )
        )
        parameters = sum(p.numel() for p in model.parameters())
        losses = []
        with fitting_threads(parameters, "cpu"), progress.task("Pretraining the base model (once)", options.steps) as done:
            for step, loss in enumerate(_steps(model, stream, options), start=1):
                losses.append(loss)
                done(step)
    with writing(out) as work:
        with quiet():
            model.save_pretrained(work.folder)
            tokenizer.save_pretrained(work.folder)
        weights = sha256(b"".join(tensor.contiguous().numpy().tobytes() for tensor in model.state_dict().values())).hexdigest()
        result = {
            "steps": options.steps,
            "tokens": options.steps * options.batch * options.context,
            "loss": sum(losses[-20:]) / len(losses[-20:]),
            "parameters": parameters,
        }
        return work.finish(Manifest(kind="model", inputs=inputs, options=asdict(options), hash=weights, result=result))


def _tokenizer(documents: Sequence[str], options: Pretraining) -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=options.vocabulary,
        special_tokens=[PAD, BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*documents, TEMPLATE_WORDS * 50], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, bos_token=BOS, eos_token=EOS, model_max_length=512, clean_up_tokenization_spaces=False
    )


def _stream(documents: Sequence[str], tokenizer: PreTrainedTokenizerFast) -> torch.Tensor:
    """Encode all documents one after another: a blank line between two, and never an end of sequence."""
    import torch

    texts = tokenizer([*documents, "\n\n"], add_special_tokens=False)["input_ids"]
    border = texts.pop()
    return torch.tensor([token for text in texts for token in (*text, *border)])


def _steps(model: Any, stream: torch.Tensor, options: Pretraining) -> Iterator[float]:
    """Train on random windows of the stream; yields each step's mean loss."""
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=options.lr, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min((step + 1) / 30, max(0.02, 1 - step / options.steps)))
    model.train()
    for _ in range(options.steps):
        starts = torch.randint(0, len(stream) - options.context, (options.batch,)).tolist()
        ids = torch.stack([stream[start : start + options.context] for start in starts])
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        yield loss.item()
