"""Rows written as a trainer's files: every row in one of them, or left out under a reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith import core
from tunesmith.rows import schema
from tunesmith.rows.exports import hub, llama_factory
from tunesmith.rows.exports.base import File, Record, Setting, Trainer, Unfit, fields, file_name, talk
from tunesmith.rows.values import in_parquet

_READ = ("position", "row_id", "kind", "instruction", "input", "output", "system", "messages", "tools", "rejected", "weight")
_KINDS = {"instruct": "chat", "chat": "chat", "preference": "preference", "text": "text"}


@dataclass(kw_only=True)
class Written:
    """What was written.

    Attributes:
        files: The files of records.
        rows: Where each row went: ``file, line, position, row_id``.
        left_out: Rows that are in no file: ``part, position, row_id, reason``.
        lost: Field to the rows that are there without it.
        hash: Content hash of all records.
    """

    files: list[File] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    hash: str = ""

    def reasons(self) -> dict[str, int]:
        """Count the rows that are left out, by reason."""
        counts = Counter(row["reason"] for row in self.left_out)
        return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def last_alone(parts: Mapping[str, pl.DataFrame]) -> bool:
    """Tell whether every conversation that teaches anything trains on its last turn alone."""
    for frame in parts.values():
        talks = frame.filter(pl.col("kind") == "chat")
        if any(told.learnt and not told.last_alone for told in map(talk, talks.select(_READ).iter_rows(named=True))):
            return False
    return True


def write_rows(folder: Path, parts: Mapping[str, pl.DataFrame], trainer: Trainer, setting: Setting) -> Written:
    """Write rows as a trainer reads them.

    Args:
        folder: Where the files go.
        parts: train, validation and test, as there are, to their rows (``schema.ROW`` and the user's columns).
        trainer: Whose formats.
        setting: What the makers need to know.
    """
    written = Written()
    hashes = []
    for part, frame in parts.items():
        made = _tables(frame, part, trainer, written) if trainer.name == "hub" else _lines(frame, part, trainer, setting, written)
        for (name, kind), table in made.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            if name.endswith(".parquet"):
                table = in_parquet(table)  # noqa: PLW2901
                table.write_parquet(path, compression="zstd")
            else:
                path.write_text("".join(f"{line}\n" for line in table["line"]), encoding="utf-8", newline="")
            written.files.append(File(name=name, part=part, kind=kind, rows=table.height))
            hashes.append({"file": name, "hash": core.content_hash(table)})
    written.hash = core.content_hash(pl.DataFrame(hashes, schema={"file": pl.String, "hash": pl.String}))
    return written


def _tables(frame: pl.DataFrame, part: str, trainer: Trainer, written: Written) -> dict[tuple[str, str], pl.DataFrame]:
    """Make the hub's tables: every row is in one, with the user's columns."""
    del trainer
    made = {}
    for kind, table in hub.tables(frame).items():
        for name, shard in hub.shards(hub.folder(kind), part, table).items():
            made[name, kind] = shard
            places = shard.select("position", "row_id").iter_rows()
            written.rows += [{"file": name, "line": line, "position": p, "row_id": r} for line, (p, r) in enumerate(places)]
    return made


def _lines(frame: pl.DataFrame, part: str, trainer: Trainer, setting: Setting, written: Written) -> dict[tuple[str, str], pl.DataFrame]:
    """Make a trainer's records, one line each."""
    made: dict[tuple[str, str], list[str]] = {}
    users = [name for name in frame.columns if name not in schema.ROW]
    kept: list[bool] = []
    for row in frame.select(_READ).iter_rows(named=True):
        try:
            told = talk(row) if row["kind"] != "text" else None
            record = _record(row, told, trainer, setting)
        except Unfit as reason:
            written.left_out.append({"part": part, "position": row["position"], "row_id": row["row_id"], "reason": str(reason)})
            kept.append(False)
            continue
        kept.append(True)
        kind = _KINDS[row["kind"]]
        lost = fields(row, told) - trainer.holds
        written.lost.update(lost - ({"train"} if setting.last_alone and trainer.name in ("trl", "llama-factory") else set()))
        named = {"row_id": row["row_id"], "position": row["position"]} if trainer.ids else {}
        name = f"{trainer.folder}/{file_name(part, kind)}".lstrip("/")
        lines = made.setdefault((name, kind), [])
        written.rows.append({"file": name, "line": len(lines), "position": row["position"], "row_id": row["row_id"]})
        lines.append(json.dumps({**record, **named}, ensure_ascii=False))
    here = frame.filter(pl.Series(kept, dtype=pl.Boolean)) if users else frame
    written.lost.update({name: here.height - here[name].null_count() for name in users})
    if trainer.name == "llama-factory" and (weighted := _weighted(frame.filter(pl.Series(kept, dtype=pl.Boolean)), setting)):
        made[f"{part}.v1.jsonl", "weighted"] = weighted
    return {key: pl.DataFrame({"line": lines}, schema={"line": pl.String}) for key, lines in made.items()}


def _record(row: Mapping[str, Any], told: Any, trainer: Trainer, setting: Setting) -> Record:
    kind = _KINDS[row["kind"]]
    if kind not in trainer.makers:
        raise Unfit(f"{trainer.name} has no form for rows of this kind ({row['kind']})")
    if row["weight"] == 0:
        raise Unfit("weight 0")
    if kind == "chat" and not told.learnt:
        raise Unfit("nothing to learn: no answer, or none that is trained on")
    return trainer.makers[kind](row, setting)


def _weighted(frame: pl.DataFrame, setting: Setting) -> list[str]:
    """Make the records of LLaMA-Factory's version 1, where its classic ones lose a weight or an unlearnt turn."""
    talks = frame.filter(pl.col("kind").is_in(["instruct", "chat"]))
    told = [(talk(row), row) for row in talks.select(_READ).iter_rows(named=True)]
    if setting.last_alone and not (talks["weight"] != 1).any():
        return []
    if not any(row["weight"] != 1 or made.learnt != made.answered for made, row in told):
        return []
    named: Sequence[str] = ("row_id", "position")
    return [
        json.dumps({**llama_factory.weighted(made, row["weight"]), **{name: row[name] for name in named}}, ensure_ascii=False)
        for made, row in told
    ]
