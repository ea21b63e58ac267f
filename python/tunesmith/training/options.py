"""The options of a finetune. Both command lines are made from these fields, so that they cannot drift apart."""

# ruff: noqa: RUF009  (`_option` makes a dataclass field)

from __future__ import annotations

import types
import typing
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args, get_origin

from tunesmith.errors import OptionError, did_you_mean

Method = Literal["lora", "dora", "full"]
Schedule = Literal["linear", "cosine", "constant"]
Dtype = Literal["auto", "float32", "bfloat16"]
Device = Literal["auto", "cpu", "cuda"]


def _option(default: Any, text: str, *, least: float | None = None, below: float | None = None) -> Any:
    return field(default=default, metadata={"help": text, "least": least, "below": below})


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """How to finetune.

    Each field's help text is its definition. What is None is chosen from the pack and the method, told, and
    recorded in the manifest.
    """

    method: Method = _option("lora", "lora and dora train adapters on all linear layers; full trains every weight.")
    epochs: float = _option(3.0, "Passes over the pack; 0.5 is half of one. Not used with steps.", least=0.0)
    steps: int | None = _option(None, "Optimizer steps; goes round the pack as often as needed, without early stopping.", least=1)
    bins: int | None = _option(None, "Bins an optimizer step. Unless said: as many as leave 100 steps an epoch, 1 to 16.", least=1)
    micro_bins: int | None = _option(
        None,
        "Bins a forward pass; gradients are accumulated over a step. Unless said: about 16,384 tokens on a GPU, 4,096 on a CPU.",
        least=1,
    )
    lr: float | None = _option(None, "Peak learning rate. Unless said: 5e-4 for lora and dora, 5e-5 for full.", least=0.0)
    schedule: Schedule = _option("linear", "How the learning rate falls after warm-up: to 0, along a cosine to 0, or not at all.")
    warmup: float = _option(0.03, "Share of the steps over which the learning rate rises.", least=0.0, below=1.0)
    weight_decay: float = _option(0.0, "AdamW's decoupled weight decay.", least=0.0)
    max_grad_norm: float = _option(1.0, "The gradient is scaled down to this L2 norm; 0 never.", least=0.0)
    lora_r: int = _option(8, "Rank of an adapter.", least=1)
    lora_alpha: int = _option(16, "An adapter's output is scaled by alpha / r.", least=1)
    lora_dropout: float = _option(0.0, "Dropout before an adapter.", least=0.0, below=1.0)
    dtype: Dtype = _option(
        "auto",
        "The type to compute in; adapters, and the weights of full, are float32 always. auto: bfloat16 on a GPU that has it, and on a CPU "
        "that has it for models of 50 million parameters or more.",
    )
    device: Device = _option("auto", "Where to compute; auto is CUDA where it is there.")
    activation_checkpointing: bool = _option(False, "Recompute activations in the backward pass: less memory, a third slower.")
    patience: int | None = _option(
        None, "With validation: stop after so many epochs without a lower validation loss. Unless said: go through all epochs.", least=1
    )
    score_rows: bool = _option(False, "At the end, measure every row's loss under the finished model (phase `scored`).")
    checkpoint_steps: int | None = _option(None, "Leave a checkpoint every so many steps. Unless said: every 5 minutes.", least=1)
    seed: int = _option(0, "Of the order of bins, adapters' first values, and dropout.")

    def __post_init__(self) -> None:
        hints = typing.get_type_hints(type(self))
        for one in fields(self):
            value = getattr(self, one.name)
            kind, choices, optional = describe(hints[one.name])
            if value is None and optional:
                continue
            if choices and value not in choices:
                raise OptionError(f"{one.name}: expected one of {', '.join(choices)}, found {value!r}")
            if not choices and (
                not isinstance(value, (int, float) if kind is float else kind) or (isinstance(value, bool) and kind is not bool)
            ):
                raise OptionError(f"{one.name}: expected {kind.__name__}, found {value!r}")
            least, below = one.metadata["least"], one.metadata["below"]
            if (least is not None and value < least) or (below is not None and value >= below):
                until = f" and below {below:g}" if below is not None else ""
                raise OptionError(f"{one.name}: expected at least {least:g}{until}, found {value!r}")
        if self.epochs == 0 and self.steps is None:
            raise OptionError("epochs: expected more than 0, found 0; there would be nothing to train")

    def changed(self, **changes: Any) -> TrainOptions:
        """Return these options with some of them changed.

        Raises:
            OptionError: If a name is unknown or a value cannot be used.
        """
        known = [one.name for one in fields(self)]
        for name in changes:
            if name not in known:
                raise OptionError(f'unknown option "{name}"; {did_you_mean(name, known)}')
        return replace(self, **changes)

    def deciding(self) -> dict[str, Any]:
        """Return the options that decide the result, for the manifest: how it is computed in pieces does not count."""
        left_out = {"checkpoint_steps", "micro_bins", "activation_checkpointing", "device"}
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name not in left_out}


def describe(hint: Any) -> tuple[type, tuple[str, ...], bool]:
    """Take a field's type apart: its plain type, its choices (of a Literal), and whether it may be None.

    >>> describe(int | None)
    (<class 'int'>, (), True)
    """
    optional = get_origin(hint) in {types.UnionType, typing.Union}
    if optional:
        (hint,) = (one for one in get_args(hint) if one is not type(None))
    if get_origin(hint) is Literal:
        return str, get_args(hint), optional
    return hint, (), optional
