"""OpenAI's finetuning files: nothing in a record but what its validation knows; a record that it would refuse is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tunesmith.rows.exports.base import File, Record, Setting, Trainer, Unfit, of, one, pair, talk
from tunesmith.rows.formats.writing import strict, wrapped

LEAST = 10
"""Records that a job needs."""
_KEYS = {
    "system": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "tool_calls", "weight"},
    "tool": {"role", "content", "tool_call_id"},
}
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def problems(record: Record) -> Iterator[str]:
    r"""Say what OpenAI's validation would refuse in a record for supervised finetuning.

    >>> list(problems({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}))
    []
    >>> list(problems({"messages": [{"role": "user", "content": "a"}], "id": 1}))
    ['an unknown field: id', "the last message is not the assistant's"]
    """
    yield from (f"an unknown field: {key}" for key in record if key not in ("messages", "tools", "parallel_tool_calls"))
    messages = record.get("messages") or []
    for message in messages:
        yield from _message(message)
    if not messages or messages[-1].get("role") != "assistant":
        yield "the last message is not the assistant's"
    elif not any(message.get("weight", 1) for message in messages if message["role"] == "assistant"):
        yield "no message to learn"
    yield from _calls(messages, record.get("tools"))


def _message(message: Record) -> Iterator[str]:
    role, content = message.get("role"), message.get("content")
    if role not in _KEYS:
        yield f"an unknown role: {role}"
        return
    yield from (f"an unknown field of a message: {key}" for key in message if key not in _KEYS[role])
    if "weight" in message and message["weight"] not in (0, 1):
        yield "a weight that is neither 0 nor 1"
    if "name" in message and not _NAME.fullmatch(message["name"]):
        yield "a name that is not of letters, digits, _ and -"
    if not content and not message.get("tool_calls"):
        yield f"an empty message of the {role}"
    elif content is not None and not isinstance(content, str):
        yield "a content that is not text"


def _calls(messages: Sequence[Record], tools: Any) -> Iterator[str]:
    """Check that every call has an answer and every answer its call, and that names are names."""
    open_ids: list[str] = []
    for message in messages:
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in open_ids:
                yield "a tool's answer without its call"
            else:
                open_ids.remove(message["tool_call_id"])
        elif open_ids:
            yield "a tool call without its answer"
            open_ids = []
        for call in message.get("tool_calls") or []:
            if not _NAME.fullmatch(call["function"]["name"]):
                yield "a function name that is not of letters, digits, _ and -"
            open_ids.append(call["id"])
    for tool in tools or []:
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not _NAME.fullmatch(str(function.get("name", ""))):
            yield "a tool without a name of letters, digits, _ and -"


def _chat(row: Mapping[str, Any], setting: Setting) -> Record:  # noqa: ARG001
    told = talk(row)
    if told.turns[-1]["role"] != "assistant" or len(told.turns) - 1 not in told.answered:
        raise Unfit("the last message is not the assistant's, or is empty")
    messages = strict(list(row["messages"])) if row["messages"] is not None else told.turns
    for k, message in enumerate(messages):
        message.pop("weight", None)
        if message["role"] == "assistant" and k not in told.learnt:
            message["weight"] = 0
    tools = wrapped(row["tools"])
    return _valid({"messages": messages, **({"tools": tools} if tools else {})})


def _preference(row: Mapping[str, Any], setting: Setting) -> Record:  # noqa: ARG001
    asked, chosen, rejected = pair(row)
    answers = [{"role": "assistant", "content": one(turns)["content"]} for turns in (chosen, rejected)]
    before = strict(list(row["messages"])[: len(asked)])
    tools = wrapped(row["tools"])
    for answer in answers:
        _valid({"messages": [*before, answer], **({"tools": tools} if tools else {})})
    given = {"messages": before, **({"tools": tools} if tools else {})}
    return {"input": given, "preferred_output": answers[:1], "non_preferred_output": answers[1:]}


def _valid(record: Record) -> Record:
    for problem in problems(record):
        raise Unfit(problem)
    return record


def configs(files: Sequence[File], setting: Setting) -> Mapping[str, str]:
    """Write the body of the request that starts a job, once the files are uploaded."""
    made = {}
    for kind, method in (("chat", "supervised"), ("preference", "dpo")):
        if not of(files, "train", kind):
            continue
        said: dict[str, Any] = {"model": setting.model or "MODEL", "training_file": f"FILE-ID of {of(files, 'train', kind)[0].name}"}
        if tests := of(files, "validation", kind):
            said |= {"validation_file": f"FILE-ID of {tests[0].name}"}
        name = "job.json" if kind == "chat" else f"job-{method}.json"
        made[name] = json.dumps({**said, "method": {"type": method}, "seed": 0}, indent=2) + "\n"
    return made


TRAINER = Trainer(
    name="openai",
    url="https://platform.openai.com/docs/guides/supervised-fine-tuning",
    makers={"chat": _chat, "preference": _preference},
    holds=frozenset({"train", "name", "tool_call_id", "tools"}),
    configs=configs,
    how="POST /v1/files (purpose fine-tune), then POST /v1/fine_tuning/jobs with job.json, its file ids filled in",
    ids=False,
    least=LEAST,
)
