"""`tunesmith compare`: two evaluations of the same items, paired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.manners import Outcome, Session, verb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

SLICED = "rougeL"
"""The metric whose slices the terminal shows; `--json` has all."""
SHOWN = 5


@verb(
    "compare",
    example="""
tunesmith compare base finetuned
tunesmith compare base finetuned --summary summary.md
""",
)
@click.argument("base")
@click.argument("other")
@click.option("--summary", type=click.Path(dir_okay=False), help="Also write the tables as Markdown.")
@click.option("--force", is_flag=True, help="Replace an existing --summary file.")
def command(session: Session, base: str, other: str, summary: str | None, *, force: bool) -> Outcome:
    """Compare two evaluations of the same items, paired item by item; every difference is OTHER - BASE.

    Metrics come with a paired 95% interval and test, findings with the items fixed and broken and McNemar's exact
    test, adjusted over the detectors (Holm).
    """
    from pathlib import Path

    from tunesmith.errors import ArtefactError
    from tunesmith.evaluation import compare, markdown

    if summary and not force and Path(summary).is_file() and Path(summary).stat().st_size:
        raise ArtefactError(f"{summary} exists; choose another file, or --force to replace it")
    compared = compare(base, other, seed=session.seed)
    if summary:
        Path(summary).write_text(markdown(compared) + "\n", encoding="utf-8")
    return Outcome(data={**compared, **({"summary": summary} if summary else {})}, show=lambda console: _show(console, compared, summary))


def _show(console: Console, compared: Mapping[str, Any], summary: str | None) -> None:
    from tunesmith.cli.terminal import table

    console.print(f"{compared['base']} -> {compared['other']}: {compared['items']:,} items, paired", markup=False)
    rows = [[name, *_numbers(row)] for name, row in compared["metrics"].items()]
    if rows:
        title = f"Metrics: paired difference, 95% interval ({compared['interval']['means']})"
        console.print(table(title, ["metric", "base", "other", "difference", "low", "high", "p"], rows))
    changes = sorted(compared["findings"].items(), key=lambda each: each[1]["other"] - each[1]["base"])
    found = [[name, f"{row['base']:.1%}", f"{row['other']:.1%}", row["fixed"], row["broken"], _p(row["p"])] for name, row in changes]
    if found:
        title = "Findings: share of items; fixed: only in base, broken: only in other (McNemar, Holm)"
        console.print(table(title, ["detector", "base", "other", "fixed", "broken", "p"], found))
    metric = SLICED if SLICED in compared["metrics"] else next(iter(compared["metrics"]), None)
    sliced = _largest([row for row in compared["slices"] if row["metric"] == metric])
    if sliced:
        title = f"{metric} by slice, the largest of each column (p: Holm over all slices; --json has all)"
        heading = ["slice", "items", "difference", "interval", "p"]
        lines = [
            [
                f"{row['slice']}: {row['value']}",
                row["items"],
                f"{row['difference']:+.4f}",
                f"{row['low']:+.4f} to {row['high']:+.4f}",
                _p(row["p"]),
            ]
            for row in sliced
        ]
        console.print(table(title, heading, lines))
    for note in compared["notes"]:
        console.print(f"note: {note}", markup=False, soft_wrap=True)
    if summary:
        console.print(f"written to {summary}", markup=False)


def _largest(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Take the first few values of each column that divides the items at all; they come by size."""
    by_column: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_column.setdefault(row["slice"], []).append(row)
    return [row for values in by_column.values() if len(values) > 1 for row in values[:SHOWN]]


def _numbers(row: Mapping[str, Any]) -> list[object]:
    signed = [f"{row[key]:+.4f}" for key in ("difference", "low", "high")]
    return [f"{row['base']:.4f}", f"{row['other']:.4f}", *signed, _p(row["p"])]


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1e}"
