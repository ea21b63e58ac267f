"""`tunesmith preview`: tokens as the model gets them, supervised ones marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.manners import Outcome, Session, verb
from tunesmith.cli.reading import reading

if TYPE_CHECKING:
    from rich.console import Console

    from tunesmith.templates import Preview

BEGIN, END = "▶", "◀"
_CONTROLS = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"} | {127: "␡"}
"""Control characters of a row as signs: data never steers the terminal."""


@verb(
    "preview",
    example="""
tunesmith preview alpaca.json --tokenizer ./SmolLM2-135M --template alpaca
tunesmith preview chat.jsonl --tokenizer Qwen/Qwen3-0.6B --row 12
""",
)
@click.argument("source")
@click.option("--tokenizer", required=True, metavar="MODEL", help="A model's folder, or its hub name in the local cache.")
@click.option("--template", metavar="T", help="alpaca, alpaca-lora, chatml, plain, or a .jinja file (default: the tokenizer's own).")
@click.option("--row", metavar="ROW", help="A position, or 8 or more digits of a row id (default: the first row).")
@click.option("--turns", type=click.Choice(["all", "last", "unroll"]), default="all", show_default=True, help="Which answers are learnt.")
@reading
def command(session: Session, *, source: str, tokenizer: str, format_: str | None, **options: Any) -> Outcome:
    """Show one row's tokens as the model gets them, the supervised ones marked."""
    from tunesmith.templates import preview

    made = preview(source, tokenizer=tokenizer, format=format_, progress=session.progress, **options)
    return Outcome(data=made.data(), show=lambda console: _show(made, console), code=0)


def _show(made: Preview, console: Console) -> None:
    from rich.text import Text

    from tunesmith.cli.terminal import table

    learnt = sum(label != -100 for label in made.labels)
    of = f", sequence {len(made.sequences)} of {len(made.sequences)}" if len(made.sequences) > 1 else ""
    console.print(Text(f"row {made.position} (id {made.row_id}), template {made.template}{of}"), soft_wrap=True)
    console.print(Text(f"{len(made.input_ids):,} tokens, {learnt:,} learnt: those between {BEGIN} and {END}\n"))
    text = Text()
    for run, supervised in made.runs:
        part = run.translate(_CONTROLS)
        text.append(f"{BEGIN}{part}{END}" if supervised else part, style="bold underline" if supervised else "dim")
    console.print(text, soft_wrap=True)
    console.print()
    console.print(table("Checks", ["holds", "what", "found"], [[check.holds, check.name, check.found] for check in made.checks]))
    if made.added:
        console.print(Text(f"\nThe template adds by itself: {made.added!r}"), soft_wrap=True)
