"""`tunesmith curate`: a new version and its ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.manners import Outcome, Session, require, rows_per_file, verb
from tunesmith.cli.reading import reading

if TYPE_CHECKING:
    from rich.console import Console

    from tunesmith.curation import Curated


@verb(
    "curate",
    example="""
tunesmith curate alpaca.json -o clean
tunesmith curate alpaca.json more.jsonl -o clean --recipe recipe.yaml
tunesmith curate alpaca.json --dry-run
""",
    remote=("out",),
)
@click.argument("sources", nargs=-1, metavar="SOURCE...")
@click.option("-o", "--out", type=click.Path(file_okay=False), help="The version to write: a folder, or an address (s3://bucket/v1).")
@click.option("--recipe", type=click.Path(dir_okay=False), help="A recipe (`tunesmith recipe new`); the default one unless given.")
@reading
@click.option("--cache", type=click.Path(file_okay=False), help="Keep what models computed here, by content (`select` with `embed`).")
@rows_per_file
@click.option("--dry-run", is_flag=True, help="Decide and show, but write nothing.")
@click.option("--force", is_flag=True, help="Replace what lies at the output.")
def command(
    session: Session,
    sources: tuple[str, ...],
    out: str | None,
    recipe: str | None,
    format_: str | None,
    mapping: dict[str, str] | None,
    cache: str | None,
    rows_per_file: int | None,
    *,
    dry_run: bool,
    force: bool,
) -> Outcome:
    """Curate rows into a new version, every row accounted for.

    SOURCE is a file, glob, folder, `-` or a version; several are taken in order; without any, those of the recipe.
    Without a recipe: safe fixes are made, rows with fatal findings and exact copies are dropped, other findings and near
    copies are flagged. The version holds the rows, what was removed, and a ledger of every rule that fired.
    """
    from tunesmith.curation import curate, load_recipe

    require(out or dry_run, "expected -o VERSION (what to write), or --dry-run to see what would happen")
    loaded = load_recipe(recipe)
    require(sources or loaded.sources, "expected a SOURCE, or a recipe that has `sources`; found neither")
    made = curate(
        list(sources) or None, loaded, out=out, format=format_, mapping=mapping, dry_run=dry_run, force=force, cache=cache,
        rows_per_file=rows_per_file, progress=session.progress,
    )  # fmt: skip
    data: dict[str, Any] = {**made.summary, "out": None if dry_run else out, "reused": made.reused}
    if dry_run:
        data["dry_run"] = True
    return Outcome(data=data, show=lambda console: _show(console, made, out, dry_run=dry_run))


def _show(console: Console, made: Curated, out: str | None, *, dry_run: bool) -> None:
    from shlex import quote

    from tunesmith.cli.terminal import table

    funnel: list[list[object]] = [["read", made.rows_in, made.rejected or None, None, None, made.rows_in - made.rejected]]
    if made.added:
        funnel.append(["added", made.added, None, None, None, made.rows_in - made.rejected + made.added])
    for step in made.steps:
        left = step["rows_in"] - step["dropped"]
        funnel.append([step["step"], step["rows_in"], step["dropped"] or None, step["edited"] or None, step["flagged"] or None, left])
    console.print(table("Rows, step by step", ["step", "in", "dropped", "edited", "flagged", "out"], funnel))
    if made.reasons:
        reasons = [[reason, rows] for reason, rows in made.reasons.items()]
        console.print(table("Why rows were dropped (a row counts under each of its reasons)", ["step.rule", "rows"], reasons))
        console.print(table("Three of them", ["row", "rule", "because", "text"], _examples(made)))
    console.print(
        f"{made.rows_in:,} in{f' + {made.added:,} added' if made.added else ''}"
        f" = {made.kept:,} kept + {made.dropped:,} dropped + {made.rejected:,} rejected;"
        f" of those kept {made.edited:,} edited, {made.flagged:,} flagged",
        markup=False,
        soft_wrap=True,
    )
    if dry_run:
        console.print("nothing was written (--dry-run)", markup=False)
        return
    console.print(
        f"{out}: already made from the same rows and recipe" if made.reused else f"written to {out}", markup=False, soft_wrap=True
    )
    first = made.ledger.filter(action="drop")["position"].to_list()[:1]  # `removed` holds edited rows as well
    if first:
        console.print(f"why a row is gone: tunesmith explain {quote(str(out))} {first[0]}", markup=False, soft_wrap=True)


def _examples(made: Curated) -> list[list[object]]:
    """One dropped row of each of the three most frequent reasons; as many as there are."""
    import polars as pl

    drops = made.ledger.filter(action="drop").with_columns(pl.concat_str("step", "rule", separator=".").alias("reason"))
    drops = drops.filter(pl.col("reason").is_in(list(made.reasons)[:3])).unique("reason", keep="first", maintain_order=True)
    if drops.height < 3:
        drops = made.ledger.filter(action="drop").with_columns(reason=pl.concat_str("step", "rule", separator=".")).unique(
            "position", keep="first", maintain_order=True
        )  # fmt: skip
    texts = made.removed.select("position", pl.concat_str("instruction", "output", separator=" → ", ignore_nulls=True).alias("text"))
    shown = drops.head(3).join(texts.unique("position", keep="last"), on="position", how="left", maintain_order="left")
    return [
        [str(row["position"]), row["reason"], _because(row), _short(row["text"])]
        for row in shown.iter_rows(named=True)
    ]  # fmt: skip


def _because(row: dict[str, Any]) -> str:
    if row["evidence"] is None and row["threshold"] is not None:
        return f"{row['value']:g} against {row['threshold']:g}"
    return _short(row["evidence"])


def _short(text: str | None) -> str:
    folded = " ".join((text or "").split())
    return folded if len(folded) <= 70 else folded[:69] + "…"
