"""Packs: what became of every token."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tunesmith.artefact import read_manifest
from tunesmith.reports import charts
from tunesmith.reports.blocks import Block, Cell, Figure, Figures, Grid, Plot, Section, Words
from tunesmith.reports.definitions import PACK
from tunesmith.reports.texts import share


def sections(folders: list[Path]) -> list[Section]:
    """Draw packs: one as figures, several as a table with a line each."""
    results = [read_manifest(folder, "pack").result for folder in folders]
    shown = [
        {
            "rows": result["rows"],
            "bins": result["bins"],
            "fill": share(result["fill"]),
            **{f"{name} tokens": count for name, count in result["tokens"].items()},
        }
        for result in results
    ]
    blocks: list[Block]
    if len(folders) == 1:
        figures = [Figure(label=name, value=v if isinstance(v, str) else f"{v:,}", definition=PACK[name]) for name, v in shown[0].items()]
        blocks = [Figures(figures=figures)]
    else:
        rows: list[list[Cell]] = [[folder.resolve().name, *each.values()] for folder, each in zip(folders, shown, strict=True)]
        definitions = {name: PACK[name] for name in shown[0]}
        blocks = [Grid(title="What is in them", columns=("pack", *shown[0]), rows=rows, numbers=("fill",), definitions=definitions)]
    largest = max(range(len(folders)), key=lambda k: int(results[k]["rows"]))
    ledger = pl.read_parquet(folders[largest] / "tokens.parquet", columns=["supervised", "masked"], glob=False)
    lengths = (ledger["supervised"] + ledger["masked"]).cast(pl.Int64)
    lengths = lengths.filter(lengths > 0)
    if lengths.len():
        least, median, most = (int(lengths.quantile(part, interpolation="nearest") or 0) for part in (0.0, 0.5, 1.0))
        named = f" of {folders[largest].resolve().name}" if len(folders) > 1 else ""
        blocks.append(
            Plot(
                title=f"Tokens a row{named}",
                picture=charts.histogram(lengths, axis="tokens, prompt and answer"),
                alt=f"Rows hold {least} to {most} tokens, median {median}.",
                caption=f"Rows by length: {least:,} to {most:,} tokens, median {median:,}; the last bar holds all longer ones.",
            )
        )
    blocks += [Words(text=f"Note: {warning}.") for result in results for warning in result.get("warnings", ())]
    contexts = sorted({int(result["context"]) for result in results if "context" in result})
    of = f" of {' or '.join(f'{context:,}' for context in contexts)} tokens" if contexts else ""
    lead = f"Rows as the model gets them: whole, side by side in bins{of}, none seeing its neighbours."
    title = "The pack" if len(folders) == 1 else "The packs"
    return [Section(id="pack", title=title, lead=lead, blocks=blocks)]
