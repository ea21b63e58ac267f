"""The ledger: decisions with the ids of the rows they met and the evidence they rest on."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tunesmith.curation.measuring import Measures
from tunesmith.curation.steps import Step
from tunesmith.curation.steps.fix import NEW_ID
from tunesmith.rows.schema import LEDGER

READ = "read"
"""The step that rejects are booked under."""


def ledger(
    decisions: pl.DataFrame, first_ids: pl.DataFrame, measures: Measures, steps: Sequence[Step], rejected: pl.DataFrame
) -> pl.DataFrame:
    """Write decisions as a ledger.

    Args:
        decisions: Of `decision.decide`.
        first_ids: `position, row_id` as the rows were read.
        measures: What the decisions rest on.
        steps: The recipe's.
        rejected: `schema.REJECT`.
    Returns:
        `schema.LEDGER`, sorted by position, then in recipe order, then by rule; rejects are booked under `read`.
    """
    met = measures.values.join(decisions.select("position").unique(), on="position", how="semi", maintain_order="left")
    ids = _ids(first_ids, met, steps)
    notes = measures.notes.rename({"field": "_field", "evidence": "_evidence"}).unique(["position", "step", "rule"], keep="first")
    made = decisions.join(ids, on=["position", "step"], how="left", maintain_order="left")
    made = made.join(notes, on=["position", "step", "rule"], how="left", maintain_order="left")
    made = made.with_columns(
        pl.coalesce("field", "_field").alias("field"),
        pl.coalesce("evidence", "_evidence").alias("evidence"),
        pl.when(pl.col("action") == "edit").then("new_id").alias("new_id"),
    )
    order = {READ: 0, **{step.label: k for k, step in enumerate(steps, 1)}}
    whole = pl.concat([made.select(pl.col(name).cast(dtype) for name, dtype in LEDGER.items()), rejects(rejected)])
    return whole.sort("position", pl.col("step").replace_strict(order, return_dtype=pl.UInt32), "rule", maintain_order=True)


def rejects(rejected: pl.DataFrame) -> pl.DataFrame:
    """Book rejected records: the rule is the code, the evidence what was found and what was expected."""
    nothing = [name for name in LEDGER if name not in ("position", "step", "rule", "action", "field", "evidence")]
    made = rejected.with_columns(
        step=pl.lit(READ), rule=pl.col("code").fill_null("rejected"), action=pl.lit("reject"),
        evidence=pl.format("found {}, expected {}", pl.col("found").fill_null("nothing"), pl.col("expected").fill_null("a row")),
        **{name: pl.lit(None) for name in nothing},
    )  # fmt: skip
    return made.select(pl.col(name).cast(dtype) for name, dtype in LEDGER.items())


def _ids(first: pl.DataFrame, values: pl.DataFrame, steps: Sequence[Step]) -> pl.DataFrame:
    """`position, step, row_id` on entering each step and `new_id` after it, for every row that `values` has."""
    current = values.select("position").join(first, on="position", how="left", maintain_order="left")["row_id"]
    made = [pl.DataFrame(schema={"position": pl.UInt64, "step": pl.String, "row_id": pl.String, "new_id": pl.String})]
    for step in steps:
        name = f"{step.label}.{NEW_ID}"
        new = values[name] if name in values.columns else pl.Series("new_id", [None], dtype=pl.String).new_from_index(0, values.height)
        label = pl.lit(step.label).alias("step")
        made.append(values.select(pl.col("position"), label, current.alias("row_id"), new.alias("new_id")))
        current = pl.select(pl.coalesce(new.alias("a"), current.alias("b")).alias("row_id")).to_series()
    return pl.concat(made)
