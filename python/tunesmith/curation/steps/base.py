"""The three shapes of a step, and what passes between a step, an engine and the ledger.

A step is its options, read from a recipe, with two halves: *measures* (what an engine runs over the rows) and *decide*
(a pure function of those measures). An engine knows the shapes only; the ledger knows the decisions only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from tunesmith.progress import SILENT, Progress
from tunesmith.rows.schema import EDGES

if TYPE_CHECKING:
    from pathlib import Path

Shape = Literal["row", "keyed", "ranked"]

DECISION = pl.Schema({
    "position": pl.UInt64,
    "rule": pl.String,
    "action": pl.String,  # drop | edit | flag
    "field": pl.String,
    "value": pl.Float64,
    "threshold": pl.Float64,
    "evidence": pl.String,  # what the values themselves show; texts are joined from NOTE
    "twin_position": pl.UInt64,
    "similarity": pl.Float64,
})  # fmt: skip
"""What a step decides about a row; `step` is added by `decision.decide`."""

NOTE = pl.Schema({"position": pl.UInt64, "rule": pl.String, "field": pl.String, "turn": pl.UInt32, "evidence": pl.String})
"""What a measure saw, for the ledger: the place and the text, which no decision depends on."""


class Options(BaseModel):
    """Part of a recipe: unknown keys are refused, nothing is changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a step measured.

    Attributes:
        values: `position` and one column per measure, without the step's name; every row that was given.
        notes: `NOTE`.
        edges: `EDGES` without `step` (keyed steps).
        edited: The rows whose text the step changed, whole, as they are now (row steps).
    """

    values: pl.DataFrame
    notes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=NOTE))
    edges: pl.DataFrame | None = None
    edited: pl.DataFrame | None = None


class Step(Options, ABC):
    """What all steps share."""

    type: ClassVar[str]
    shape: ClassVar[Shape]
    deciding: ClassVar[frozenset[str]] = frozenset()
    """Options (dotted) that only decide: another value is answered from the measures that are there."""

    rewrites: ClassVar[bool] = False
    """Whether it changes texts, so that rows leave it with other ids."""

    name: str | None = Field(default=None, pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", description="What the step is called in the ledger.")

    @property
    def label(self) -> str:
        """The step's name in the ledger; the recipe gives one to every step."""
        return self.name or self.type

    def checked(self) -> None:
        """Refuse names that nothing answers to.

        Raises:
            OptionError: With the closest known name.
        """

    def resolved(self, folder: Path) -> Step:  # noqa: ARG002
        """Fill in what follows from other options, and read paths relative to the recipe's folder."""
        return self

    def inputs(self) -> Mapping[str, str]:
        """Name the files that the step reads besides the rows, with their content hashes."""
        return {}

    def files(self) -> tuple[str, ...]:
        """Name the files that are lost if an output replaces them."""
        return ()

    def remarks(self) -> tuple[str, ...]:
        """Tell what somebody who reads the outcome should know of the step's files."""
        return ()

    def additions(self, columns: pl.Schema) -> pl.DataFrame:
        """Make the rows that the step adds; they are read with the sources, and get their positions there.

        Args:
            columns: The columns that they must have.
        """
        return pl.DataFrame(schema=columns)

    def met(self, rows: pl.DataFrame, added: pl.Series, *, settled: bool) -> Step:  # noqa: ARG002
        """Look at the rows as they were read, before any step runs.

        Args:
            rows: All of them.
            added: The positions of the step's additions, in order.
            settled: Whether they reach the step with the ids that they have now.
        Raises:
            InputError: If the step's files do not fit them.
        """
        return self

    @abstractmethod
    def decide(self, alive: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
        """Decide about the rows still alive, from measures alone.

        Args:
            alive: The step's values of those rows, sorted by position, columns named without the step.
            edges: The step's edges, `position, twin_position, similarity`, of all rows.
        Returns:
            `DECISION`, at most one line per position and rule.
        """

    def unanswered(self, measured: frozenset[str]) -> str | None:  # noqa: ARG002
        """Say what the measures that are there cannot answer, or None.

        Args:
            measured: Names of the step's values.
        """
        return None


class RowStep(Step):
    """Decides from the row alone; consecutive ones run as one pass over chunks."""

    shape: ClassVar[Shape] = "row"

    def prepare(self, schema: pl.Schema) -> None:
        """Refuse options that do not fit the rows' columns, before the pass begins."""

    @abstractmethod
    def measure(self, chunk: pl.DataFrame) -> Measured:
        """Measure a chunk of rows; the result may not depend on where chunks begin."""

    def measures(self) -> Mapping[str, pl.DataType] | None:
        """Name the measures where they are known beforehand; None where a chunk may add some (missing ones are 0)."""
        return None


class KeyedStep(Step):
    """Rows that share a key meet: a projection of each row, then pairs over all projections."""

    shape: ClassVar[Shape] = "keyed"

    @abstractmethod
    def project(self, chunk: pl.DataFrame) -> pl.DataFrame:
        """Take what pairs are made of: `position` and text columns."""

    @abstractmethod
    def pairs(self, projected: pl.DataFrame, progress: Progress = SILENT) -> Measured:
        """Find the pairs down to the step's floor, each from the later to the earlier position."""


class RankedStep(Step):
    """Scores rows, then chooses under a budget; its greedy order is a value."""

    shape: ClassVar[Shape] = "ranked"

    @abstractmethod
    def project(self, chunk: pl.DataFrame) -> pl.DataFrame:
        """Take what the order is made from: `position` and text columns."""

    @abstractmethod
    def rank(self, projected: pl.DataFrame, progress: Progress = SILENT, cache: Path | None = None) -> pl.DataFrame:
        """Order the rows that are alive: `position` and a measure `order` (null: beyond the budget).

        Args:
            projected: Of `project`, the rows alive.
            progress: Told about the work.
            cache: A folder that keeps what models computed, by content.
        """


def decisions(frame: pl.DataFrame, **columns: Any) -> pl.DataFrame:
    """Complete a frame to `DECISION`: expressions or constants by name, the rest null.

    >>> decisions(pl.DataFrame({"position": [3]}), rule="where", action="drop").row(0, named=True)["rule"]
    'where'
    """
    given = {name: value if isinstance(value, pl.Expr) else pl.lit(value) for name, value in columns.items()}
    missing = [name for name in DECISION if name not in given and name not in frame.columns]
    made = frame.with_columns(**given).with_columns(pl.lit(None).alias(name) for name in missing)
    return made.select(pl.col(name).cast(dtype) for name, dtype in DECISION.items())


def no_decisions() -> pl.DataFrame:
    """An empty `DECISION` frame."""
    return pl.DataFrame(schema=DECISION)


def edges_frame(positions: pl.Series, twins: pl.Series, similarities: pl.Series) -> pl.DataFrame:
    """Make sorted edges (without `step`), each from the later to the earlier position."""
    pair = pl.DataFrame({"a": positions.cast(pl.UInt64), "b": twins.cast(pl.UInt64), "similarity": similarities.cast(pl.Float64)})
    ordered = pair.select(pl.max_horizontal("a", "b").alias("position"), pl.min_horizontal("a", "b").alias("twin_position"), "similarity")
    return ordered.sort("position", "twin_position")


NO_EDGES = pl.DataFrame(schema={name: dtype for name, dtype in EDGES.items() if name != "step"})


def list_of(values: str | Sequence[str]) -> list[str]:
    """Read an option that is one name or several."""
    return [values] if isinstance(values, str) else list(values)
