"""The card of a version or split: a README in the hub's data-set convention, made from figures alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl
import yaml

from tunesmith.artefact import Manifest
from tunesmith.rows import fields, schema

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M"))


def card(name: str, rows: Iterable[pl.DataFrame], manifest: Manifest, files: Mapping[str, str]) -> str:
    """Write the card of a folder.

    Args:
        name: What the folder is called.
        rows: All rows that the files hold, piece by piece.
        manifest: Its inputs and options are told.
        files: Split name to file, so that ``datasets.load_dataset(FOLDER)`` opens just these.
    """
    height, figures = _figures(rows)
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
        "size_categories": [next((label for size, label in _SIZES if height < size), "n>10M")],
        "tags": ["instruction-tuning", "tunesmith"],
    }
    lines = [
        "---",
        yaml.safe_dump(head, sort_keys=False, allow_unicode=True).rstrip(),
        "---",
        "",
        f"# {name}",
        "",
        f"{height:,} rows, made by {manifest.tool}. Content hash `{manifest.hash}`.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {label} | {value} |" for label, value in figures),
        *(f"| made from {_cell(source)} | `{given}` |" for source, given in manifest.inputs.items()),
        *(f"| {_cell(key)} | {_cell(value)} |" for key, value in manifest.result.items() if isinstance(value, int | float | str)),
    ]
    return "\n".join(lines) + "\n"


def _figures(rows: Iterable[pl.DataFrame]) -> tuple[int, list[tuple[str, str]]]:
    """Count the rows, and what a reader wants to know of them first; of each text only its length is kept."""
    kinds: Counter[str] = Counter()
    measured: list[pl.DataFrame] = []
    for piece in rows:
        kinds.update(dict(piece.group_by("kind").len().iter_rows()))
        texts = [fields.prompt(piece).str.len_chars().alias("prompt"), fields.response(piece).str.len_chars().alias("answer")]
        measured.append(pl.DataFrame([*texts, piece["messages"].cast(schema.MESSAGES).list.len().alias("turns")]))
        own = [name for name in piece.columns if name not in schema.ROW]
    spread = pl.concat(measured)
    figures = [(f"{kind} rows", f"{count:,}") for kind, count in sorted(kinds.items(), key=lambda each: (-each[1], each[0]))]
    for label in ("prompt", "answer"):
        lengths = spread[label].drop_nulls()
        if lengths.len():
            middle, high = lengths.quantile(0.5), lengths.quantile(0.99, "nearest")
            figures.append((f"characters of the {label} (median, 99th percentile)", f"{middle:,.0f}, {high:,.0f}"))
    turns = spread["turns"].drop_nulls()
    if turns.len():
        figures.append(("turns of a conversation (median, most)", f"{turns.quantile(0.5):,.0f}, {turns.quantile(1):,.0f}"))
    if own:
        figures.append(("columns of its own", ", ".join(map(_cell, own))))
    return spread.height, figures


def _cell(value: Any) -> str:
    """Keep a value from breaking its table."""
    return str(value).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
