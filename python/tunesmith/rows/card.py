"""The card of a version or split: a README in the hub's data-set convention, made from figures alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import yaml

from tunesmith.artefact import Manifest
from tunesmith.rows import fields, schema

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M"))


def card(name: str, frame: pl.DataFrame, manifest: Manifest, files: Mapping[str, str]) -> str:
    """Write the card of a folder.

    Args:
        name: What the folder is called.
        frame: All rows that the files hold.
        manifest: Its inputs and options are told.
        files: Split name to file, so that ``datasets.load_dataset(FOLDER)`` opens just these.
    """
    # `datasets` keys its cache by the folder's last name and this head alone: without the hash it would go on
    # serving what an earlier folder of the same name held.
    config = {
        "config_name": "default",
        "description": f"content {manifest.hash}",
        "data_files": [{"split": split, "path": path} for split, path in files.items()],
    }
    head = {
        "pretty_name": name,
        "task_categories": ["text-generation"],
        "configs": [config],
        "size_categories": [next((label for size, label in _SIZES if frame.height < size), "n>10M")],
        "tags": ["instruction-tuning", "tunesmith"],
    }
    lines = [
        "---",
        yaml.safe_dump(head, sort_keys=False, allow_unicode=True).rstrip(),
        "---",
        "",
        f"# {name}",
        "",
        f"{frame.height:,} rows, made by {manifest.tool}. Content hash `{manifest.hash}`.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {label} | {value} |" for label, value in _figures(frame)),
        *(f"| made from {_cell(source)} | `{given}` |" for source, given in manifest.inputs.items()),
        *(f"| {_cell(key)} | {_cell(value)} |" for key, value in manifest.result.items() if isinstance(value, int | float | str)),
    ]
    return "\n".join(lines) + "\n"


def _figures(frame: pl.DataFrame) -> list[tuple[str, str]]:
    kinds = frame.group_by("kind").len().sort("len", "kind", descending=[True, False])
    figures = [(f"{kind} rows", f"{count:,}") for kind, count in kinds.iter_rows()]
    for label, text in (("prompt", fields.prompt(frame)), ("answer", fields.response(frame))):
        lengths = text.str.len_chars().drop_nulls()
        if lengths.len():
            middle, high = lengths.quantile(0.5), lengths.quantile(0.99, "nearest")
            figures.append((f"characters of the {label} (median, 99th percentile)", f"{middle:,.0f}, {high:,.0f}"))
    turns = frame["messages"].cast(schema.MESSAGES).list.len().drop_nulls()
    if turns.len():
        figures.append(("turns of a conversation (median, most)", f"{turns.quantile(0.5):,.0f}, {turns.quantile(1):,.0f}"))
    own = [name for name in frame.columns if name not in schema.ROW]
    if own:
        figures.append(("columns of its own", ", ".join(map(_cell, own))))
    return figures


def _cell(value: Any) -> str:
    """Keep a value from breaking its table."""
    return str(value).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
