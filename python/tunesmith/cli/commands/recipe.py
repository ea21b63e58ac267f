"""`tunesmith recipe`: presets, a commented file, the JSON schema."""

from __future__ import annotations

from typing import Any

import click

from tunesmith.cli.manners import Outcome, Session, require, verb


@verb(
    "recipe",
    example="""
tunesmith recipe show
tunesmith recipe show strict
tunesmith recipe new recipe.yaml
tunesmith recipe schema > recipe.schema.json
""",
)
@click.argument("action", type=click.Choice(["show", "new", "schema"]))
@click.argument("name", required=False)
@click.option("--force", is_flag=True, help="Replace an existing file.")
def command(session: Session, action: str, name: str | None, *, force: bool) -> Outcome:  # noqa: ARG001
    """Show presets, write a commented recipe, or print the JSON schema.

    \b
    show [PRESET]   the presets, or one of them in full
    new [FILE]      a commented recipe to change (recipe.yaml unless given)
    schema          the JSON schema of a recipe, for an editor
    """  # noqa: D301  (click's mark for "keep these lines" is a real backspace)
    import json

    if action == "schema":
        from tunesmith.curation.presets import json_schema

        require(name is None, f"recipe schema takes no name, found {name}")
        schema = json_schema()
        text = json.dumps(schema, indent=2)
        return Outcome(data=schema, show=lambda console: console.print(text, markup=False, soft_wrap=True))
    return _new(name or "recipe.yaml", force=force) if action == "new" else _show(name)


def _show(name: str | None) -> Outcome:
    from tunesmith.cli.terminal import table
    from tunesmith.curation.presets import PRESETS
    from tunesmith.errors import OptionError, did_you_mean

    if name is None:
        presets = {key: {"about": about, "recipe": text} for key, (about, text) in PRESETS.items()}
        rows = [[key, about] for key, (about, _) in PRESETS.items()]
        return Outcome(data={"presets": presets}, show=lambda console: console.print(table("Presets", ["name", "does"], rows)))
    if name not in PRESETS:
        raise OptionError(f'no preset "{name}"; {did_you_mean(name, PRESETS)}')
    about, text = PRESETS[name]
    shown = f"# {name}: {about}\n{text}"
    return Outcome(
        data={"name": name, "about": about, "recipe": text}, show=lambda console: console.print(shown, end="", markup=False, soft_wrap=True)
    )


def _new(name: str, *, force: bool) -> Outcome:
    from pathlib import Path
    from shlex import quote

    from tunesmith.curation.presets import TEMPLATE
    from tunesmith.errors import ArtefactError

    path = Path(name)
    if path.exists() and not force:
        raise ArtefactError(f"{path} exists; choose another name, or --force to replace it")
    try:
        path.write_text(TEMPLATE, encoding="utf-8")
    except OSError as error:
        raise ArtefactError(f"{path}: expected a file that can be written: {error.strerror}") from error
    data: dict[str, Any] = {"files": [str(path)]}
    return Outcome(
        data=data,
        show=lambda console: console.print(
            f"written: {path}; then: tunesmith curate SOURCE --recipe {quote(str(path))} -o VERSION", soft_wrap=True
        ),
    )
