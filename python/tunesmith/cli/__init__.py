"""The command line: one file a verb in `commands/`, their common manners in `manners.py`.

A command module imports click and manners only; it imports its room inside the function, so that
`--help` stays under 0.3 s.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from tunesmith._version import __version__
from tunesmith.cli.ending import open_streams, plainly
from tunesmith.errors import did_you_mean

COMMANDS = (
    "check",
    "profile",
    "detect",
    "detectors",
    "convert",
    "export",
    "curate",
    "recipe",
    "explain",
    "what-if",
    "restore",
    "diff",
    "split",
    "preview",
    "pack",
    "train",
    "evaluate",
    "compare",
    "diagnose",
    "patch",
    "arms",
    "verdict",
    "loop",
    "report",
    "demo",
)  # fmt: skip  (in the order of the ring)


class Verbs(click.Group):
    """The verbs, each imported when it is asked for, listed in the order of the ring."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name every verb."""
        return list(COMMANDS)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, and end as every command does, also where no verb has begun yet."""
        open_streams()
        with plainly():
            return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Hear Ctrl-C while a verb is imported; click would answer it with exit code 1."""
        with plainly():
            return super().invoke(ctx)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; a misspelt one is answered with the closest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f'unknown command "{args[0]}"; {did_you_mean(args[0], COMMANDS)}')
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one verb."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"tunesmith.cli.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tunesmith")
def main() -> None:
    """Make every row of an instruction data set accountable: curate, finetune, evaluate, explain.

    \b
    Example:
      tunesmith check alpaca.json
      tunesmith curate alpaca.json -o clean
      tunesmith demo
    """  # noqa: D301  (click's mark for "keep these lines" is a real backspace)


__all__ = ["main"]
