"""Write `docs/reference/` from the code: commands, detectors, recipe, gate, files and the Python interface.

    python tools/reference.py           # writes the pages
    python tools/reference.py --check   # writes nothing; exit 1 when a page is not what the code says

The pages are committed; a test compares them, so that a page can never say what the code does not.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

import tunesmith
from tunesmith import cli, core
from tunesmith.core.expressions import Expressions
from tunesmith.curation.presets import PRESETS, TEMPLATE
from tunesmith.curation.recipe import Rules, Source
from tunesmith.curation.steps import STEPS
from tunesmith.curation.steps.base import Options
from tunesmith.detection import DETECTORS
from tunesmith.detection.detector import PROMISES
from tunesmith.detection.gate import SEVERITIES
from tunesmith.detection.gate_keys import keys as gate_keys
from tunesmith.detection.registry import WITH_MODEL
from tunesmith.progress import SILENT

sys.path.insert(0, str(Path(__file__).parent))  # for those who load this file as a module

from reference_files import files
from reference_markdown import docstring, page, paragraph, prose, table

OUT = Path(__file__).parents[1] / "docs" / "reference"
COMMON = ("as_json", "threads", "seed", "_set", "_config")


# --- commands ---------------------------------------------------------------------------------------------------------


def commands() -> str:
    """Every verb as its help page says it."""
    root = click.Context(cli.main, info_name="tunesmith")
    shared, parts = "", []
    for name in cli.COMMANDS:
        command = cli.main.get_command(root, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=root)
        about, _, example = inspect.cleandoc(command.help or "").partition("\b\nExample:\n")
        options = [given for given in command.get_params(context) if isinstance(given, click.Option) and "--help" not in given.opts]
        own = [option for option in options if option.name not in COMMON]
        shared = shared or _options(context, [option for option in options if option.name in COMMON])
        shared = shared.replace(f"its section `{name}`", "its section named after the verb")
        parts += [
            f"## {name}",
            "    " + command.get_usage(context).removeprefix("Usage: "),
            _help(about),
            _options(context, own),
            "Example:\n\n" + "\n".join(f"    {line.strip()}" for line in example.strip().splitlines()),
        ]
    lead = (
        "What `--help` says, in the order of the ring. Exit code 0: fine; 1: the check failed; 2: misuse or bad input; 130: interrupted. "
        'An output that was made from the same inputs and options is used again (`"reused": true`); any other is refused without `--force`.'
    )
    return page("Commands", lead, "## Options of every command", shared, *parts)


def _help(text: str) -> str:
    """Turn a help text into Markdown: click's mark for kept lines becomes a code block."""
    blocks = []
    for block in text.strip().split("\n\n"):
        mark, _, rest = block.partition("\n")
        blocks.append("\n".join(f"    {line}" for line in rest.splitlines()) if mark == "\b" else prose(" ".join(block.split())))
    return "\n\n".join(blocks)


def _options(context: Any, options: Iterable[Any]) -> str:
    records = [option.get_help_record(context) for option in options]
    return table(["option", ""], ([f"`{record[0]}`", " ".join(record[1].split())] for record in records if record))


# --- detectors --------------------------------------------------------------------------------------------------------


def detectors() -> str:
    """Every detector's page."""
    pages = [detector.as_dict() for detector in (DETECTORS | WITH_MODEL).values() if not detector.origin]
    listed = [[f"[{p['name']}](#{p['name']})", p["severity"], p["class"], ", ".join(p["fields"]), "yes" if p["fix"] else ""] for p in pages]
    lead = (
        "One detector per defect; the same ones judge the rows of a data set and the outputs of a model. `fatal` rows are dropped by the "
        "default recipe, in the kinds of rows for which that is shown to be right, and all others flagged. The class is a promise: "
        + "; ".join(f"{grade}: {promise}" for grade, promise in PROMISES.items())
        + "."
    )
    parts = []
    for p in pages:
        parts += [f"## {p['name']}", f"{p['severity']}, class {p['class']} ({p['promise']}); looks at {', '.join(p['fields'])}."]
        parts += [prose(p["finds"]), f"**Why it is bad for a finetune.** {prose(p['harm'])}"]
        parts += ["**Example: found**", _example(p["bad"]), "**Example: left alone**", _example(p["good"])]
        parts += [f"**Severity.** {prose(p['consequence'])}"]
        parts += [f"**Known false alarms.** {prose(p['false_alarms'])}", f"**Safe fix.** {prose(p['fix'] or 'None.')}"]
        parts += ["**Measured**", table(["figure", "sample"], ([m["figure"], m["sample"]] for m in p["measured"])) or "Not yet."]
    return page("Detectors", lead, table(["name", "severity", "class", "looks at", "safe fix"], listed), *parts)


def _example(example: Mapping[str, Any]) -> str:
    return "\n".join(f"    {name:<12} {value!r}" for name, value in example.items() if value)


# --- recipe -----------------------------------------------------------------------------------------------------------


def recipe() -> str:
    """Sections and steps of a recipe, with their options."""
    parts = ["## Presets"]
    for name, (about, text) in PRESETS.items():
        parts += [f"### {name}", f"{about[0].upper()}{about[1:]}.", f"```yaml\n{text.strip()}\n```"]
    parts += ["## The commented file", "`tunesmith recipe new` writes it.", f"```yaml\n{TEMPLATE.strip()}\n```", "## Sections"]
    for section, model in (("sources", Source), ("schema", Rules)):
        parts += [f"### {section}", paragraph(model.__doc__), _fields(model)]
    parts += ["## Steps", "Every step also takes `name`, what it is called in the ledger: its type unless said, numbered when repeated."]
    for name, step in STEPS.items():
        parts += [f"### {name}", f"{step.shape.capitalize()} step. {paragraph(step.__doc__)}", _fields(step, without=("name",))]
        for inner in dict.fromkeys(_inner(step)):
            parts += [f"`{inner.__name__.lower()}`: {paragraph(inner.__doc__)}", _fields(inner)]
        answered = ", ".join(f"`{option}`" for option in sorted(step.deciding)) or "none; all need a run"
        parts += [f"Options that `what-if` answers without a run: {answered}."]
    lead = (
        "What `curate --recipe FILE` reads. Unknown keys are refused, with the closest known one. `tunesmith recipe schema` prints the "
        "JSON schema, for an editor."
    )
    return page("Recipe", lead, *parts)


def _fields(model: Any, without: tuple[str, ...] = ()) -> str:
    rows = []
    for name, found in model.model_fields.items():
        if name not in without:
            default = "required" if found.is_required() else f"`{_plain(found.get_default(call_default_factory=True))}`"
            rows.append([f"`{found.alias or name}`", f"`{_type(found.annotation)}`", default, found.description or ""])
    return table(["option", "type", "default", ""], rows)


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return {None: "null", True: "true", False: "false"}.get(value, value) if value is None or isinstance(value, bool) else value


def _type(annotation: Any) -> str:
    text = annotation.__name__ if isinstance(annotation, type) and not hasattr(annotation, "__args__") else str(annotation)
    text = re.sub(r"typing\.Literal\[(.*?)\]", lambda m: m[1].replace(", ", " | ").replace("'", ""), text)
    return re.sub(r"[\w.]+\.(\w+)", r"\1", text).replace("NoneType", "None").replace("tuple[str, ...]", "list of str")


def _inner(model: Any) -> Iterable[Any]:
    for found in model.model_fields.values():
        for kind in (found.annotation, *getattr(found.annotation, "__args__", ())):
            if isinstance(kind, type) and issubclass(kind, Options):
                yield kind


# --- gate -------------------------------------------------------------------------------------------------------------


def gate() -> str:
    """Sections and keys of a gate file."""
    parts = []
    for place, about, keys in gate_keys():
        heads = {"": "The file", "data.findings.NAME": "data.findings.NAME, data.rejected"}
        rows = [[f"`{key.name}`", key.kind, f"`{key.default}`", key.meaning, f"`{key.example}`"] for key in keys]
        parts += [f"## {heads.get(place, place)}", about, table(["key", "value", "default", "", "for example"], rows)]
    lead = (
        "What `check --gate FILE` reads. A *bound* is a share (`0.5%`, or a number below 1) or a whole count of rows; `0` is none, and a "
        "bound alone stands for `{max: bound}`. Unknown keys are refused, with those that are known. What the rows cannot decide is "
        "`inconclusive`. [How to use it](../how-to/gate.md)."
    )
    named = ", ".join(f"[{name}](detectors.md#{name})" for name, detector in DETECTORS.items() if not detector.origin)
    return page(
        "Gate", lead, *parts, "## Names", f"`NAME` is a severity ({', '.join(SEVERITIES)}) or a detector: {named}, or one of your own."
    )


# --- Python -----------------------------------------------------------------------------------------------------------


def python() -> str:
    """The verbs, and the core."""
    verbs = [name for name in tunesmith.__all__ if callable(getattr(tunesmith, name)) and name != "TunesmithError"]
    parts = ["## Verbs", "`import tunesmith as ts`: light until a verb is used. A source is whatever `ts.read` takes."]
    parts += [entry(f"ts.{name}", getattr(tunesmith, name)) for name in verbs]
    parts += ["## Core", paragraph(core.__doc__) + " `from tunesmith import core`."]
    for name in core.__all__:
        found = getattr(core, name)
        if inspect.isclass(found):
            parts += [f"### core.{name}", docstring(found.__doc__)]
            parts += [entry(f"core.{name}.{method}", made, level=4) for method, made in _methods(found)]
        elif callable(found):
            parts += [entry(f"core.{name}", found)]
    parts += ["## Expressions", paragraph(inspect.getdoc(sys.modules[Expressions.__module__]))]
    parts += [entry(f'pl.col("…").tunesmith.{name}', made) for name, made in _methods(Expressions)]
    return page("Python", *parts)


def _methods(kind: type) -> Iterable[tuple[str, Any]]:
    for name, made in vars(kind).items():
        if not name.startswith("_") and (callable(made) or isinstance(made, property | classmethod) or hasattr(made, "attrname")):
            yield name, made.__func__ if isinstance(made, classmethod) else made


def entry(name: str, made: Any, *, level: int = 3) -> str:
    """One function, method or property."""
    head = f"{'#' * level} {name}"
    if not callable(made):
        return f"{head}\n\n{docstring(inspect.getdoc(made))}"
    return f"{head}\n\n```python\n{_signature(name.rpartition('.')[2], made)}\n```\n\n{docstring(inspect.getdoc(made))}"


def _signature(name: str, made: Callable[..., Any]) -> str:
    """Write a signature on one line, or a parameter a line."""
    parts: list[str] = []
    given = inspect.signature(made)
    for parameter in given.parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts and not any(part.startswith("*") for part in parts):
            parts.append("*")
        star = "*" * ((parameter.kind is parameter.VAR_POSITIONAL) + 2 * (parameter.kind is parameter.VAR_KEYWORD))
        typed = "" if parameter.annotation is parameter.empty else f": {parameter.annotation}"
        parts.append(f"{star}{parameter.name}{typed}{_default(parameter)}")
    end = "" if given.return_annotation is given.empty else f" -> {given.return_annotation}"
    line = f"{name}({', '.join(parts)}){end}"
    return line if len(line) <= 110 else f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){end}"


def _default(parameter: inspect.Parameter) -> str:
    """Write a default; silence by its name."""
    if parameter.default is parameter.empty:
        return ""
    return " = SILENT" if parameter.default is SILENT else f" = {parameter.default!r}"


PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands,
    "detectors.md": detectors,
    "recipe.md": recipe,
    "gate.md": gate,
    "files.md": files,
    "python.md": python,
}


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is not what the code says")
    check = parser.parse_args().check
    stale = [name for name, make in PAGES.items() if not (OUT / name).is_file() or (OUT / name).read_text(encoding="utf-8") != make()]
    for name in stale:
        if not check:
            OUT.mkdir(parents=True, exist_ok=True)
            (OUT / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"{'stale' if check else 'written'}: docs/reference/{name}")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
