"""The kernels as expressions: `pl.col("output").tunesmith.rouge(...)`, lazy and streaming.

Only what looks at one row at a time is here: duplicates, overlap and packing see whole columns, and as expressions would
go wrong in silence when a query is streamed. Each answers as its twin of the same name in `tunesmith.core`, or of the
tokenizer. Kernels run in the calling thread, for streaming is parallel already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import series
from tunesmith.core.duplicate_stages import verify_pairs
from tunesmith.core.near_options import Unit
from tunesmith.core.quality import judged, quality_rules
from tunesmith.core.rouge import METRICS, Words, as_references, checked
from tunesmith.core.rule_sets import RuleSetName
from tunesmith.core.signals import signals
from tunesmith.core.tokenizer import Tokenizer

Column = pl.Expr | str
"""An expression, or the name of a column."""


@pl.api.register_expr_namespace("tunesmith")
class Expressions:
    """Registered by `import tunesmith.core`."""

    def __init__(self, expr: pl.Expr) -> None:
        self._expr = expr

    def rouge(
        self,
        references: Column,
        *,
        metrics: Sequence[str] = METRICS,
        stemmer: bool = False,
        tokenizer: Words = "google",
    ) -> pl.Expr:
        """Score this column of predictions against `references`.

        Returns:
            A Struct with a ``Struct{precision, recall, f1}`` a metric; otherwise as `tunesmith.core.rouge`.

        >>> frame = pl.DataFrame({"output": ["a b"], "target": ["a c"]})
        >>> scored = pl.col("output").tunesmith.rouge("target", metrics=["rouge1"])
        >>> frame.select(scored.struct.field("rouge1").struct.field("f1")).item()
        0.5
        """
        known = checked(metrics, tokenizer)
        score = pl.Struct({"precision": pl.Float64, "recall": pl.Float64, "f1": pl.Float64})

        def kernel(predictions: pl.Series, against: pl.Series) -> pl.Series:
            made, against = series(predictions, pl.String, name="predictions"), as_references(against)
            unicode = tokenizer == "unicode"
            scores = _native.rouge(made, against, metrics=known, stemmer=stemmer, unicode=unicode, inline=True)
            return pl.DataFrame(scores).to_struct()

        return _elementwise([self._expr, references], kernel, pl.Struct(dict.fromkeys(known, score)))

    def signals(self, *, only: Sequence[str] | None = None) -> pl.Expr:
        """Measure this column of texts.

        Returns:
            A Struct with a field a signal, or for each that ``only`` names, all null for null; otherwise as
            `tunesmith.core.signals`.

        >>> pl.select(pl.lit("So so good.").tunesmith.signals().struct.field("words")).item()
        3
        """

        def kernel(texts: pl.Series) -> pl.Series:
            return pl.DataFrame(_native.signals(series(texts, pl.String, name="texts"), True, None, only)).to_struct()

        return _elementwise([self._expr], kernel, pl.Struct(signals([], only=only).schema))

    def quality_rules(self, *, rules: RuleSetName = "gopher:datatrove", bounds: Mapping[str, float | None] | None = None) -> pl.Expr:
        """Judge this column of texts by the rules of another system.

        Returns:
            A Struct ``kept, rule`` and a field a measure, all null for null; otherwise as `tunesmith.core.quality_rules`.

        >>> judged = pl.lit("Too short.").tunesmith.quality_rules(rules="gopher:dolma")
        >>> pl.select(judged.struct.field("rule")).item()
        'word_count_min'
        """

        def kernel(texts: pl.Series) -> pl.Series:
            return judged(series(texts, pl.String, name="texts"), rules=rules, bounds=bounds, inline=True).to_struct()

        return _elementwise([self._expr], kernel, pl.Struct(quality_rules([], rules=rules, bounds=bounds).schema))

    def word_diff(self, other: Column) -> pl.Expr:
        """Compare this column of texts, word by word, with `other`, the texts after.

        Returns:
            ``List[Struct{op, a_start, a_end, b_start, b_end}]``, as `tunesmith.core.word_diff`.

        >>> frame = pl.DataFrame({"old": ["the old cat"], "new": ["the new cat"]})
        >>> frame.select(pl.col("old").tunesmith.word_diff("new").list.len()).item()
        4
        """
        spans = {"op": pl.String, **dict.fromkeys(("a_start", "a_end", "b_start", "b_end"), pl.UInt32)}

        def kernel(a: pl.Series, b: pl.Series) -> pl.Series:
            return _one(_native.word_diff(series(a, pl.String, name="a"), series(b, pl.String, name="b"), True))

        return _elementwise([self._expr, other], kernel, pl.List(pl.Struct(spans)))

    def verify_pairs(
        self, other: Column, *, shingle: int = 5, unit: Unit = "word", fold_numbers: bool = False, fold_marks: bool = False
    ) -> pl.Expr:
        """Measure how similar this column's texts are to those of `other`.

        Returns:
            ``Float64``, as `tunesmith.core.verify_pairs`.

        >>> frame = pl.DataFrame({"a": ["a b c d"], "b": ["a b c"]})
        >>> frame.select(pl.col("a").tunesmith.verify_pairs("b", shingle=1)).item()
        0.75
        """

        def kernel(a: pl.Series, b: pl.Series) -> pl.Series:
            return verify_pairs(a, b, shingle=shingle, unit=unit, fold_numbers=fold_numbers, fold_marks=fold_marks)

        none = pl.Series([], dtype=pl.String)
        kernel(none, none)  # mistakes are told where they are made
        return _elementwise([self._expr, other], kernel, pl.Float64())

    def row_ids(self, *others: Column) -> pl.Expr:
        """Hash rows by content: this column and `others`, in this order.

        Returns:
            ``String``, 32 hex digits a row, as `tunesmith.core.row_ids`.

        >>> frame = pl.DataFrame({"a": ["x", "x"], "b": [None, ""]})
        >>> frame.select(pl.col("a").tunesmith.row_ids("b")).to_series().n_unique()
        1
        """

        def kernel(*fields: pl.Series) -> pl.Series:
            made = [series(field, pl.String, name=f"fields[{place}]") for place, field in enumerate(fields)]
            return _one(_native.row_ids(made, True))

        return _elementwise([self._expr, *others], kernel, pl.String())

    def encode(
        self, tokenizer: Tokenizer, *, special_tokens: bool = False, parse_special: bool = False, continuation: bool = False
    ) -> pl.Expr:
        """Encode this column of texts into ids, ``List(UInt32)``: see `Tokenizer.encode`."""
        options = {"special_tokens": special_tokens, "parse_special": parse_special, "continuation": continuation}
        return tokenizer.encode_expr(self._expr, **options)

    def token_count(
        self, tokenizer: Tokenizer, *, special_tokens: bool = False, parse_special: bool = False, continuation: bool = False
    ) -> pl.Expr:
        """Count the ids of this column of texts, ``UInt32``: see `Tokenizer.count`."""
        options = {"special_tokens": special_tokens, "parse_special": parse_special, "continuation": continuation}
        return tokenizer.count_expr(self._expr, **options)

    def decode(self, tokenizer: Tokenizer, *, skip_special_tokens: bool = True) -> pl.Expr:
        """Decode this column of ids into texts, ``String``: see `Tokenizer.decode`."""
        return tokenizer.decode_expr(self._expr, skip_special_tokens=skip_special_tokens)


def _elementwise(columns: Sequence[Column], kernel: Callable[..., pl.Series], returned: pl.DataType) -> pl.Expr:
    """Make an expression of a kernel that looks at one row at a time; it is called with columns of one length."""

    def call(given: Sequence[pl.Series]) -> pl.Series:
        # A literal comes as one row; beside a column of no rows it stands for none.
        rows = next((len(column) for column in given if len(column) != 1), 1)
        return kernel(*[column if len(column) == rows else column.new_from_index(0, rows) for column in given]).alias(given[0].name)

    expressions = [pl.col(column) if isinstance(column, str) else column for column in columns]
    return pl.map_batches(expressions, call, return_dtype=returned, is_elementwise=True)


def _one(table: _native.Frame) -> pl.Series:
    return pl.DataFrame(table).to_series()
