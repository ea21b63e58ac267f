"""`filter`: keep rows whose lengths lie within bounds, that pass the rules of the web, or for which a Polars SQL expression holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import polars as pl
from pydantic import Field, field_validator, model_validator

from tunesmith.core.rule_sets import RuleSetName
from tunesmith.curation.steps import texts
from tunesmith.curation.steps.base import Measured, Options, RowStep, decisions, no_decisions
from tunesmith.curation.steps.rules import Rules
from tunesmith.errors import OptionError
from tunesmith.slices.slicing import WORD

if TYPE_CHECKING:
    from tunesmith.templates import ModelTokenizer

Unit = Literal["characters", "words", "tokens"]
UNITS: tuple[Unit, ...] = ("characters", "words", "tokens")


class Length(Options):
    """Bounds on the length of a text, both inclusive."""

    min: int | None = Field(default=None, ge=0, description="Shorter rows are dropped.")
    max: int | None = Field(default=None, ge=0, description="Longer rows are dropped.")
    of: str = Field(default="response", description="prompt, response, or a text column.")

    @model_validator(mode="after")
    def _in_order(self) -> Length:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}: no row could stay")
        return self


class Tokens(Length):
    """Bounds in tokens of a tokenizer, special tokens not counted."""

    tokenizer: str = Field(description="A folder with tokenizer.json, or a model's name.")


class Filter(RowStep):
    """Drop rows by length, by the rules of the web, or by an expression.

    Characters are code points; words are runs of letters and digits, and every character of a script without spaces.
    """

    type: ClassVar[str] = "filter"
    deciding: ClassVar[frozenset[str]] = frozenset(f"{unit}.{bound}" for unit in UNITS for bound in ("min", "max")) | {
        "rules.bounds",
        "rules.skip",
    }

    characters: Length | None = Field(default=None, description="Bounds in characters (code points).")
    words: Length | None = Field(default=None, description="Bounds in words.")
    tokens: Tokens | None = Field(default=None, description="Bounds in tokens.")
    rules: Rules | None = Field(default=None, description="Rules that others made for web pages; a set's name, or its options.")
    where: str | None = Field(default=None, description="A Polars SQL expression; rows for which it is not true are dropped.")

    @field_validator("rules", mode="before", json_schema_input_type=RuleSetName | Rules | None)
    @classmethod
    def _named(cls, value: Any) -> Any:
        return {"set": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _something(self) -> Filter:
        if not self._lengths and self.rules is None and self.where is None:
            raise ValueError("nothing to filter by; give characters, words, tokens, rules or where")
        return self

    @property
    def _lengths(self) -> dict[Unit, Length]:
        return {unit: getattr(self, unit) for unit in UNITS if getattr(self, unit) is not None}

    def checked(self) -> None:
        """Refuse rules that are not in the set."""
        if self.rules is not None:
            self.rules.checked()

    def resolved(self, folder: Path) -> Filter:
        """Read a tokenizer's folder relative to the recipe."""
        if self.tokens is None or not (folder / self.tokens.tokenizer).is_dir():
            return self
        tokens = self.tokens.model_copy(update={"tokenizer": str((folder / self.tokens.tokenizer).resolve())})
        return self.model_copy(update={"tokens": tokens})

    def inputs(self) -> Mapping[str, str]:
        """Name the tokenizer."""
        return {} if self.tokens is None else {f"tokenizer {self.tokens.tokenizer}": self._tokenizer.hash}

    @cached_property
    def _tokenizer(self) -> ModelTokenizer:
        from tunesmith.templates import load_tokenizer

        return load_tokenizer(cast("Tokens", self.tokens).tokenizer)

    def prepare(self, schema: pl.Schema) -> None:
        """Refuse columns that are not there and expressions that look at more than their row."""
        of = [length.of for length in self._lengths.values()]
        texts.check(schema, of if self.rules is None else [*of, self.rules.of])
        if self.where is not None:
            check_row_wise(self.where, schema)

    def measures(self) -> Mapping[str, pl.DataType]:
        """Lengths as counts, what rules look at as numbers, the expression as a truth value."""
        made: dict[str, pl.DataType] = {unit: pl.UInt32() for unit in self._lengths}
        made |= self.rules.measures() if self.rules is not None else {}
        return {**made, "where": pl.Boolean()} if self.where is not None else made

    def measure(self, chunk: pl.DataFrame) -> Measured:
        """Count, measure, and evaluate the expression."""
        columns = [self._count(unit, texts.text(chunk, length.of)).alias(unit) for unit, length in self._lengths.items()]
        if self.rules is not None:
            columns += self.rules.measure(texts.text(chunk, self.rules.of))
        if self.where is not None:
            columns.append(evaluate(self.where, chunk))
        return Measured(values=chunk.select("position").with_columns(columns))

    def _count(self, unit: Unit, values: pl.Series) -> pl.Series:
        if unit == "characters":
            return values.str.len_chars().cast(pl.UInt32)
        if unit == "words":
            return values.str.count_matches(WORD).cast(pl.UInt32)
        return pl.Series(self._tokenizer.core.count(values)).cast(pl.UInt32)

    def decide(self, alive: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG002
        """Drop what lies outside a bound; the rule is the bound's name, as what-if takes it."""
        made = [no_decisions()]
        for unit, length in self._lengths.items():
            for bound, limit in (("min", length.min), ("max", length.max)):
                if limit is not None:
                    lost = alive.filter(pl.col(unit) < limit if bound == "min" else pl.col(unit) > limit)
                    rule = f"{unit}.{bound}"
                    made.append(decisions(lost, rule=rule, action="drop", field=length.of, value=pl.col(unit), threshold=float(limit)))
        if self.rules is not None:
            made += self.rules.decide(alive)
        if self.where is not None:
            lost = alive.filter(~pl.col("where").fill_null(value=False))
            made.append(decisions(lost, rule="where", action="drop", value=pl.col("where").cast(pl.Float64), evidence=self.where))
        return pl.concat(made)

    def unanswered(self, measured: frozenset[str]) -> str | None:
        """Only what was counted or measured can be bounded anew."""
        missing: list[str] = [unit for unit in self._lengths if unit not in measured]
        missing += [name for name in (self.rules.measures() if self.rules is not None else ()) if name not in measured]
        return f"{missing[0]} were not counted" if missing else None


_MORE_THAN_A_ROW = re.compile(
    r"(?<!\.list)(?<!\.arr)(?<!\.str)\.(mean|sum|min|max|count|len|first|last|std|var|median|quantile|n_unique|implode|item|over|explode|sort|rank|shift"
    r"|cum_\w+|unique|slice|head|tail|gather|any|all|product|mode|arg_\w+|rolling_\w+|corr|skew|kurtosis|reverse)\(|\blen\(\)"
    r"|^\s*(EXPLODE|JOIN|AGGREGATE|SORT|SLICE|FILTER|UNIQUE)\b",
    re.MULTILINE,
)
_QUOTED = re.compile(r'"[^"]*"')


def evaluate(where: str, frame: pl.DataFrame) -> pl.Series:
    """Evaluate a Polars SQL expression row by row: true, false, or null where SQL does not know.

    >>> evaluate("topic <> 'spam'", pl.DataFrame({"topic": ["a", "spam", None]})).to_list()
    [True, False, None]
    """
    return _query(where, frame.lazy()).collect().to_series()


def check_row_wise(where: str, schema: pl.Schema) -> None:
    """Refuse an expression that is broken, not a condition, or that looks at other rows (its answer would depend on the chunk).

    Raises:
        OptionError: Saying which.
    """
    place = f"where: {where!r}"
    if re.search(r"\bselect\b|;", re.sub(r"'[^']*'", "", where), re.IGNORECASE):
        raise OptionError(f"{place}: expected an expression over one row's columns, found a query")
    try:
        query = _query(where, pl.DataFrame(schema=schema).lazy())
        kind, plan = query.collect_schema()["where"], query.explain(optimized=False)
    except pl.exceptions.PolarsError as error:
        first = str(error).partition("\n")[0]
        raise OptionError(f"{place}: expected a Polars SQL expression over {', '.join(schema)}; found: {first}") from error
    if kind != pl.Boolean:
        raise OptionError(f"{place}: expected a condition (true or false), found a value of type {kind}")
    if _MORE_THAN_A_ROW.search(_QUOTED.sub('""', plan)):
        raise OptionError(f"{place}: expected a condition on one row, found one that looks at other rows (an aggregate or a window)")


def _query(where: str, rows: pl.LazyFrame) -> pl.LazyFrame:
    return pl.SQLContext(rows=rows, eager=False).execute(f'SELECT ({where}) AS "where" FROM rows')
