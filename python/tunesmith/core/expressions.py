"""The kernels as expressions: `pl.col("output").tunesmith.rouge(...)`, lazy and streaming.

Only what looks at one row at a time is here: duplicates and packing see whole columns, and as expressions would
go wrong in silence when a query is streamed. Kernels run in the calling thread, for streaming is parallel already.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import series
from tunesmith.core.rouge import METRICS, Words, as_references, checked


@pl.api.register_expr_namespace("tunesmith")
class Expressions:
    """Registered by `import tunesmith.core`."""

    def __init__(self, expr: pl.Expr) -> None:
        self._expr = expr

    def rouge(
        self,
        references: pl.Expr | str,
        *,
        metrics: Sequence[str] = METRICS,
        stemmer: bool = False,
        tokenizer: Words = "google",
    ) -> pl.Expr:
        """Score this column of predictions against `references` (an expression, or a column's name).

        Returns:
            A Struct with a ``Struct{precision, recall, f1}`` a metric; otherwise as `tunesmith.core.rouge`.

        >>> frame = pl.DataFrame({"output": ["a b"], "target": ["a c"]})
        >>> scored = pl.col("output").tunesmith.rouge("target", metrics=["rouge1"])
        >>> frame.select(scored.struct.field("rouge1").struct.field("f1")).item()
        0.5
        """
        known = checked(metrics, tokenizer)
        score = pl.Struct({"precision": pl.Float64, "recall": pl.Float64, "f1": pl.Float64})

        def kernel(columns: Sequence[pl.Series]) -> pl.Series:
            made, against = series(columns[0], pl.String, name="predictions"), as_references(columns[1])
            unicode = tokenizer == "unicode"
            scores = _native.rouge(made, against, metrics=known, stemmer=stemmer, unicode=unicode, inline=True)
            return pl.DataFrame(scores).to_struct(made.name)

        returned = pl.Struct(dict.fromkeys(known, score))
        other = pl.col(references) if isinstance(references, str) else references
        return pl.map_batches([self._expr, other], kernel, return_dtype=returned, is_elementwise=True)
