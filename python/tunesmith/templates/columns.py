"""Templates that are text around instruction and input, rendered for whole columns at once."""

from __future__ import annotations

import polars as pl

from tunesmith.templates.template import Template


def fits(frame: pl.DataFrame, template: Template, *, answered: bool) -> pl.Series:
    """Tell which rows can be rendered columns-wise: instruct rows without system message that spell no special token.

    Args:
        frame: Rows (`rows.schema.ROW`).
        template: From `resolve`.
        answered: Whether a row needs an answer (else one is not looked at).
    Returns:
        ``Boolean[n]``.
    """
    if template.columns is None:
        return pl.Series([False], dtype=pl.Boolean).new_from_index(0, frame.height)
    texts = ["instruction", "input", *(["output"] if answered else [])]
    spelled = pl.any_horizontal(pl.col(name).fill_null("").str.contains_any(template.controls.spellings) for name in texts)
    plain = (pl.col("kind") == "instruct") & pl.col("messages").is_null() & (pl.col("system").fill_null("") == "") & ~spelled
    return frame.select((plain & (pl.col("output").fill_null("") != "") if answered else plain).alias("fits")).to_series()


def prompts(frame: pl.DataFrame, template: Template) -> pl.Series:
    """Render the prompts of rows that fit: ``String[n]``."""
    shape = template.columns
    if shape is None:
        return pl.Series("prompt", [], dtype=pl.String)
    instruction, given = (pl.col(name).fill_null("") for name in ("instruction", "input"))
    without = pl.concat_str(pl.lit(template.start + shape.without), instruction, pl.lit(shape.end))
    with_input = pl.concat_str(pl.lit(template.start + shape.with_input), instruction, pl.lit(shape.between), given, pl.lit(shape.end))
    return frame.select(pl.when(given == "").then(without).otherwise(with_input).alias("prompt")).to_series()


def answers(frame: pl.DataFrame, template: Template) -> pl.Series:
    """Render the answers of rows that fit, each with its end of turn: ``String[n]``."""
    return frame.select((pl.col("output") + pl.lit(template.end_of_turn)).alias("answer")).to_series()
