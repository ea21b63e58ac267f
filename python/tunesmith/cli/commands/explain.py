"""`tunesmith explain`: everything that happened to a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.manners import Outcome, Session, verb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from tunesmith.curation.explanation import Explanation, RowStory


@verb("explain", example="tunesmith explain clean 1042\ntunesmith explain clean 9a648e4a", remote=("version",))
@click.argument("version", type=click.Path())
@click.argument("row")
def command(session: Session, version: str, row: str) -> Outcome:  # noqa: ARG001
    """Tell everything that happened to a row: each rule, its value, its threshold, its twin.

    ROW is a position (digits), or the first 8 hex digits or more of a row id; an id that copies share tells of all of them.
    """
    from tunesmith.curation import explain

    explanation = explain(version, row)
    return Outcome(data=explanation.as_dict(), show=lambda console: _show(console, explanation))


def _show(console: Console, explanation: Explanation) -> None:
    if len(explanation.rows) > 1:
        positions = ", ".join(str(row.position) for row in explanation.rows)
        console.print(f"{len(explanation.rows)} rows have this id: {positions}", markup=False)
    for row in explanation.rows:
        _show_row(console, row)


def _show_row(console: Console, row: RowStory) -> None:
    from tunesmith.cli.terminal import table

    origin = row.origin or {}
    place = f", from {origin['file']} record {origin['record']}" if origin.get("record") is not None else ""
    console.print(f"row {row.position}: {row.fate}{place}", markup=False, style="bold")
    for name, text in row.text.items():
        if text:
            console.print(f"  {name}: {_short(text, 300)}", markup=False)
    for change in row.changes:
        console.print(f"  {change['field']}: {_short(change['before'])!r} became {_short(change['after'])!r}", markup=False)
    if not row.entries:
        console.print("  no rule fired", markup=False)
        return
    columns = ["step", "rule", "action", "value", "threshold", "because"]
    console.print(table("", columns, [_line(entry) for entry in row.entries]))
    for entry in row.entries:
        if entry["twin"]:
            console.print(
                f"twin, row {entry['twin_position']} ({entry['similarity']:.3f} alike): {_short(entry['twin'], 300)}", markup=False
            )


def _line(entry: Mapping[str, Any]) -> list[object]:
    place = ", ".join(str(part) for part in (entry["field"], f"turn {entry['turn']}" if entry["turn"] is not None else None) if part)
    because = ": ".join(part for part in (place, _short(entry["evidence"])) if part)
    return [entry["step"], entry["rule"], entry["action"], entry["value"], entry["threshold"], because]


def _short(text: str | None, limit: int = 90) -> str:
    folded = " ".join((text or "").split())
    return folded if len(folded) <= limit else folded[: limit - 1] + "…"
