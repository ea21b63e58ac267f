"""axolotl: messages under its chat templates, with the turns that are trained on; preference pairs; plain text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.rows.exports.base import File, Record, Setting, Trainer, Unfit, as_yaml, of, one, pair, talk

_MESSAGES = {"role": "role", "content": "content"}


def _chat(row: Mapping[str, Any], setting: Setting) -> Record:  # noqa: ARG001
    told = talk(row)
    turns = [dict(made) for made in told.turns]
    for k, made in enumerate(turns):
        # Arguments as text: axolotl parses them, and a table of objects would fill in the keys of other calls.
        if "tool_calls" in made:
            made["tool_calls"] = [_texted(call) for call in made["tool_calls"]]
        if made["role"] == "assistant" and k not in told.learnt:
            made["train"] = False
    return {"messages": turns, **({"tools": json.dumps(told.tools, ensure_ascii=False)} if told.tools else {})}


def _texted(call: Record) -> Record:
    function = call["function"]
    return {**call, "function": {**function, "arguments": json.dumps(function["arguments"], ensure_ascii=False)}}


def _preference(row: Mapping[str, Any], setting: Setting) -> Record:  # noqa: ARG001
    asked, chosen, rejected = pair(row)
    if any("tool_calls" in made for made in asked):
        raise Unfit("a pair with tool calls")
    plain = [[{"role": made["role"], "content": made["content"]} for made in turns] for turns in (asked, [one(chosen)], [one(rejected)])]
    return dict(zip(("prompt", "chosen", "rejected"), plain, strict=True))


def _text(row: Mapping[str, Any], setting: Setting) -> Record:  # noqa: ARG001
    return {"text": row["output"]}


def _entry(file: File) -> dict[str, Any]:
    said: dict[str, Any] = {"path": file.name, "ds_type": "parquet" if file.name.endswith(".parquet") else "json", "split": "train"}
    if file.kind == "chat":
        said |= {"type": "chat_template", "field_messages": "messages", "message_property_mappings": _MESSAGES, "field_tools": "tools",
                 "message_field_training": "train", "roles_to_train": ["assistant"], "train_on_eos": "turn"}  # fmt: skip
    elif file.kind == "preference":
        said |= {"type": "chat_template.default", "field_messages": "prompt", "field_chosen": "chosen", "field_rejected": "rejected"}
    elif file.kind == "text":
        said |= {"type": "completion", "field": "text"}
    else:  # tokens: axolotl knows them by their columns
        said |= {"type": ""}
    return said


def _config(files: Sequence[File], setting: Setting, *kinds: str, **more: Any) -> dict[str, Any]:
    tests = [_entry(file) for file in of(files, "validation", *kinds)]
    return {
        **({"base_model": setting.model} if setting.model else {}),
        **more,
        "datasets": [_entry(file) for file in of(files, "train", *kinds)],
        **({"test_datasets": tests} if tests else {"val_set_size": 0.0}),
        "chat_template": "tokenizer_default",
        "sequence_len": setting.context,
        "adapter": "lora",
        "lora_r": 8,
        "lora_alpha": 16,
        "lora_target_linear": True,
        "learning_rate": 0.0005,
        "micro_batch_size": 1,
        "gradient_accumulation_steps": 8,
        "num_epochs": 3,
        "output_dir": "./out",
    }


def configs(files: Sequence[File], setting: Setting) -> Mapping[str, str]:
    """Write one configuration for supervised finetuning and one for DPO, as there are rows."""
    blank = () if setting.model else ("Say the model: base_model: ORGANISATION/NAME, or --base-model",)
    comments = ("The data is what tunesmith exported; the rest is a place to begin.", *blank)
    made = {}
    if of(files, "train", "chat", "text", "tokens"):
        config = _config(files, setting, "chat", "text", "tokens")
        packing = {"sample_packing": True, "eval_sample_packing": False} if of(files, "train", "tokens") else {}
        made["axolotl.yaml"] = as_yaml({**config, **packing}, *comments)
    if of(files, "train", "preference"):
        made["axolotl-dpo.yaml"] = as_yaml(_config(files, setting, "preference", rl="dpo"), *comments)
    return made


TRAINER = Trainer(
    name="axolotl",
    url="https://docs.axolotl.ai/docs/dataset-formats/",
    makers={"chat": _chat, "preference": _preference, "text": _text},
    holds=frozenset({"train", "reasoning", "name", "tool_call_id", "tools"}),
    configs=configs,
    how="axolotl train axolotl.yaml",
)
