"""The gate of a data set: bounds in a file, and what `check` found held against them.

The rows are all there are: a count is a fact and has no interval. A share that is above its bound fails. A bound finer
than one row of this source (0.1% of 100 rows) is met by none alone; where none was found, the rows cannot decide
whether the share is below it, and the answer is `inconclusive`, with the rows that it would take.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tunesmith.errors import InputError, OptionError, did_you_mean, unfit

Answer = Literal["pass", "fail", "inconclusive"]
SEVERITIES = ("fatal", "review", "information")


@dataclass(frozen=True)
class Amount:
    """A bound: a share of the rows, or a count of them.

    Attributes:
        value: The share (below 1), or the count.
        share: Which of the two it is.
    """

    value: float
    share: bool

    def __str__(self) -> str:
        return f"{self.value:.4%}".rstrip("%").rstrip("0").rstrip(".") + "%" if self.share else f"{self.value:,.0f}"


def amount(given: Any) -> Any:
    """Read a bound: ``0.5%`` is a share; a number below 1 is a share, too, else a count; 0 is none.

    >>> str(amount("0.1%")), str(amount(0.02)), str(amount(3)), str(amount(0))
    ('0.1%', '2%', '3', '0')

    Raises:
        ValueError: If it is none of these.
    """
    if isinstance(given, Amount):
        return given
    text = re.fullmatch(r"\s*([0-9.]+)\s*%\s*", given) if isinstance(given, str) else None
    try:
        number = float(text[1]) / 100 if text else float(given) if isinstance(given, int | float) and not isinstance(given, bool) else -1.0
    except ValueError:
        number = -1.0
    share = bool(text) or 0 < number < 1
    if not math.isfinite(number) or number < 0 or (share and number > 1) or (not share and number != int(number)):
        raise ValueError(f"expected a share (0.5%, or a number below 1) or a whole count of rows, found {given!r}")
    return Amount(number, share)


Bound = Annotated[Amount, BeforeValidator(amount)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, arbitrary_types_allowed=True)


class Limit(_Section):
    """Bounds of one count. A bound alone stands for its `max`."""

    max: Bound | None = Field(None, description="At most so many rows, or this share of them.", examples=["0.5%"])
    max_increase: Bound | None = Field(
        None, description="At most so much more, as a share, than in the version given by --against.", examples=["1%"]
    )


class NearDuplicates(Limit):
    """Rows whose prompt is a near duplicate of an earlier row's: those that dropping duplicates would drop."""

    threshold: float = Field(
        0.7, gt=0, le=1, description="Exact Jaccard similarity of word 5-grams from which prompts are near duplicates.", examples=[0.8]
    )


class Overlap(_Section):
    """Rows that hold text of evaluation items, in the prompt or in the answer."""

    with_: str = Field(alias="with", description="The file of items; relative to the gate's own folder.", examples=["exam.jsonl"])
    max: Bound = Field(description="At most so many rows, or this share of them.", examples=[0])
    n: int = Field(8, ge=1, le=65_536, description="Words in a run that rows and items share.", examples=[13])
    share: float = Field(
        0.5, ge=0, le=1, description="The share of an item's words in such runs above which the row holds it.", examples=[0.8]
    )


def _limit(given: Any) -> Any:
    return given if isinstance(given, Limit | dict) else {"max": given}


def _listed(given: Any) -> Any:
    return given if isinstance(given, list) else [given]


class DataGate(_Section):
    """Bounds of a data set: what `check` holds its rows against."""

    rejected: Annotated[Limit, BeforeValidator(_limit)] | None = Field(
        None, description="Records that could not be rows, of all records.", examples=["0.1%"]
    )
    findings: dict[str, Annotated[Limit, BeforeValidator(_limit)]] = Field(
        default_factory=dict,
        description="Rows with a finding of a detector, or of a severity (fatal, review, information), by its name.",
        examples=[{"output_empty": 0, "fatal": {"max": "5%", "max_increase": "2%"}}],
    )
    near_duplicates: Annotated[NearDuplicates, BeforeValidator(_limit)] | None = Field(
        None, description="Rows whose prompt is a near duplicate of an earlier row's.", examples=["2%"]
    )
    overlap: Annotated[list[Overlap], BeforeValidator(_listed)] = Field(
        default_factory=list,
        description="Rows that hold text of evaluation items; one file, or a list.",
        examples=[{"with": "exam.jsonl", "max": 0}],
    )
    inconclusive: Literal["warn", "fail", "pass"] = Field(
        "warn", description="What an undecided bound does: warn (exit 0), fail, or pass.", examples=["fail"]
    )

    @property
    def needs_texts(self) -> bool:
        """Whether rows must be held to be compared."""
        return self.near_duplicates is not None or bool(self.overlap)

    @property
    def needs_before(self) -> bool:
        """Whether an earlier version must be given."""
        limits = [self.rejected, self.near_duplicates, *self.findings.values()]
        return any(limit.max_increase is not None for limit in limits if limit is not None)


class GateFile(_Section):
    """A gate file."""

    data: DataGate | None = Field(None, description="Bounds of a data set, for `check`.")
    model: Mapping[str, Any] | None = Field(None, description="Bounds of a comparison of models; `check` leaves it alone.")


SECTIONS: Final[dict[str, type[BaseModel]]] = {
    "": GateFile, "data": DataGate, "data.near_duplicates": NearDuplicates, "data.overlap": Overlap,
}  # fmt: skip
"""The models by their place in the file; every other place holds a `Limit`."""


def read_gate(file: str | Path) -> DataGate:
    """Read the `data` section of a gate file.

    Raises:
        InputError: If the file is not there, is no YAML, or has no such section.
        OptionError: If a bound is unknown or wrong; names its place.
    """
    try:
        given = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read as a gate file: {getattr(error, 'strerror', None) or error}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError(f"{file}{f', line {mark.line + 1}' if mark else ''}: expected YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(given, dict):
        found = "nothing" if given is None else f"a {type(given).__name__}"
        raise InputError(f"{file}: expected sections (data, model), found {found}")
    try:
        gate = GateFile(**given)
    except ValidationError as error:
        raise OptionError(f"{file}: {_first(error)}") from error
    if gate.data is None:
        known = ", ".join(_keys(DataGate))
        raise InputError(
            f"{file}: expected a section `data` that holds bounds ({known}), found {', '.join(given) or 'none'}; "
            "`model` is for `tunesmith compare`"
        )
    _known(gate.data, file)
    return gate.data


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _first(error: ValidationError) -> str:
    """Say what is wrong: of unknown keys first, since what seems to be missing may only be misspelled."""
    problem = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    place = ".".join(str(part) for part in problem["loc"] if not isinstance(part, int))
    if problem["type"] == "extra_forbidden":
        known = _keys(SECTIONS.get(place.rpartition(".")[0], Limit))
        hint = did_you_mean(place.rpartition(".")[2], known)
        return f'unknown key "{place}"; {hint}' + ("" if hint.startswith("known") else f" (known: {', '.join(sorted(known))})")
    if problem["type"] in ("model_type", "dict_type") and place in SECTIONS:
        return f"{place}: expected keys ({', '.join(_keys(SECTIONS[place]))}), found {problem['input']!r}"
    if problem["type"] == "missing":
        return f"{place}: required, and not there"
    return f"{place}: {unfit(problem)}"


def _known(gate: DataGate, file: str | Path) -> None:
    from tunesmith.detection.registry import DETECTORS

    for name in gate.findings:
        if name not in DETECTORS and name not in SEVERITIES:
            known = (*SEVERITIES, *DETECTORS)
            raise OptionError(
                f'{file}: data.findings.{name}: there is no detector or severity "{name}"; {did_you_mean(name, known)} '
                f"The severities are {', '.join(SEVERITIES)}; `tunesmith detectors` lists the detectors"
            )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One bound, held against what was found.

    Attributes:
        bound: Its place in the file: ``rejected``, ``findings.output_empty``, ``near_duplicates``, ``overlap``.
        found: Rows that were counted.
        of: Rows that they are counted among.
        limit: The bound as it reads.
        answer: pass, fail, or inconclusive.
        needs: Rows that it would take to decide an inconclusive bound.
        before: The share in the earlier version, where the bound is on an increase.
    """

    bound: str
    found: int
    of: int
    limit: str
    answer: Answer
    needs: int | None = None
    before: float | None = None

    @property
    def as_json(self) -> dict[str, Any]:
        """The verdict's `--json` object."""
        said = {**vars(self), "share": self.found / self.of if self.of else None}
        return {key: value for key, value in said.items() if value is not None}


def judge(bound: str, found: int, of: int, limit: Amount) -> Verdict:
    """Hold a count against a bound.

    >>> judge("rejected", 1, 100, amount("0.5%")).answer, judge("rejected", 1, 200, amount("0.5%")).answer
    ('fail', 'pass')
    >>> undecided = judge("rejected", 0, 100, amount("0.1%"))
    >>> undecided.answer, undecided.needs
    ('inconclusive', 1000)
    """
    over = found > limit.value * of + 1e-9 if limit.share else found > limit.value
    least = math.ceil(1 / limit.value - 1e-9) if limit.share and limit.value else 1
    answer: Answer = "fail" if over else "inconclusive" if of < least else "pass"
    return Verdict(
        bound=bound, found=found, of=of, limit=f"at most {limit}", answer=answer, needs=least if answer == "inconclusive" else None
    )


def judge_increase(bound: str, found: int, of: int, before: tuple[int, int], limit: Amount) -> Verdict:
    """Hold a share against the share that an earlier version had, both of all their rows.

    >>> judge_increase("findings.truncated", 6, 100, (20, 1000), amount("2%")).answer
    'fail'
    """
    then = before[0] / before[1] if before[1] else 0.0
    rise = (found / of if of else 0.0) - then
    if not limit.share and limit.value:
        raise OptionError(f"{bound}: max_increase is a share (2%), since the two hold different numbers of rows; found {limit}")
    least = math.ceil(1 / limit.value - 1e-9) if limit.value else 1
    fewest = min(of, before[1])
    answer: Answer = "fail" if rise > limit.value + 1e-12 else "inconclusive" if fewest < least else "pass"
    needs = least if answer == "inconclusive" else None
    return Verdict(bound=bound, found=found, of=of, limit=f"at most {limit} more", answer=answer, needs=needs, before=then)


def conclude(verdicts: list[Verdict], inconclusive: str) -> tuple[Answer, bool]:
    """Sum up: the worst answer, and whether the gate lets it pass."""
    answers = {verdict.answer for verdict in verdicts}
    worst: Answer = "fail" if "fail" in answers else "inconclusive" if "inconclusive" in answers else "pass"
    return worst, worst == "pass" or (worst == "inconclusive" and inconclusive != "fail")
