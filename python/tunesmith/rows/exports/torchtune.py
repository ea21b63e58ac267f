"""torchtune: messages of text for its chat data set; preference pairs as two conversations; plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.rows.exports.base import File, Record, Setting, Trainer, Unfit, as_yaml, of, one, pair, talk


def _chat(row: Mapping[str, Any], setting: Setting) -> Record:  # noqa: ARG001
    return {"messages": _plain(talk(row).turns)}


def _plain(turns: Sequence[Record]) -> list[Record]:
    if any("tool_calls" in made or made["role"] == "tool" for made in turns):
        raise Unfit("tool calls")
    if any(made["role"] == "system" for made in turns[1:]):
        raise Unfit("a system prompt that is not the first turn")
    return [{"role": made["role"], "content": made["content"]} for made in turns]


def _preference(row: Mapping[str, Any], setting: Setting) -> Record:  # noqa: ARG001
    asked, chosen, rejected = pair(row)
    return {"chosen": _plain([*asked, one(chosen)]), "rejected": _plain([*asked, one(rejected)])}


def _text(row: Mapping[str, Any], setting: Setting) -> Record:  # noqa: ARG001
    return {"text": row["output"]}


def _component(file: File) -> dict[str, Any]:
    base = {"source": "json", "data_files": file.name, "split": "train"}
    if file.kind == "text":
        return {"_component_": "torchtune.datasets.text_completion_dataset", **base, "column": "text"}
    if file.kind == "preference":
        columns = {"column_map": {"chosen": "chosen", "rejected": "rejected"}}
        return {"_component_": "torchtune.datasets.preference_dataset", **base, **columns, "train_on_input": False}
    style = {"conversation_column": "messages", "conversation_style": "openai", "train_on_input": False, "packed": False}
    return {"_component_": "torchtune.datasets.chat_dataset", **base, **style}


def configs(files: Sequence[File], setting: Setting) -> Mapping[str, str]:
    """Write the data's section of a recipe's configuration, one file for each kind of rows."""
    made = {}
    for kind in ("chat", "preference", "text"):
        train, validation = of(files, "train", kind), of(files, "validation", kind)
        if not train:
            continue
        said: dict[str, Any] = {"dataset": _component(train[0])}
        said |= {"dataset_val": _component(validation[0]), "run_val_every_n_steps": 100} if validation else {}
        said |= {"seed": 0, "shuffle": True, "tokenizer": {"max_seq_len": setting.context}}
        name = "torchtune.yaml" if kind == "chat" else f"torchtune-{kind}.yaml"
        made[name] = as_yaml(said, "The data's keys of a recipe's configuration: put them in place of its own (`tune cp RECIPE`).")
    return made


TRAINER = Trainer(
    name="torchtune",
    url="https://docs.pytorch.org/torchtune/stable/basics/chat_datasets.html",
    makers={"chat": _chat, "preference": _preference, "text": _text},
    holds=frozenset(),
    configs=configs,
    how="tune run RECIPE --config YOURS.yaml   (with the keys of torchtune.yaml)",
)
