"""The recipe: what a person writes in YAML, checked with the place of every mistake, and the same thing resolved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, Field, ValidationError, model_validator

from tunesmith.curation.steps import STEPS, Step
from tunesmith.curation.steps.base import Options
from tunesmith.errors import OptionError, TunesmithError, did_you_mean, unfit

M = TypeVar("M", bound=Options)

STEP_DEFAULTS: tuple[Mapping[str, Mapping[str, Any]], ...] = (
    {"fix": {}},
    {"detect": {"drop": "fatal", "flag": "all"}},
    {"exact_duplicates": {"of": ["prompt", "response"]}},
    {"near_duplicates": {"of": "prompt", "threshold": 0.7, "action": "flag"}},
)
"""The steps without a recipe: only fatal findings and exact copies are dropped."""


class Source(Options):
    """One source of rows."""

    path: str = Field(description="A file, glob, folder or version, relative to the recipe.")
    name: str | None = Field(default=None, description="What the source is called in the manifest.")
    format: str | None = Field(default=None, description="The format, where it should not be inferred.")
    weight: float = Field(default=1, gt=0, description="Multiplies the weight of its rows.")
    map: dict[str, str] | None = Field(default=None, description="Fields of a row and the file's names for them.")


class Rules(Options):
    """What every row must hold, besides being a row; those that do not are rejected."""

    required: tuple[str, ...] = Field(default=(), description="Columns that may not be missing or empty.")
    max_characters: int | None = Field(
        default=None,
        ge=1,
        description="The most characters any text field, or turn of a conversation, may have; 10,000,000 a field unless said.",
    )
    allowed: dict[str, tuple[str | int | float | bool, ...]] = Field(
        default_factory=dict,
        description="Column to the values that it may have; a row without one passes, unless the column is required.",
    )


class Recipe(Options):
    """Sources, rules for rows, and steps. Steps carry their names and are resolved in order."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True, arbitrary_types_allowed=True)

    sources: tuple[Source, ...] = ()
    rules: Rules = Field(default_factory=Rules, alias="schema")
    steps: tuple[Step, ...] = ()

    @model_validator(mode="after")
    def _unique_names(self) -> Recipe:
        seen: set[str] = set()
        for step in self.steps:
            if step.label in seen:
                raise ValueError(f'two steps are called "{step.label}"; give each its own name')
            seen.add(step.label)
        return self

    def as_dict(self) -> dict[str, Any]:
        """Say it in JSON values, resolved; `parse` of it gives the same recipe."""
        steps = [{step.type: step.model_dump(mode="json", exclude_none=True)} for step in self.steps]
        return {
            "sources": [source.model_dump(mode="json", exclude_none=True) for source in self.sources],
            "schema": self.rules.model_dump(mode="json", exclude_none=True),
            "steps": steps,
        }

    def step(self, name: str) -> Step:
        """Find a step by its name in the ledger.

        Raises:
            OptionError: If there is none.
        """
        for step in self.steps:
            if step.label == name:
                return step
        raise OptionError(f'the recipe has no step "{name}"; {did_you_mean(name, [step.label for step in self.steps])}')


def load_recipe(source: Recipe | str | Path | Mapping[str, Any] | None) -> Recipe:
    """Read a recipe from a file, a mapping of the same shape, or take the default.

    Raises:
        OptionError: With the place of every mistake and what was expected.

    >>> [step.label for step in load_recipe(None).steps]
    ['fix', 'detect', 'exact_duplicates', 'near_duplicates']
    """
    if isinstance(source, Recipe):
        return source
    if source is None:
        return parse({"steps": list(STEP_DEFAULTS)}, where="the default recipe")
    if isinstance(source, Mapping):
        return parse(source, where="recipe")
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise OptionError(f"recipe {path}: no such file; `tunesmith recipe new {path}` writes a commented one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"recipe {path}: expected a text file, found: {error}") from error
    return parse(_yaml(text, str(path)), where=str(path), folder=path.parent)


def stored(raw: Any, where: str) -> Recipe:
    """Take a recipe as a manifest holds it: resolved, whatever has become of the files it names."""
    return parse(raw, where=where, resolve=False)


def parse(raw: Any, *, where: str, folder: Path | None = None, resolve: bool = True) -> Recipe:
    """Check a recipe in JSON values and resolve its steps.

    Args:
        raw: The mapping.
        where: What messages call it.
        folder: What paths are relative to; the current folder unless said.
        resolve: Fill in what follows from other options; not for what was resolved before.
    Raises:
        OptionError: Naming place, key, and what was expected.
    """
    folder = folder or Path()
    if raw is None:
        raw = {}
    if not isinstance(raw, Mapping):
        raise OptionError(f"{where}: expected sections ({', '.join(_SECTIONS)}), found {_kind(raw)}")
    for key in raw:
        if key not in _SECTIONS:
            raise OptionError(f'{where}: unknown section "{key}"; {did_you_mean(str(key), _SECTIONS)}')
    listed = {key: raw.get(key) or [] for key in ("sources", "steps")}
    for key, value in listed.items():
        if not isinstance(value, list | tuple):
            raise OptionError(f"{where}, {key}: expected a list (lines that begin with a dash), found {_kind(value)}")
    sources = tuple(_model(Source, item, f"{where}, source {k}") for k, item in enumerate(listed["sources"], 1))
    rules = _model(Rules, raw.get("schema") or {}, f"{where}, schema")
    placed = folder if resolve else None
    steps = _named([_step(item, f"{where}, step {k}", placed) for k, item in enumerate(listed["steps"], 1)])
    if resolve:
        sources = tuple(source.model_copy(update={"path": _placed(source.path, folder)}) for source in sources)
    try:
        return Recipe(sources=sources, schema=rules, steps=steps)
    except ValidationError as error:
        raise OptionError(f"{where}: {unfit(error.errors()[0])}") from error


_SECTIONS = ("sources", "schema", "steps")


def _placed(path: str, folder: Path) -> str:
    return path if "://" in path or Path(path).is_absolute() or path == "-" else str(folder / path)


def _yaml(text: str, where: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise OptionError(f"{where}{line}: expected YAML, found: {getattr(error, 'problem', None) or error}") from error


def _step(item: Any, where: str, folder: Path | None) -> Step:
    if isinstance(item, str):
        item = {item: {}}
    if not isinstance(item, Mapping) or len(item) != 1:
        found = f"{len(item)} keys ({', '.join(map(str, item))})" if isinstance(item, Mapping) else _kind(item)
        raise OptionError(f"{where}: expected one step (`- fix: {{}}`), found {found}; its options belong inside the braces, or indented")
    (name, options), *_ = item.items()
    if name not in STEPS:
        raise OptionError(f'{where}: unknown step "{name}"; {did_you_mean(str(name), STEPS)}')
    place = f"{where} ({name})"
    made = _model(STEPS[name], options if options is not None else {}, place)
    try:
        if folder is None:
            return made
        made.checked()
        return made.resolved(folder)
    except TunesmithError as error:
        raise type(error)(f"{place}, {error}") from error


def _named(steps: list[Step]) -> tuple[Step, ...]:
    """Give each step without a name its type, numbered when repeated."""
    taken = {step.name for step in steps if step.name}
    made: list[Step] = []
    for step in steps:
        name, k = step.name or step.type, 1
        while not step.name and name in taken:
            k += 1
            name = f"{step.type}_{k}"
        taken.add(name)
        made.append(step.model_copy(update={"name": name}))
    return tuple(made)


def _model(model: type[M], raw: Any, where: str) -> M:
    if not isinstance(raw, Mapping):
        raise OptionError(f"{where}: expected options (key: value), found {_kind(raw)}")
    try:
        return model.model_validate_json(json.dumps(raw, default=str))
    except ValidationError as error:
        lines = [_explained(model, detail, where) for detail in error.errors()]
        raise OptionError("\n".join(dict.fromkeys(lines))) from error


def _explained(model: type[Options], detail: Any, where: str) -> str:
    # A union names its alternatives in the place; only keys and positions mean something to a reader.
    known_keys = {"function-after", "str", "int", "float", "tuple[str, ...]", "constrained-str"}
    path = [str(part) for part in detail["loc"] if str(part) not in known_keys]
    place = ".".join(path)
    if detail["type"] == "extra_forbidden":
        known = _options_at(model, path[:-1])
        return f'{where}: unknown option "{place}"; {did_you_mean(path[-1], known)}'
    if detail["type"] == "missing":
        return f'{where}: "{place}" is missing; {_description(model, path)}'.rstrip("; ")
    return f"{where}{f', {place}' if place else ''}: {unfit(detail)}"


def _field_model(model: type[Options], name: str) -> type[Options] | None:
    field = model.model_fields.get(name)
    kinds = [] if field is None else [field.annotation, *getattr(field.annotation, "__args__", ())]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Options)), None)


def _options_at(model: type[Options], path: list[str]) -> list[str]:
    for name in path:
        model = _field_model(model, name) or model
    return list(model.model_fields)


def _description(model: type[Options], path: list[str]) -> str:
    for name in path[:-1]:
        model = _field_model(model, name) or model
    field = model.model_fields.get(path[-1])
    return f"expected: {field.description}" if field is not None and field.description else ""


def _kind(value: Any) -> str:
    return {list: "a list", dict: "a mapping", str: "a text", type(None): "nothing"}.get(type(value), type(value).__name__)
