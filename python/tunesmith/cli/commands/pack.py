"""`tunesmith pack`: tokenized, masked, packed."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.manners import Outcome, Session, verb
from tunesmith.cli.reading import reading

if TYPE_CHECKING:
    from rich.console import Console

    from tunesmith.packing import Pack


@verb(
    "pack",
    example="""
tunesmith pack clean -o packed --tokenizer ./SmolLM2-135M --template alpaca
tunesmith pack chat.jsonl -o packed --tokenizer Qwen/Qwen3-0.6B --context 2048 --overflow left
""",
    remote=("out",),
)
@click.argument("source")
@click.option("-o", "--out", required=True, metavar="PACK", help="Folder to write, or an address.")
@click.option("--tokenizer", required=True, metavar="MODEL", help="A model's folder, or its hub name in the local cache.")
@click.option("--template", metavar="T", help="alpaca, alpaca-lora, chatml, plain, or a .jinja file (default: the tokenizer's own).")
@click.option("--context", type=click.IntRange(min=2), metavar="N", help="Tokens a bin holds (default: the model's limit, at most 4,096).")
@click.option(
    "--overflow",
    type=click.Choice(["drop", "left", "answer", "error"]),
    default="drop",
    show_default=True,
    help="A row longer than the context: drop it, cut its prompt's left, cut its answer's end, or stop.",
)
@click.option("--turns", type=click.Choice(["all", "last", "unroll"]), default="all", show_default=True, help="Which answers are learnt.")
@reading
@click.option("--force", is_flag=True, help="Replace an existing output.")
def command(session: Session, *, source: str, out: str, tokenizer: str, format_: str | None, **options: Any) -> Outcome:
    """Tokenize rows with a template, mark what is learnt, and pack them for training."""
    from tunesmith.errors import TunesmithWarning
    from tunesmith.packing import pack

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TunesmithWarning)  # they are in the result, and told below
        made = pack(source, out, tokenizer=tokenizer, format=format_, progress=session.progress, **options)
    for message in made.result["warnings"]:
        session.progress.say(f"warning: {message}")
    data = {**made.result, "reused": made.reused, "output": str(made.folder)}
    return Outcome(data=data, show=lambda console: _show(made, console))


def _show(made: Pack, console: Console) -> None:
    from rich.text import Text

    from tunesmith.cli.terminal import table

    result = made.result
    console.print(Text(f"{made.folder}{' (there already, reused)' if made.reused else ''}"), soft_wrap=True)
    lines: list[list[object]] = [
        ["rows packed", result["rows"]],
        ["segments", result["segments"]],
        ["bins", result["bins"]],
        ["context, tokens a bin", result["context"]],
        ["fill: stored tokens / (bins x context)", f"{result['fill']:.2%}"],
        *([f"tokens {name}", count] for name, count in result["tokens"].items()),
        ["rejected records", result["rejected"]],
        *([f"rows dropped: {rule}", count] for rule, count in result["dropped"].items()),
    ]
    if result["unrolled"]:
        lines.append(["rows unrolled (one sequence per answer, for parity)", result["unrolled"]])
    if result["added"]["sequences"]:
        lines.append(["sequences with text that the template adds by itself", result["added"]["sequences"]])
        lines.append(["tokens of that text", result["added"]["tokens"]])
    console.print(table(f"Pack, template {result['template']}", ["what", "count"], lines))
