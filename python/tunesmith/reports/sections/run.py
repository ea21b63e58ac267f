"""A run: how it learned."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tunesmith.artefact import Manifest, read_manifest
from tunesmith.reports import charts
from tunesmith.reports.blocks import Block, Cell, Figure, Figures, Grid, Plot, Section
from tunesmith.reports.definitions import RUN
from tunesmith.reports.texts import counted

POINTS = 200


def sections(folder: Path) -> list[Section]:
    """Draw a run."""
    manifest = read_manifest(folder, "run")
    blocks: list[Block] = [Figures(figures=_figures(manifest)), *_curves(folder, manifest)]
    options: list[list[Cell]] = [
        [name, value if isinstance(value, int | float | str) else str(value)]
        for name, value in {**manifest.options, **manifest.details.get("resolved", {})}.items()
        if value is not None
    ]
    blocks.append(Grid(title="Options", columns=("option", "value"), rows=options, folded=True))
    method = manifest.options.get("method")
    lead = "Loss is taken over the answers alone; packed rows do not see each other."
    return [Section(id="run", title="The finetune", lead=f"Method {method}. {lead}" if method else lead, blocks=blocks)]


def _figures(manifest: Manifest) -> list[Figure]:
    result = manifest.result
    shown = {
        "steps": f"{result['steps']:,}",
        "epochs": f"{result['epochs']:g}" if "epochs" in result else None,
        "tokens": f"{result['tokens']:,}",
        "supervised tokens": f"{result['supervised_tokens']:,}" if "supervised_tokens" in result else None,
        "loss": f"{result['loss']:.3f}" if result.get("loss") is not None else None,
        "validation loss": f"{result['validation_loss']:.3f}" if "validation_loss" in result else None,
        "tokens per second": f"{result['tokens_per_second']:,.0f}" if result.get("tokens_per_second") else None,
    }
    return [Figure(label=name, value=value, definition=RUN[name]) for name, value in shown.items() if value is not None]


def _curves(folder: Path, manifest: Manifest) -> list[Block]:
    losses = pl.read_parquet(folder / "losses.parquet", glob=False).filter(pl.col("phase") == "train")
    if not losses.height:
        return []
    # The mean over neighbouring steps, weighted by tokens: one step a point where there are at most POINTS.
    stride = max(1, -(-losses["step"].n_unique() // POINTS))
    curve = (
        losses.group_by((pl.col("step") - losses["step"].min()) // stride)
        .agg(x=pl.col("step").unique().mean(), y=(pl.col("loss") * pl.col("tokens")).sum() / pl.col("tokens").sum())
        .sort("x")
        .select(pl.lit("training").alias("series"), pl.col("x").cast(pl.Float64), "y")
    )
    seen = [("validation", float(entry["step"]), float(entry["loss"])) for entry in manifest.details.get("validation", ())]
    frame = pl.concat([curve, pl.DataFrame(seen, schema=curve.schema, orient="row")])
    first, last = curve["y"][0], curve["y"][-1]
    steps = f"{counted(losses['step'].n_unique(), 'step')} of training"
    held = f"; validation from {seen[0][2]:.3g} to {seen[-1][2]:.3g}" if seen else ""
    mean = "a point a step" if stride == 1 else f"each point the mean of {stride} steps"
    more = ", and over the validation part where it was measured (dashed)" if seen else ""
    return [
        Plot(
            title="Loss",
            picture=charts.lines(frame, x="step", y="nats per token"),
            alt=f"Training loss from {first:.3g} to {last:.3g}{held}.",
            caption=f"Cross-entropy in nats per supervised token over {steps}, {mean}{more}.",
        )
    ]
