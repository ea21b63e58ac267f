"""A version: the funnel of its rows, why rows went or changed, and the rows themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.artefact import Manifest, read_manifest
from tunesmith.reports.blocks import TABLES, Block, Cell, Column, Figure, Figures, Grid, Parts, Rows, Section, Shown, Words
from tunesmith.reports.definitions import ACTIONS, FUNNEL, REASON, STEP, rule
from tunesmith.reports.differences import difference, same
from tunesmith.reports.texts import clip, counted, share
from tunesmith.rows import Version

LIMIT = 2_000
"""Rows that a report holds."""
REASONS = 40
_ORDER = pl.col("action").replace_strict({name: k for k, name in enumerate(ACTIONS)}, default=len(ACTIONS), return_dtype=pl.Int8)


def sections(folder: Path) -> list[Section]:
    """Draw a version: what happened to its rows, and those rows."""
    manifest = read_manifest(folder, "version")
    result = manifest.result
    names = {"rows in": "rows_in", **{name: name for name in ("kept", "dropped", "edited", "flagged", "rejected")}}
    figures = [Figure(label=label, value=f"{result[key]:,}", definition=FUNNEL[label]) for label, key in names.items() if key in result]
    ledger = pl.read_parquet(folder / "ledger.parquet", glob=False)
    acted = ledger.filter(pl.col("action") != "keep")
    kept = int(result.get("kept", pl.scan_parquet(folder / "rows.parquet", glob=False).select(pl.len()).collect().item()))
    rows_in = int(result.get("rows_in", kept))
    blocks: list[Block] = [Figures(figures=figures)] if figures else []
    if result.get("steps"):
        blocks.append(_funnel(manifest))
    top, tables = [], []
    if acted.height:
        blocks.append(_reasons(acted, rows_in))
        tables.append(_rows(folder, acted))
    else:
        blocks.append(Words(text="No step dropped, changed or marked a row."))
    if figures:
        value = f"{rows_in:,} → {kept:,}"
        top = [
            Figure(
                label="rows, in → kept",
                value=value,
                definition=f"{share(kept / rows_in) if rows_in else 'None'} of the rows read are kept.",
            )
        ]
    lead = f"{kept:,} of {counted(rows_in, 'row')} are kept; every other one is accounted for."
    return [Section(id="data", title="The data", lead=lead, blocks=blocks, headline=top), *tables]


def _funnel(manifest: Manifest) -> Grid:
    result = manifest.result
    recipe = dict(map(_step, manifest.details.get("recipe", {}).get("steps", ())))
    rows: list[list[Cell]] = []
    if result.get("rejected"):
        said = "Records that could not be read as rows."
        rows.append(
            [Shown(text="read", under=said), result["rows_in"], result["rejected"], 0, 0, result["rows_in"] - result["rejected"], None]
        )
    for step in result["steps"]:
        name = Shown(text=step["step"], under=recipe.get(step["step"], ""))
        counts = [step["rows_in"], step["dropped"], step["edited"], step.get("flagged", 0), step["rows_in"] - step["dropped"]]
        rows.append([name, *counts, float(step["seconds"])])
    columns = ("step", "rows in", "dropped", "edited", "flagged", "left", "seconds")
    return Grid(title="The funnel, step by step", columns=columns, rows=rows, definitions=STEP)


def _step(step: Mapping[str, Any]) -> tuple[str, str]:
    """Name a recipe's step, and say its options as the recipe does."""
    (type_, options) = next(iter(step.items()))
    said = ", ".join(f"{name} {_option(value)}" for name, value in options.items() if name != "name" and value not in (None, [], {}, False))
    return str(options.get("name", type_)), f"{type_}: {said}" if said else ""


def _option(value: Any) -> str:
    """Write an option; of a path its name alone."""
    if isinstance(value, list | tuple):
        return " + ".join(map(_option, value))
    return value.rstrip("/").rpartition("/")[2] if isinstance(value, str) else str(value)


def _reasons(acted: pl.DataFrame, rows_in: int) -> Grid:
    counts = acted.group_by("action", "step", "rule").agg(rows=pl.col("position").n_unique())
    counts = counts.sort(_ORDER, "rows", "step", "rule", descending=[False, True, False, False])
    most = int(counts["rows"].max() or 1)  # type: ignore[arg-type]
    rows: list[list[Cell]] = []
    for action, step, name, count in counts.head(REASONS).iter_rows():
        reason = Shown(text=name if step == name else f"{step}: {name}", under=rule(name))
        part = share(count / rows_in) if rows_in else None
        rows.append([reason, ACTIONS.get(action, action), Shown(text=f"{count:,}", share=count / most), part])
    more = counts.height - REASONS
    definitions = {**REASON, **({"not shown": f"{more:,} further reasons, the rarest; the ledger holds them."} if more > 0 else {})}
    title = "Why rows went, changed or were marked"
    return Grid(title=title, columns=("reason", "action", "rows", "share"), rows=rows, numbers=("share",), definitions=definitions)


def _rows(folder: Path, acted: pl.DataFrame) -> Section:
    texts = ("position", "instruction", "input", "output")
    kept = pl.read_parquet(folder / "rows.parquet", columns=list(texts), glob=False)
    removed = pl.read_parquet(folder / "removed.parquet", columns=list(texts), glob=False).unique("position", keep="first")
    rejects = _rejects(folder)
    # Every rule gets its share of the sample: the first rows of each, by position.
    chosen = acted.sort(_ORDER, "step", "rule", "position").with_columns(nth=pl.int_range(pl.len()).over("step", "rule"))
    chosen = chosen.sort("nth", maintain_order=True).head(LIMIT).sort(_ORDER, "step", "rule", "position")
    before = chosen.join(removed, on="position", how="left", maintain_order="left").select("instruction", "input", "output")
    after = chosen.join(kept, on="position", how="left", maintain_order="left").select("instruction", "input", "output")
    records = []
    for entry, old, new in zip(chosen.iter_rows(named=True), before.iter_rows(), after.iter_rows(), strict=True):
        was, now = (_text(old), _text(new))
        text: Parts = (
            difference(was, now) if entry["action"] == "edit" and was and now else same(was or now or rejects.get(entry["position"], ""))
        )
        action = ACTIONS.get(entry["action"], entry["action"])
        records.append([entry["position"], action, entry["step"], entry["rule"], clip(_why(entry)), text])
    columns = (
        Column(name="position", type="id"),
        Column(name="action", filter=True),
        Column(name="step", filter=True),
        Column(name="rule", filter=True),
        Column(name="evidence"),
        Column(name="row", type="diff"),
    )
    lead = (
        "Every row that went, changed or was marked: a line for each rule that fired, dropped rows first, with the instruction, the "
        "input and → the answer. "
        "In edited rows, words that a fix took out are struck through and words that it put in are underlined."
    )
    table = Rows(id="rows-table", title="", columns=columns, records=records, total=acted.height)
    return Section(id="rows", title="The ledger", lead=lead, blocks=[table], rank=TABLES)


def _rejects(folder: Path) -> dict[int, str]:
    """Read the records that were no rows, as they stood, by position."""
    return dict(Version.open(folder).rejected.select("position", pl.col("raw").fill_null("")).iter_rows())


def _why(entry: Mapping[str, Any]) -> str:
    twin = "" if entry["twin_position"] is None else f"twin: row {entry['twin_position']}"
    similarity = "" if entry["similarity"] is None else f"similarity {entry['similarity']:.3f}"
    return "; ".join(part for part in (entry["evidence"] or "", twin, similarity) if part)


def _text(fields: tuple[str | None, ...]) -> str:
    instruction, input_, output = ((field or "") for field in fields)
    if not any((instruction, input_, output)):
        return ""
    return "\n".join(part for part in (instruction, input_, f"→ {output}") if part)
