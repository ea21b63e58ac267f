"""LLaMA-Factory: ShareGPT turns that strictly alternate, named in dataset_info.json; for its version 1, turns with loss weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.rows.exports.base import File, Record, Setting, Talk, Trainer, Unfit, as_yaml, of, one, pair, talk

_FROM = {"user": "human", "assistant": "gpt", "system": "system", "tool": "observation"}
_STAGES = {"chat": "sft", "preference": "dpo", "text": "pt"}


def _chat(row: Mapping[str, Any], setting: Setting) -> Record:  # noqa: ARG001
    told = talk(row)
    if told.turns[-1]["role"] != "assistant":
        raise Unfit("no answer at the end")
    return {"conversations": _alternating(told.turns), "tools": json.dumps(told.tools, ensure_ascii=False) if told.tools else ""}


def _alternating(turns: Sequence[Record]) -> list[Record]:
    """Write turns in the order that LLaMA-Factory demands; it skips any other conversation without a count."""
    made: list[Record] = []
    for k, told in enumerate(turns):
        calls = [call["function"] for call in told.get("tool_calls", [])]
        if calls and told["content"]:
            raise Unfit("a turn with text and tool calls")
        if told["role"] == "system" and k:
            raise Unfit("a system prompt that is not the first turn")
        if calls:
            called = calls[0] if len(calls) == 1 else calls
            made.append({"from": "function_call", "value": json.dumps(called, ensure_ascii=False)})
        elif told["role"] == "tool" and made and made[-1]["from"] == "observation":
            raise Unfit("several tool results in a row")
        else:
            made.append({"from": _FROM[told["role"]], "value": told["content"]})
    return made


def _preference(row: Mapping[str, Any], setting: Setting) -> Record:  # noqa: ARG001
    asked, chosen, rejected = pair(row)
    answers = {name: {"from": "gpt", "value": one(turns)["content"]} for name, turns in (("chosen", chosen), ("rejected", rejected))}
    tools = json.loads(row["tools"] or "[]")
    return {"conversations": _alternating(asked), **answers, "tools": json.dumps(tools, ensure_ascii=False) if tools else ""}


def _text(row: Mapping[str, Any], setting: Setting) -> Record:  # noqa: ARG001
    return {"text": row["output"]}


def weighted(told: Talk, weight: float) -> Record:
    """Write the record of version 1: content in parts, and on each turn its ``loss_weight``."""
    turns = []
    for k, said in enumerate(told.turns):
        parts = [{"type": "reasoning", "value": said["reasoning_content"]}] if "reasoning_content" in said else []
        parts += [{"type": "text", "value": said["content"]}] if said["content"] else []
        parts += [{"type": "tool_call", "value": json.dumps(call["function"], ensure_ascii=False)} for call in said.get("tool_calls", [])]
        turns.append({"role": said["role"], "content": parts, "loss_weight": weight if k in told.learnt else 0.0})
    return {"messages": turns, **({"tools": json.dumps(told.tools, ensure_ascii=False)} if told.tools else {})}


def _info(file: File) -> dict[str, Any]:
    if file.kind == "text":
        return {"file_name": file.name, "columns": {"prompt": "text"}}
    columns = {"messages": "conversations", "tools": "tools"}
    pairs = {"chosen": "chosen", "rejected": "rejected"} if file.kind == "preference" else {}
    ranking = {"ranking": True} if file.kind == "preference" else {}
    return {"file_name": file.name, "formatting": "sharegpt", **ranking, "columns": {**columns, **pairs}}


def _named(file: File) -> str:
    return file.name.removesuffix(".jsonl").replace("-", "_").replace(".", "_")


def configs(files: Sequence[File], setting: Setting) -> Mapping[str, str]:
    """Write dataset_info.json and a configuration for each stage."""
    classic = [file for file in files if file.kind in _STAGES]
    made = {"dataset_info.json": json.dumps({_named(file): _info(file) for file in classic}, indent=2) + "\n"}
    for kind, stage in _STAGES.items():
        if not of(files, "train", kind):
            continue
        said: dict[str, Any] = {**({"model_name_or_path": setting.model} if setting.model else {}), "stage": stage, "do_train": True}
        said |= {"dataset_dir": ".", "dataset": ",".join(_named(file) for file in of(files, "train", kind))}
        if tests := of(files, "validation", kind):
            said |= {"eval_dataset": ",".join(_named(file) for file in tests), "eval_strategy": "epoch"}
        if kind == "chat" and setting.last_alone:
            said |= {"mask_history": True}
        said |= {"cutoff_len": setting.context, "finetuning_type": "lora", "lora_rank": 8, "lora_alpha": 16, "lora_target": "all"}
        said |= {"learning_rate": 5.0e-6 if stage == "dpo" else 5.0e-4, "per_device_train_batch_size": 1}
        said |= {"gradient_accumulation_steps": 8, "num_train_epochs": 3.0, "output_dir": "out"}
        blank = () if setting.model else ("Say the model: model_name_or_path: ORGANISATION/NAME",)
        name = "llama-factory.yaml" if kind == "chat" else f"llama-factory-{stage}.yaml"
        made[name] = as_yaml(
            said, f"llamafactory-cli train {name}   (from this folder)", "Say the model's template: template: NAME", *blank
        )
    if weights := [file for file in files if file.kind == "weighted"]:
        listed = {_named(file): {"path": file.name, "source": "local"} for file in weights}
        made["llama-factory-v1.yaml"] = as_yaml(listed, "A data set of version 1, whose turns have a loss_weight: train_dataset: FILE")
    return made


TRAINER = Trainer(
    name="llama-factory",
    url="https://llamafactory.readthedocs.io/en/latest/getting_started/data_preparation.html",
    makers={"chat": _chat, "preference": _preference, "text": _text},
    holds=frozenset({"tools"}),
    configs=configs,
    how="llamafactory-cli train llama-factory.yaml",
)
