"""A check as Markdown, for a pull request or a CI summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.detection.checking import Checked
    from tunesmith.detection.gate import Verdict

SIGNS = {"pass": "✓ pass", "fail": "✗ fail", "inconclusive": "? inconclusive"}


def markdown(checked: Checked, source: str) -> str:
    r"""Write what a check found: the gate's bounds, what changed, rejects and findings.

    >>> from tunesmith.detection import check
    >>> print(markdown(check([{"instruction": "Say hi.", "output": ""}]), "rows.json"))
    ### rows.json: alpaca, 1 rows, 1 valid, 0 rejected
    <BLANKLINE>
    | finding | rows | share of rows |
    |---|--:|--:|
    | output\_empty | 1 | 100.00% |
    """
    result = checked.result
    counts = f"{result['rows']:,} rows, {result['valid']:,} valid, {result['rejected']:,} rejected"
    lines = [f"### {_cell(source)}: {_cell(result['format'])}, {counts}", ""]
    if checked.gate is not None:
        lines += [f"**Gate: {SIGNS[checked.gate.answer]}**", "", "| bound | found | limit | |", "|---|--:|---|---|"]
        lines += [f"| {' | '.join(_cell(cell) for cell in bound(verdict))} |" for verdict in checked.gate.verdicts]
        lines.append("")
    if checked.against is not None:
        lines += [_against(checked.against), ""]
    if result["reasons"]:
        lines += ["| rejected | rows |", "|---|--:|", *(f"| {_cell(code)} | {rows:,} |" for code, rows in result["reasons"].items()), ""]
    if result["findings"]:
        before: dict[str, Any] = checked.against["findings"] if checked.against is not None else {}
        heading = "| finding | rows | share of rows |" + (" before |" if before else "")
        lines += [heading, "|---|--:|--:|" + ("--:|" if before else "")]
        for name, rows in result["findings"].items():
            share = f"| {_cell(name)} | {rows:,} | {rows / result['valid']:.2%} |"
            lines.append(share + (f" {before[name]['before']:.2%} |" if before else ""))
        lines.append("")
    lines += [f"- {_cell(note)}" for note in result["notes"]]
    return "\n".join(lines).rstrip("\n")


def bound(verdict: Verdict) -> tuple[str, str, str, str]:
    """Give a bound as four cells: its name, what was found, its limit, the answer with what it would take."""
    share = f"{verdict.found:,} of {verdict.of:,}" + (f" ({verdict.found / verdict.of:.2%})" if verdict.of else "")
    before = f", before {verdict.before:.2%}" if verdict.before is not None else ""
    needs = f": it takes {verdict.needs:,} rows" if verdict.needs is not None else ""
    return verdict.bound, share + before, verdict.limit, SIGNS[verdict.answer] + needs


def _against(against: Any) -> str:
    return f"Against {against['valid']:,} rows before: {against['added']:,} added, {against['removed']:,} removed (by row id)."


def _cell(text: str) -> str:
    """Keep text from being read as Markdown."""
    return "".join(f"\\{c}" if c in "\\|`*_[]<>#" else " " if c == "\n" else c for c in str(text))
