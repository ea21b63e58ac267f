"""`tunesmith check`: format and schema, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.manners import FAILED, FINE, Outcome, Session, verb
from tunesmith.cli.reading import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from tunesmith.detection import Checked


@verb(
    "check",
    example="""
tunesmith check alpaca.json
tunesmith check data/*.jsonl --rejects mend.jsonl
tunesmith check clean --gate gate.yaml --against published --summary summary.md
""",
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@reading
@click.option("--rejects", type=click.Path(dir_okay=False), help="Write rejected records here, to be mended and read again.")
@click.option("--gate", metavar="FILE", type=click.Path(dir_okay=False), help="Bounds that decide whether the check passes (YAML).")
@click.option("--against", metavar="VERSION", help="An earlier version: what came and went, and which findings increased.")
@click.option("--summary", metavar="FILE", type=click.Path(dir_okay=False), help="Also write the result as Markdown, for CI.")
@click.option("--force", is_flag=True, help="Replace an existing --rejects or --summary file.")
def command(
    session: Session,
    sources: tuple[str, ...],
    format_: str | None,
    mapping: dict[str, str] | None,
    rejects: str | None,
    gate: str | None,
    against: str | None,
    summary: str | None,
    *,
    force: bool,
) -> Outcome:
    """Check format and schema, row by row, and run the detectors.

    SOURCE is a file, glob, folder, `-` or a version, or several; the format is inferred. Exit code 1 when a row is rejected, or with
    --gate when a bound is broken. Without a gate findings never fail the check: an empty answer is a valid row with the
    finding `output_empty`.
    """
    from pathlib import Path

    from tunesmith.detection import check, markdown
    from tunesmith.errors import ArtefactError

    if rejects and Path(rejects).exists() and not force:
        raise ArtefactError(f"{rejects} exists; choose another file, or --force to replace it")
    if summary and not force and Path(summary).is_file() and Path(summary).stat().st_size:
        raise ArtefactError(f"{summary} exists; choose another file, or --force to replace it")
    source = sources[0] if len(sources) == 1 else list(sources)
    checked = check(source, rejects, format=format_, mapping=mapping, keep=False, gate=gate, against=against, progress=session.progress)
    if summary:
        Path(summary).write_text(markdown(checked, " ".join(sources)) + "\n", encoding="utf-8")
    return Outcome(
        data={**checked.result, **({"summary": summary} if summary else {})},
        show=lambda console: _show(console, checked, sources, rejects),
        code=FINE if checked.fine else FAILED,
    )


def _show(console: Console, checked: Checked, sources: Sequence[str], rejects: str | None) -> None:
    from tunesmith.cli.terminal import table

    result = checked.result
    counts = f"{result['rows']:,} rows, {result['valid']:,} valid, {result['rejected']:,} rejected"
    console.print(f"{' '.join(sources)}: {result['format']}, {counts}", markup=False, soft_wrap=True)
    for note in result["notes"]:
        console.print(f"note: {note}", markup=False, soft_wrap=True)
    if result["rejected"]:
        console.print(table("Rejected", ("reason", "rows", "first at", "found", "expected"), _rejected(checked)))
    found = _found(checked)
    if found:
        console.print(table("Findings", ("severity", "detector", "rows", "share of rows", "first at"), found))
    elif result["valid"]:
        console.print("No findings.")
    _gate(console, checked)
    console.print()
    for line in _next(result, sources, rejects):
        console.print(line, markup=False, soft_wrap=True)


def _gate(console: Console, checked: Checked) -> None:
    from tunesmith.cli.terminal import table
    from tunesmith.detection.summary import bound

    if checked.against is not None:
        came = f"{checked.against['added']:,} rows added, {checked.against['removed']:,} removed (by row id)"
        changed = [(name, f"{row['before']:.2%}", f"{row['now']:.2%}", f"{row['difference']:+.2%}")
                   for name, row in checked.against["findings"].items() if row["difference"]]  # fmt: skip
        console.print(
            table(f"Against {checked.against['valid']:,} rows before: {came}", ("finding", "before", "now", "difference"), changed)
        )
    if checked.gate is not None:
        rows = [bound(verdict) for verdict in checked.gate.verdicts]
        console.print(table(f"Gate: {checked.gate.answer}", ("bound", "found", "limit", ""), rows))


def _rejected(checked: Checked) -> list[tuple[object, ...]]:
    from tunesmith.errors import at

    lines: list[tuple[object, ...]] = []
    for code, rows in checked.result["reasons"].items():
        first = checked.tally.rejects[code]
        place = at(first["file"], record=first["record"], line=first["line"], field=first["field"])
        lines.append((code, rows, place, first["found"], first["expected"]))
    return lines


def _found(checked: Checked) -> Sequence[tuple[object, ...]]:
    from tunesmith.detection import DETECTORS

    order = ("fatal", "review", "information")
    tally = checked.tally
    counted = sorted(checked.result["findings"].items(), key=lambda each: (order.index(DETECTORS[each[0]].severity), -each[1]))
    return [
        (DETECTORS[name].severity, name, count, f"{count / tally.valid:.2%}", f"position {tally.places[name]}") for name, count in counted
    ]


def _next(result: dict[str, Any], sources: Sequence[str], rejects: str | None) -> list[str]:
    from shlex import join

    lines, source = [], join(sources)
    if result["rejected"] and not rejects:
        lines.append(f"Next: tunesmith check {source} --rejects rejects.jsonl   (the rejected records, to be mended)")
    if result["findings"] and len(sources) == 1:
        worst = max(result["findings"], key=result["findings"].__getitem__)
        lines.append(f"Next: tunesmith detect {source} --only {worst} --show 5   (the rows, with the spans)")
        lines.append(f"      tunesmith detectors {worst}   (what it means)")
    if result["valid"]:
        lines.append(f"Next: tunesmith curate {source} -o clean   (fixes, drops and flags, every row accounted for)")
    return lines
