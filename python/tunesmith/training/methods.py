"""What is trained: adapters on all linear layers, or every weight; and how the result is saved."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import MissingExtraError, ModelError
from tunesmith.models.loading import load_weights, quiet, resolve_device, resolve_dtype
from tunesmith.models.weights import parameter_count
from tunesmith.training.options import TrainOptions

if TYPE_CHECKING:
    import torch

# "LoRA without regret" (Thinking Machines, 2025): adapters on all linear layers, at about ten times the rate of full finetuning.
LEARNING_RATES = {"lora": 5e-4, "dora": 5e-4, "full": 5e-5}


@dataclass(frozen=True, kw_only=True)
class Trainee:
    """A model made ready to train.

    Attributes:
        model: A transformers model, or a `peft.PeftModel` around it.
        device: `cpu` or `cuda`.
        dtype: The type computed in.
        stored: The type of the base's weights on disk; full finetunes are saved in it.
        autocast: Whether weights are float32 and computing is not.
        trainable: Parameters that are trained.
        parameters: Parameters in all.
    """

    model: Any
    device: str
    dtype: torch.dtype
    stored: torch.dtype
    autocast: bool
    trainable: int
    parameters: int


def prepare(folder: Path, options: TrainOptions) -> Trainee:
    """Load a model and set up what is trained of it. Adapters start from `options.seed`.

    The base of an adapter is held in the type computed in, the adapter in float32. Every weight of a full finetune is
    float32 (in bfloat16 an update below 1/256 of a weight is lost), and computing is cast where the type is another.

    Raises:
        ModelError: If the model cannot be loaded or adapted.
    """
    import torch
    from transformers import AutoConfig, set_seed

    device = resolve_device(options.device)
    dtype = resolve_dtype(options.dtype, device=device, parameters=parameter_count(folder))
    full = options.method == "full"
    stored = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False).dtype or torch.float32
    model: Any = load_weights(folder, torch.float32 if full else dtype)
    set_seed(options.seed)
    if not full:
        model = _adapt(model, options)
    if options.activation_checkpointing:
        base = model if full else model.get_base_model()
        # transformers renamed this between 5.17 and 5.23. Not reentrant, so that frozen inputs need no gradient.
        if hasattr(base, "activation_checkpointing_enable"):
            base.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
        else:
            base.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    total = sum(p.numel() for p in model.parameters())
    autocast = full and dtype != torch.float32
    return Trainee(model=model, device=device, dtype=dtype, stored=stored, autocast=autocast, trainable=trainable, parameters=total)


def _adapt(model: Any, options: TrainOptions) -> Any:
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise MissingExtraError("peft", "train", f"--method {options.method}") from error
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=options.lora_r,
        lora_alpha=options.lora_alpha,
        lora_dropout=options.lora_dropout,
        target_modules="all-linear",
        use_dora=options.method == "dora",
    )
    with quiet():
        try:
            return get_peft_model(model, config)
        except ValueError as error:
            raise ModelError(f"{type(model).__name__}: expected linear layers to adapt, found: {error}; use --method full") from error


def save_weights(model: Any, folder: Path) -> None:
    """Save an adapter, or all weights, as safetensors with their configuration."""
    with quiet():
        if hasattr(model, "get_base_model"):
            # Never "auto": that asks the hub whether the vocabulary grew. Embeddings are not trained here.
            model.save_pretrained(str(folder), save_embedding_layers=False)
            (folder / "README.md").unlink(missing_ok=True)  # peft's card is an empty form
        else:
            model.save_pretrained(str(folder))


def load_weights_into(model: Any, folder: Path) -> None:
    """Put saved weights back into the model that they came from.

    Raises:
        ModelError: If they do not fit.
    """
    from safetensors.torch import load_file

    if hasattr(model, "get_base_model"):
        from peft import set_peft_model_state_dict

        set_peft_model_state_dict(model, load_file(folder / "adapter_model.safetensors"))
        return
    weights: dict[str, Any] = {}
    for file in sorted(folder.glob("*.safetensors")):
        weights.update(load_file(file))
    result = model.load_state_dict(weights, strict=False)
    model.tie_weights()
    tied = set(getattr(model, "all_tied_weights_keys", None) or getattr(model, "_tied_weights_keys", None) or ())
    missing = [name for name in result.missing_keys if name not in tied]
    if missing or result.unexpected_keys:
        raise ModelError(f"{folder}: expected the weights of this model, found others: {[*missing, *result.unexpected_keys][:3]}")


def save_surroundings(folder: Path, *, model: Any, tokenizer: Path, end_of_turn: int | None, eos: int | None, pad: int | None) -> None:
    """Write what generation needs besides weights: tokenizer, chat template, and where to stop.

    Args:
        folder: The run.
        model: Whose generation configuration is taken over.
        tokenizer: The pack's tokenizer folder.
        end_of_turn: The token that the training taught to end an answer with.
        eos: The tokenizer's own end, kept as a second stop where it is another.
        pad: The padding token; EOS where there is none.
    """
    from transformers import GenerationConfig

    for file in tokenizer.iterdir():
        if file.is_file() and file.name not in {"config.json", "generation_config.json", "manifest.json"}:
            shutil.copyfile(file, folder / file.name)
    stops = list(dict.fromkeys(one for one in (end_of_turn, eos) if one is not None))
    config = GenerationConfig.from_dict((getattr(model, "generation_config", None) or GenerationConfig()).to_dict())
    if stops:
        config.eos_token_id = stops if len(stops) > 1 else stops[0]
    config.pad_token_id = pad if pad is not None else stops[0] if stops else None
    with quiet():
        config.save_pretrained(str(folder))
