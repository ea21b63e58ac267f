"""TRL: conversations, as prompt and completion where the last answer alone is learnt; preference pairs; plain text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.rows.exports.base import PARTS, File, Record, Setting, Trainer, as_yaml, card_head, of, pair, stripped, talk

FOLDER = "data"
"""`datasets` opens a folder by its name, not by ".": the records have one of their own."""
_CONFIGS = {"chat": "sft", "preference": "dpo", "text": "text", "tokens": "tokens"}


def _chat(row: Mapping[str, Any], setting: Setting) -> Record:
    told = talk(row)
    tools = {"tools": json.dumps(told.tools, ensure_ascii=False)} if told.tools else {}
    if setting.last_alone:
        return {"prompt": told.turns[:-1], "completion": told.turns[-1:], **tools}
    return {"messages": told.turns, **tools}


def _preference(row: Mapping[str, Any], setting: Setting) -> Record:  # noqa: ARG001
    asked, chosen, rejected = (stripped(turns) for turns in pair(row))
    tools = {"tools": row["tools"]} if json.loads(row["tools"] or "[]") else {}
    return {"prompt": asked, "chosen": chosen, "rejected": rejected, **tools}


def _text(row: Mapping[str, Any], setting: Setting) -> Record:  # noqa: ARG001
    return {"text": row["output"]}


def configs(files: Sequence[File], setting: Setting) -> Mapping[str, str]:
    """Write a configuration for each kind of rows, and a card by which ``datasets`` opens them."""
    made = {}
    for kind, config in _CONFIGS.items():
        if not of(files, "train", kind):
            continue
        verb = "dpo" if kind == "preference" else "sft"
        said: dict[str, Any] = {**({"model_name_or_path": setting.model} if setting.model else {}), "dataset_name": FOLDER}
        said |= {"dataset_config": config, "dataset_train_split": "train"}
        if of(files, "validation", kind):
            said |= {"dataset_test_split": "validation", "eval_strategy": "epoch"}
        said |= {"max_length": setting.context}
        if kind == "chat" and not setting.last_alone:
            said |= {"assistant_only_loss": True}
        if kind == "tokens":
            said |= {"packing": True, "packing_strategy": "bfd"}
        said |= {"use_peft": True, "lora_r": 8, "lora_alpha": 16, "lora_target_modules": "all-linear"}
        said |= {"learning_rate": 5.0e-6 if verb == "dpo" else 5.0e-4, "per_device_train_batch_size": 1}
        said |= {"gradient_accumulation_steps": 8, "num_train_epochs": 3, "output_dir": "./out"}
        blank = () if setting.model else ("Say the model: model_name_or_path: ORGANISATION/NAME, or --model_name_or_path",)
        name = "trl.yaml" if kind in ("chat", "tokens") else f"trl-{config}.yaml"
        made[name] = as_yaml(said, f"trl {verb} --config {name}   (from this folder)", *blank)
    return made


def card(files: Sequence[File], setting: Setting) -> str:
    """Write the card's head."""
    kinds = [kind for kind in _CONFIGS if any(file.kind == kind for file in files)]
    names = {kind: {file.part: file.name.removeprefix(f"{FOLDER}/") for part in PARTS for file in of(files, part, kind)} for kind in kinds}
    return card_head({_CONFIGS[kind]: names[kind] for kind in kinds}, setting.digest)


TRAINER = Trainer(
    name="trl",
    url="https://huggingface.co/docs/trl/dataset_formats",
    makers={"chat": _chat, "preference": _preference, "text": _text},
    holds=frozenset({"reasoning", "name", "tool_call_id", "tools"}),
    configs=configs,
    how="trl sft --config trl.yaml",
    folder=FOLDER,
)
