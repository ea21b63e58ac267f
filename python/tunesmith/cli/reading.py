"""The options of every verb that reads rows: how a source is to be understood, where it does not say so itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


class _Renaming(click.ParamType[Mapping[str, str]]):
    """FIELD=NAME; in a `tunesmith.yaml` also a mapping, as in a recipe."""

    name = "FIELD=NAME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Mapping[str, str]:
        if isinstance(value, Mapping):
            return {str(theirs): str(ours) for theirs, ours in value.items()}
        theirs, sign, ours = str(value).partition("=")
        if not (theirs and sign and ours):
            self.fail(f"expected FIELD=NAME (the source's field, and the name it is to be read under), found {value!r}", param, ctx)
        return {theirs: ours}


def _together(ctx: click.Context, param: click.Parameter, given: tuple[Mapping[str, str], ...]) -> dict[str, str] | None:
    mapping: dict[str, str] = {}
    for theirs, ours in (pair for each in given for pair in each.items()):
        if mapping.get(theirs, ours) != ours:
            raise click.BadParameter(f'"{theirs}" is read under one name, found "{mapping[theirs]}" and "{ours}"', ctx, param)
        mapping[theirs] = ours
    return mapping or None


def reading(function: Function) -> Function:
    """Add `--format` and `--map`, as `format_` and `mapping`."""
    options = (
        click.option("--format", "format_", metavar="NAME", help="The format to read (default: inferred from the fields)."),
        click.option("--map", "mapping", multiple=True, type=_Renaming(), metavar="FIELD=NAME", callback=_together,
                     help="Read the source's FIELD as NAME, as a recipe's `map` does (repeat for more)."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function
