"""Self-instruct seed tasks: one instruction with several instances, each a row."""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl

from tunesmith.rows.formats.base import Format, Parsed, TextColumns, nul
from tunesmith.rows.records import Records
from tunesmith.rows.rejects import Problem, excerpt

NAMES = frozenset({"instruction", "instances"})
_FIELDS = ("input", "output")
_CONTENT = {"row": pl.UInt32, "kind": pl.String, "instruction": pl.String, "input": pl.String, "output": pl.String, "part": pl.String}


def _fits(keys: frozenset[str]) -> bool:
    return keys >= NAMES and "output" not in keys


def _parse(records: Records) -> Parsed:
    text = TextColumns(records=records)
    instructions = text.take("instruction")
    lost: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    for row, (instruction, instances) in enumerate(zip(instructions.to_list(), records.objects("instances"), strict=True)):
        if not isinstance(instances, list) or not instances:
            code = "wrong_type" if instances is not None and instances != [] else "no_known_field"
            text.problems.append(
                Problem(row=row, field="instances", code=code, found=excerpt(instances), expected="a list of objects with input and output")
            )
            continue
        for k, instance in enumerate(instances):
            made = _instance(row, f"instances[{k}]", instance, instruction, text.problems)
            lost.update(f"instances.{name}" for name in (instance if isinstance(instance, dict) else ()) if name not in _FIELDS)
            rows.append({"row": row, "kind": "instruct", "instruction": instruction, **made, "part": str(k)})
    content = pl.DataFrame(rows, schema=_CONTENT, orient="row")
    return Parsed(content=content, problems=text.problems, used=frozenset({*text.columns, "instances"}), lost=lost)


def _instance(row: int, name: str, instance: Any, instruction: str | None, problems: list[Problem]) -> dict[str, str | None]:
    """Read one instance; name everything that is wrong with it."""
    if not isinstance(instance, dict):
        problems.append(Problem(row=row, field=name, code="wrong_type", found=excerpt(instance), expected="an object (input, output)"))
        return {}
    made: dict[str, str | None] = {}
    for key in _FIELDS:
        value = instance.get(key)
        if value is not None and not isinstance(value, str):
            problems.append(Problem(row=row, field=f"{name}.{key}", code="wrong_type", found=excerpt(value), expected="text"))
            continue
        if value is not None and "\0" in value:
            problems.append(nul(row, f"{name}.{key}", value))
        made[key] = value
    if not ((instruction or "").strip() or (made.get("input") or "").strip()):
        problems.append(Problem(row=row, field=f"{name}.input", code="empty_prompt", found="nothing", expected="a prompt"))
    return made


FORMAT = Format(name="self-instruct", known_by="instruction, instances", fits=_fits, parse=_parse)
