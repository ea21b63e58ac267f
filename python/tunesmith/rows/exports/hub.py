"""The hub: Parquet with a data-set card, in the columns that loaders of chat, preference and text data sets know."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import polars as pl

from tunesmith.rows import schema
from tunesmith.rows.exports.base import PARTS, File, Record, Setting, Trainer, card_head, halves, talk

SHARD = 500_000_000
"""Bytes in memory that go into one file."""
_NAMES = {"chat": "default", "instruct": "default", "preference": "preference", "text": "text"}
_MESSAGE = pl.Struct({
    "role": pl.String, "content": pl.String, "reasoning_content": pl.String, "name": pl.String, "tool_calls": pl.String,
    "tool_call_id": pl.String, "train": pl.Boolean,
})  # fmt: skip


def tables(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Give the rows as tables, one for each kind there is; rows that are all instructions keep their three columns.

    Args:
        frame: Rows, with the user's own columns.
    Returns:
        Kind to its table: ``row_id, position, weight``, the content, then the user's columns.
    """
    users = [name for name in frame.columns if name not in schema.ROW]
    talks = frame.filter(pl.col("kind").is_in(["instruct", "chat"]))
    made = {}
    if talks.height and talks["messages"].null_count() == talks.height:
        made["instruct"] = _table(talks, talks.select("instruction", "input", "output", "system"), users)
    elif talks.height:
        made["chat"] = _table(talks, _chat(talks), users)
    for kind, content in (("preference", _pairs), ("text", lambda rows: rows.select(text="output"))):
        rows = frame.filter(kind=kind)
        if rows.height:
            made[kind] = _table(rows, content(rows), users)
    return made


def _table(rows: pl.DataFrame, content: pl.DataFrame, users: Sequence[str]) -> pl.DataFrame:
    own = [name for name in users if name not in content.columns]
    return pl.concat([rows.select("row_id", "position", "weight"), content, rows.select(own)], how="horizontal")


def _chat(rows: pl.DataFrame) -> pl.DataFrame:
    talks = []
    for row in rows.iter_rows(named=True):
        told = talk(row)
        talks.append([_message(made, learnt=k in told.learnt, answers=k in told.answered) for k, made in enumerate(told.turns)])
    return pl.DataFrame([pl.Series("messages", talks, dtype=pl.List(_MESSAGE)), rows["tools"]])


def _message(made: Record, *, learnt: bool, answers: bool) -> Record:
    calls = {"tool_calls": json.dumps(made["tool_calls"], ensure_ascii=False)} if "tool_calls" in made else {}
    return {**made, **calls, **({"train": False} if answers and not learnt else {})}


def _pairs(rows: pl.DataFrame) -> pl.DataFrame:
    columns: dict[str, list[list[Record]]] = {"prompt": [], "chosen": [], "rejected": []}
    for row in rows.iter_rows(named=True):
        for name, turns in zip(columns, halves(row), strict=True):
            columns[name].append([_message(made, learnt=True, answers=False) for made in turns])
    return pl.DataFrame([pl.Series(name, turns, dtype=pl.List(_MESSAGE)) for name, turns in columns.items()] + [rows["tools"]])


def shards(name: str, part: str, table: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Divide a table into files, named as the hub names them.

    >>> list(shards("default", "train", pl.DataFrame({"a": [1]})))
    ['default/train-00000-of-00001.parquet']
    """
    count = max(1, -(-int(table.estimated_size()) // SHARD))
    size = -(-table.height // count)
    return {f"{name}/{part}-{k:05}-of-{count:05}.parquet": table.slice(k * size, size) for k in range(count)}


def folder(kind: str) -> str:
    """Name the configuration, and the folder, of a kind of rows."""
    return _NAMES[kind]


def card(files: Sequence[File], setting: Setting) -> str:
    """Write the card's head: a configuration for each kind, a split for each part."""
    names = dict.fromkeys(folder(file.kind) for file in files)
    of_kind = {name: [file for file in files if folder(file.kind) == name] for name in names}
    parts = {
        name: {part: f"{name}/{part}-*.parquet" for part in PARTS if any(file.part == part for file in held)}
        for name, held in of_kind.items()
    }
    return card_head(parts, setting.digest)


def _configs(files: Sequence[File], setting: Setting) -> Mapping[str, str]:  # noqa: ARG001  (the card says everything)
    return {}


TRAINER = Trainer(
    name="hub",
    url="https://huggingface.co/docs/hub/datasets-cards",
    makers={},
    holds=frozenset({"train", "reasoning", "name", "tool_call_id", "tools", "weight"}),
    configs=_configs,
    how="hf upload ORGANISATION/NAME . --repo-type dataset",
)
