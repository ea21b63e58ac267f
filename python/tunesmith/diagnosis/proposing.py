"""From bad rows to a proposed patch: one edit a row, and nothing that no claim stands behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tunesmith import detection
from tunesmith.curation.edits import Action, Edit, edit_id

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunesmith.diagnosis.measuring import Measure
    from tunesmith.diagnosis.sides import Sides

_ITEMS = 5
_DOES: Mapping[str, tuple[str, str]] = {
    "misspelled": ("is misspelt", "are"),
    "too_long": ("is too long", "are"),
    "repetitive": ("repeats itself", "do"),
    "no_stop": ("goes on with a turn that nobody asked for", "do"),
    "truncated": ("is cut short", "are"),
    "refusal": ("refuses", "do"),
    "wrong_format": ("is not in the form asked for", "are"),
    "prompt_echo": ("echoes the prompt", "do"),
}
"""How a reason says it of the row, and of the outputs."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A category in a slice whose rows are to blame.

    Attributes:
        category: The finding.
        name: The slice.
        rows: ``bool[rows]``: the slice.
        found: Its rates.
        items: Positions of failing items.
    """

    category: str
    name: str
    rows: NDArray[np.bool_]
    found: Measure
    items: Sequence[int]


def propose(sides: Sides, claims: Sequence[Claim]) -> list[Edit]:
    """Propose an edit for every row that a claim names: the first claim that names a row is its category.

    A row is dropped, or edited where the detector has a safe fix after which no category finds anything in it.

    Args:
        sides: All sides.
        claims: In the order in which they explain rows.
    Returns:
        Edits, by position, all ``proposed``.
    """
    first: dict[int, Claim] = {}
    also: dict[int, list[str]] = {}
    for claim in claims:
        for line in np.flatnonzero(claim.rows & sides.targets[:, sides.column(claim.category)]).tolist():
            other = first.setdefault(line, claim)
            if other.category != claim.category and claim.category not in also.setdefault(line, []):
                also[line].append(claim.category)
    lines = sorted(first, key=lambda line: sides.rows["position"][line])
    findings = {(row["position"], row["detector"]): row for row in reversed(sides.findings.to_dicts())}
    fixed = _fixed(sides, {line: first[line].category for line in lines})
    edits = []
    for line in lines:
        claim, position, row_id = first[line], int(sides.rows["position"][line]), str(sides.rows["row_id"][line])
        action: Action = "edit" if line in fixed else "drop"
        edits.append(
            Edit(
                edit_id=edit_id(position, row_id, action, claim.category),
                position=position,
                row_id=row_id,
                action=action,
                fields={"output": fixed[line]} if line in fixed else None,
                category=claim.category,
                reason=_reason(claim),
                evidence=_evidence(claim, findings[position, claim.category], also.get(line, [])),
            )
        )
    return edits


def _reason(claim: Claim) -> str:
    does, outputs = _DOES[claim.category]
    where = "all items" if claim.name == "all" else claim.name
    return f"{does}, as {claim.found.rate:.0%} of the outputs on {where} {outputs}"


def _evidence(claim: Claim, finding: Mapping[str, Any], also: Sequence[str]) -> dict[str, Any]:
    found = claim.found
    return {
        "detector": claim.category,
        "slice": claim.name,
        "found": finding["evidence"],
        "turn": finding["turn"],
        "start": finding["start"],
        "end": finding["end"],
        "rate": found.rate,
        "target_rate": found.target_rate,
        "reference_rate": found.reference_rate,
        "ratio": found.ratio,
        "low": found.ratio_low,
        "high": found.ratio_high,
        "items": list(claim.items[:_ITEMS]),
        **({"also": list(also)} if also else {}),
    }


def _fixed(sides: Sides, categories: Mapping[int, str]) -> dict[int, str]:
    """Fix what can be fixed safely: {line: new output}; only rows of one answer, and only where nothing is found afterwards."""
    fixers = [name for name in dict.fromkeys(categories.values()) if detection.DETECTORS[name].fix is not None]
    made: dict[int, str] = {}
    for name in fixers:
        lines = [line for line, category in categories.items() if category == name and sides.rows["kind"][line] == "instruct"]
        frame = sides.rows[lines].with_columns(position=pl.int_range(pl.len(), dtype=pl.UInt64))
        edits = detection.fix(frame, only=[name]).filter(pl.col("field") == "response").unique("position", keep="last")
        texts = dict(edits.select("position", "text").iter_rows())
        after = frame[list(texts)].with_columns(output=pl.Series(list(texts.values()), dtype=pl.String))
        judged = [each for each in sides.categories if each in detection.DETECTORS]
        wrong = set(detection.find(detection.view(after), only=judged, limits=sides.limits)["position"].to_list())
        made |= {lines[k]: text for k, text in texts.items() if k not in wrong and text.strip()}
    return made
