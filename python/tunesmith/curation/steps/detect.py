"""`detect`: the detectors' findings as values; drop at one severity, flag at another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field, model_validator

from tunesmith import detection
from tunesmith.curation.steps.base import NOTE, Measured, RowStep, decisions, no_decisions
from tunesmith.curation.steps.filter import check_row_wise, evaluate
from tunesmith.errors import OptionError, did_you_mean
from tunesmith.rows.schema import FINDING

SEVERITIES = ("fatal", "review", "information")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,60}")
_EVIDENCE = 200
Level = Literal["none", "fatal", "review", "all"]
_COVERED: dict[Level, tuple[str, ...]] = {"none": (), "fatal": SEVERITIES[:1], "review": SEVERITIES[:2], "all": SEVERITIES}


class Detect(RowStep):
    """Run the detectors over every supervised turn; drop rows with findings of one severity, flag those of another."""

    type: ClassVar[str] = "detect"
    deciding: ClassVar[frozenset[str]] = frozenset({"drop", "flag", "only", "skip"})

    drop: Level = Field(default="fatal", description="Drop rows with a finding of this severity or worse.")
    flag: Level = Field(default="all", description="Flag rows with a finding of this severity or worse that is not dropped.")
    only: tuple[str, ...] | None = Field(default=None, description="Detectors to run; all when absent.")
    skip: tuple[str, ...] = Field(default=(), description="Detectors to leave out.")
    where: dict[str, str] = Field(
        default_factory=dict,
        description="Detectors of your own: a name, and a Polars SQL expression over the row's columns that is true where there is a "
        "finding, "
        "which is for review.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Detect:
        if self.only is not None and self.skip:
            raise ValueError("only and skip exclude each other; give one")
        return self

    def checked(self) -> None:
        """Refuse unknown detectors."""
        for option, names in (("only", self.only or ()), ("skip", self.skip)):
            for name in names:
                if name not in detection.DETECTORS:
                    raise OptionError(f'{option}: "{name}" is no detector; {did_you_mean(name, detection.DETECTORS)}')
        for name in self.where:
            if not _NAME.fullmatch(name):
                raise OptionError(f'where: expected names of small letters, digits and _, found "{name}"')
            if name in detection.DETECTORS:
                raise OptionError(f'where: "{name}" is the name of a detector; choose another one')

    def prepare(self, schema: pl.Schema) -> None:
        """Refuse expressions that are broken, or look at more than their row."""
        for condition in self.where.values():
            check_row_wise(condition, schema)

    def _wanted(self, name: str) -> bool:
        return name not in self.skip and (self.only is None or name in self.only)

    def _counts(self, name: str) -> bool:
        return name in self.where or self._wanted(name)

    def measures(self) -> Mapping[str, pl.DataType] | None:
        """Findings per detector and severity: a detector's own severity always, another where it was found."""
        wanted = {name: detector for name, detector in detection.DETECTORS.items() if self._wanted(name)}
        own = {f"{name}.review": pl.UInt32() for name in self.where}
        return {**{f"{name}.{detector.severity}": pl.UInt32() for name, detector in wanted.items()}, **own}

    def measure(self, chunk: pl.DataFrame) -> Measured:
        """Count the findings of a chunk."""
        names = [name for name in detection.DETECTORS if self._wanted(name)]
        found = pl.concat([detection.find(chunk, only=names), *(_own(name, condition, chunk) for name, condition in self.where.items())])
        counts = found.group_by("position", pl.concat_str("detector", "severity", separator=".").alias("measure")).len()
        wide = counts.with_columns(pl.col("len").cast(pl.UInt32)).pivot(on="measure", index="position", values="len")
        values = chunk.select("position").join(wide, on="position", how="left", maintain_order="left")
        return Measured(values=values.with_columns(pl.exclude("position").fill_null(0)), notes=_notes(found))

    def decide(self, alive: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG002
        """Drop and flag by severity; the rule is the detector's name, the value its number of findings."""
        columns = [name for name in alive.columns if name != "position" and self._counts(name.rpartition(".")[0])]
        if not columns:
            return no_decisions()
        found = alive.filter(pl.any_horizontal(pl.col(columns) > 0)).select(
            "position", *columns
        )  # few rows of all, for a line a column each
        long = found.unpivot(index="position", on=columns, variable_name="measure", value_name="count")
        found = long.filter(pl.col("count") > 0).with_columns(
            pl.col("measure").str.split(".").list.first().alias("rule"), pl.col("measure").str.split(".").list.last().alias("severity")
        )
        dropped = pl.col("severity").is_in(_COVERED[self.drop])
        flagged = pl.col("severity").is_in(_COVERED[self.flag])
        action = pl.when(dropped).then(pl.lit("drop")).when(flagged).then(pl.lit("flag"))
        judged = found.with_columns(action.alias("action")).filter(pl.col("action").is_not_null())
        worst = pl.when((pl.col("action") == "drop").any()).then(pl.lit("drop")).otherwise(pl.lit("flag")).alias("action")
        merged = judged.group_by("position", "rule").agg(worst, pl.col("count").sum())
        return decisions(merged, value=pl.col("count"))

    def unanswered(self, measured: frozenset[str]) -> str | None:
        """Detectors that did not run cannot be asked."""
        ran = {name.rpartition(".")[0] for name in measured}
        missing = [name for name in (*detection.DETECTORS, *self.where) if self._counts(name) and name not in ran]
        return f"{missing[0]} did not run" if missing else None


def _own(name: str, condition: str, chunk: pl.DataFrame) -> pl.DataFrame:
    """Find the rows for which a condition holds; its text is the evidence."""
    holding = chunk.filter(evaluate(condition, chunk).fill_null(value=False)).select("position")
    made = holding.with_columns(detector=pl.lit(name), severity=pl.lit("review"), evidence=pl.lit(condition[:_EVIDENCE]))
    return made.with_columns(pl.lit(None).alias(column) for column in FINDING if column not in made.columns).select(
        pl.col(column).cast(dtype) for column, dtype in FINDING.items()
    )


def _notes(found: pl.DataFrame) -> pl.DataFrame:
    """Keep the first finding of each row and detector, and say how many more there are."""
    by = found.with_columns(pl.len().over("position", "detector").alias("all"))
    first = by.unique(["position", "detector"], keep="first", maintain_order=True).rename({"detector": "rule"})
    more = pl.when(pl.col("all") > 1).then(pl.format("{} (and {} more)", pl.col("evidence").fill_null(""), pl.col("all") - 1))
    return first.with_columns(more.otherwise("evidence").alias("evidence")).select(pl.col(n).cast(t) for n, t in NOTE.items())
