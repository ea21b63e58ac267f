"""The contracts on disk, as Polars schemas (`format: 1`). Every room reads and writes these columns."""

from __future__ import annotations

import polars as pl

ORIGIN = pl.Struct({"file": pl.String, "record": pl.UInt64, "part": pl.String})
MESSAGE = pl.Struct({
    "role": pl.String,  # system | user | assistant | tool
    "content": pl.String,
    "reasoning": pl.String,
    "name": pl.String,
    "tool_calls": pl.String,  # JSON text: a list of {"id"?, "type", "function": {"name", "arguments"}}; arguments an object where it parses
    "tool_call_id": pl.String,
    "train": pl.Boolean,  # null: as the recipe of the pack says; false: never supervised
})  # fmt: skip
MESSAGES = pl.List(MESSAGE)

_ROW: dict[str, pl.DataType | type[pl.DataType]] = {
    "position": pl.UInt64,
    "row_id": pl.String,
    "origin": ORIGIN,
    "kind": pl.String,  # instruct | chat | preference | text
    "instruction": pl.String,
    "input": pl.String,
    "output": pl.String,
    "system": pl.String,
    "messages": MESSAGES,  # null for instruct and text
    "tools": pl.String,  # JSON text
    "rejected": MESSAGES,  # preference: the answer not to give
    "weight": pl.Float32,
}  # fmt: skip
ROW = pl.Schema(_ROW)
"""The row. In chat and preference rows `messages` is the conversation, system prompt included; `instruction`, `output` and
`system` mirror its last user turn, its answer (null where it does not end with one) and its first system prompt.
A user's own columns follow these, under their own names; one that is called like a column here, or `user_` and such a name, gets
`user_` before it, which `convert` takes away again."""

CONTENT = ("instruction", "input", "output", "system", "messages", "tools", "rejected")
"""The fields that make a row's id (nested ones as canonical JSON)."""

REJECT = pl.Schema({
    "position": pl.UInt64,
    "file": pl.String,
    "record": pl.UInt64,  # 0-based record in the file
    "line": pl.UInt64,  # 1-based line, where the format has lines
    "field": pl.String,
    "code": pl.String,  # stable, for scripts: bad_json, wrong_type, empty_prompt, unknown_role, ...
    "found": pl.String,
    "expected": pl.String,
    "raw": pl.String,  # the record as it stood, so that nothing is lost
})  # fmt: skip
"""One problem of one rejected record; a record with several problems has several entries."""

FINDING = pl.Schema({
    "position": pl.UInt64,
    "detector": pl.String,
    "severity": pl.String,  # fatal | review | information
    "field": pl.String,  # instruction | input | response
    "turn": pl.UInt32,  # index into messages; null for instruct rows
    "start": pl.UInt32,  # characters (code points), half open; null: the whole field
    "end": pl.UInt32,
    "evidence": pl.String,
})  # fmt: skip

LEDGER = pl.Schema({
    "position": pl.UInt64,
    "row_id": pl.String,  # on entering the step
    "step": pl.String,
    "rule": pl.String,
    "action": pl.String,  # keep | drop | edit | flag | reject
    "field": pl.String,
    "turn": pl.UInt32,
    "value": pl.Float64,
    "threshold": pl.Float64,
    "evidence": pl.String,
    "twin_position": pl.UInt64,
    "similarity": pl.Float64,
    "new_id": pl.String,  # after it; null unless edited
})  # fmt: skip

EDGES = pl.Schema({
    "step": pl.String,
    "position": pl.UInt64,
    "twin_position": pl.UInt64,
    "similarity": pl.Float64,
})  # fmt: skip
