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
import polars as pl

import tunesmith
from tunesmith import cli, core
from tunesmith.artefact import Kind, Manifest
from tunesmith.core.expressions import Expressions
from tunesmith.curation.edits import Edit
from tunesmith.curation.presets import PRESETS, TEMPLATE
from tunesmith.curation.recipe import Rules, Source
from tunesmith.curation.steps import STEPS
from tunesmith.curation.steps.base import Options
from tunesmith.detection import DETECTORS
from tunesmith.detection.detector import PROMISES
from tunesmith.detection.gate import SEVERITIES
from tunesmith.detection.gate_keys import keys as gate_keys
from tunesmith.detection.registry import WITH_MODEL
from tunesmith.diagnosis import schema as diagnosis
from tunesmith.evaluation import schema as evaluation
from tunesmith.packing.reader import PackedData
from tunesmith.progress import SILENT
from tunesmith.rows import schema as rows
from tunesmith.training.losses import LossTable

OUT = Path(__file__).parents[1] / "docs" / "reference"
NOTE = "<!-- Written by tools/reference.py from the code; do not edit. -->"
COMMON = ("as_json", "threads", "seed", "_set", "_config")


def page(title: str, *parts: str) -> str:
    """Join a page; blank lines are single."""
    text = "\n\n".join([NOTE, f"# {title}", *parts])
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def prose(text: str) -> str:
    """Escape what Markdown would read as HTML, outside of code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else part.replace("&", "&amp;").replace("<", "&lt;") for part in parts)


def cell(value: object) -> str:
    """Write a value so that a Markdown table keeps it."""
    return prose(str(value)).replace("|", r"\|").replace("\n", " ")


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Draw a Markdown table; nothing without rows."""
    lines = [[cell(value) for value in row] for row in rows]
    if not lines:
        return ""
    heads = list(heads)
    return "\n".join(f"| {' | '.join(line)} |" for line in [heads, ["---"] * len(heads), *lines])


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
        "default recipe, `review` ones flagged. The class is a promise: "
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


def paragraph(text: str | None) -> str:
    """Fold a docstring."""
    return " ".join(inspect.cleandoc(text or "").split())


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


# --- files ------------------------------------------------------------------------------------------------------------


def files() -> str:
    """The columns of every table on disk."""

    def of(module: Any, name: str) -> str:
        return table(["column", "type", ""], columns(module, name))

    lead = (
        "Every artefact is a folder with a `manifest.json` (`format: 1`), written last: a folder without one is not an artefact. Tables "
        "open in plain Polars; a version and a split open with `datasets.load_dataset(FOLDER)`."
    )
    return page(
        "Files",
        lead,
        "## manifest.json",
        f"`kind` is one of {', '.join(Kind.__args__)}.",  # type: ignore[attr-defined]
        docstring(Manifest.__doc__),
        "## version",
        table(
            ["file", "holds"],
            [
                ["`rows.parquet`", "kept rows, final text: the row's columns, then the user's"],
                ["`removed.parquet`", "dropped rows, and edited rows as they were; the same columns"],
                ["`ledger.parquet`", "the rules that fired"],
                ["`values.parquet`", "`position` and a column per `step.measure`, every valid row"],
                ["`edges.parquet`", "pairs of similar rows, down to each step's floor"],
                ["`rejects.jsonl`", "records that are no rows, with what is wrong under `_reject`"],
                ["`README.md`", "the card"],
            ],
        ),
        "A table that takes more than 1 GiB in memory, or has more than `--rows-per-file` rows, is a folder of the same name: "
        "`rows.parquet/part-00000.parquet` and so on, in the order of the rows. `pl.read_parquet('clean/rows.parquet')`, "
        "`pl.scan_parquet`, DuckDB, pyarrow and Spark open both alike; the card's pattern is `rows.parquet/*.parquet`. "
        "The content hash is the same however the tables are cut; `check` names a damaged part.",
        "### Row",
        of(rows, "ROW"),
        paragraph(_after(rows, "ROW")),
        "### Ledger",
        of(rows, "LEDGER"),
        "### Edges",
        of(rows, "EDGES"),
        "### Finding",
        "What `detect -o FILE` writes.",
        of(rows, "FINDING"),
        "### Reject",
        paragraph(_after(rows, "REJECT")) + " `rejects.jsonl` holds them record by record.",
        of(rows, "REJECT"),
        "## split",
        "`train/`, `validation/` and `test/`, each a version with a column `cluster` more (the group), `test/` also with `part` (dev, "
        "gate, confirm); `certificate.json`, what was measured across the borders; `README.md`. An empty part is left out.",
        "## pack",
        "`segments.arrow`, `plan.arrow`, `tokens.parquet`, `tokenizer/`.",
        docstring(PackedData.__doc__),
        "## run",
        "What transformers or peft load: safetensors, configuration, tokenizer, chat template, and a generation configuration with the "
        "trained end of turn; and `losses.parquet`.",
        docstring(LossTable.__doc__),
        "## evaluation",
        "`summary.json` holds the `--json` fields of `evaluate`.",
        "### items.parquet",
        of(evaluation, "ITEM"),
        paragraph(_after(evaluation, "ITEM")),
        "### predictions.parquet",
        of(evaluation, "PREDICTION"),
        "### scores.parquet",
        of(evaluation, "SCORE"),
        paragraph(_after(evaluation, "SCORE")),
        "### findings.parquet",
        of(evaluation, "FINDING"),
        "## diagnosis",
        "`summary.json` holds the `--json` fields of `diagnose`; `patch.jsonl` the proposed edits (see patch, below).",
        "### categories.parquet",
        of(diagnosis, "CATEGORY"),
        paragraph(_after(diagnosis, "CATEGORY")),
        "### causes.parquet",
        of(diagnosis, "CAUSE"),
        "## patch",
        "`patch.jsonl`, one JSON object a line; a line needs `action`, and `position` and `row_id` unless it adds a row.",
        docstring(Edit.__doc__),
        "## experiment",
        "What `arms` makes. `experiment.json`: `format`, `seed`, `seeds`, `steps`, `bins` (a step), `steps_from`, `estimated`, `edits` "
        "{action: count}, `accepted`, `proposed`, `categories`, `placebo` {`rule`, `rows`, `slices` [{`slice`, `rows`, `patch_rows`, "
        "`placebo_rows`, `from`}]}, `rows` {arm: count}.",
        table(
            ["file", "holds"],
            [
                ["`current/`, `patch/`, `placebo/`", "versions: the rows as they are, with the patch, with the placebo"],
                ["`patch.jsonl`, `placebo.jsonl`", "the patches that were applied"],
                ["`experiment.json`", "how to train every arm, what the patch does, what the placebo was drawn from"],
                ["`verdict.json`", "what `verdict` last said: its `--json` object"],
                ["`confirm.jsonl`", "looks at the confirm items: `time`, `items` (hash of their ids), `candidate` (hash of the answers)"],
            ],
        ),
        "## turn",
        "`OUT/turn-N` of a loop: `packs/`, `runs/`, `evaluations/` (an artefact for each arm, and seed), `base`, `diagnosis`, `arms` (an "
        "experiment), `report.html`. The manifest's `result` is the verdict with `paths`; its `details` hold the settings (`loop`), the "
        "`seconds` of each step, and `data`.",
    )


def columns(module: Any, name: str) -> Iterable[tuple[str, str, str]]:
    """Name, type and comment of a schema's columns; the comments stand in the source beside the columns."""
    source = inspect.getsource(module)
    start = re.search(rf"^_?{name}\b.*=.*[{{(]$", source, re.MULTILINE)
    block = source[start.end() : source.index("\n}", start.end())] if start else ""
    comments = dict(re.findall(r'^\s*"(\w+)":.*?#\s*(.*)$', block, re.MULTILINE))
    for column, dtype in getattr(module, name).items():
        yield f"`{column}`", f"`{_dtype(dtype)}`", comments.get(column, "")


def _dtype(dtype: Any) -> str:
    if isinstance(dtype, pl.List):
        return f"List[{_dtype(dtype.inner)}]"
    if isinstance(dtype, pl.Struct):
        return f"Struct[{', '.join(field.name for field in dtype.fields)}]"
    return str(dtype)


def _after(module: Any, name: str) -> str:
    """The text that stands under a constant, as its docstring."""
    found = re.search(rf'^{name} = .*?^(?:\}}\).*?\n|)"""(.*?)"""', inspect.getsource(module), re.MULTILINE | re.DOTALL)
    assert found is not None, name
    return found[1]


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


SECTIONS = ("Args", "Returns", "Raises", "Attributes", "Yields")


def docstring(text: str | None) -> str:
    """Turn a google-style docstring into Markdown: sections become lists, examples code."""
    out: list[str] = []
    section = ""
    for line in inspect.cleandoc(text or "").split("\n"):
        name = line.removesuffix(":")
        if line.endswith(":") and name in SECTIONS:
            section = name
            out += ["", f"**{name}**", ""]
        elif section in ("Args", "Raises", "Attributes") and re.match(r"    \S", line):
            term, sign, rest = line.strip().partition(": ")
            out.append(f"- `{term}`: {rest}" if sign else f"- {term}")
        elif section and line.startswith("    "):
            out.append(("  " if section != "Returns" else "") + line.strip())
        else:
            section = section if not line else ""
            out.append(line)
    return _examples("\n".join(out))


def _examples(text: str) -> str:
    """Fence the paragraphs that are doctests; escape the others."""
    blocks = re.split(r"\n{2,}", text)
    fenced = [
        f"```pycon\n{block.strip()}\n```" if block.lstrip().startswith(">>>") else prose(block.replace("``", "`")) for block in blocks
    ]
    return "\n\n".join(fenced).strip()


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
