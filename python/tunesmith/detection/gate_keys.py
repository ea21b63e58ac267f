"""The keys of a gate file as its models have them: place, type, default, meaning, an example each; the reference page is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel

from tunesmith.detection.gate import SECTIONS, Amount, Limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key of a section.

    Attributes:
        name: As it stands in the file.
        kind: What its value is, in words: a bound, a number, keys of its own.
        default: What holds without it; "required" where there is no file without it.
        meaning: What it bounds or says.
        example: The key with a value, as YAML on one line.
        place: The path to its section, "" at the top: `data`, `data.overlap`.
    """

    name: str
    kind: str
    default: str
    meaning: str
    example: str
    place: str

    def file(self) -> str:
        """Write a gate file that holds this key, and what its section cannot be without."""
        inner: Any = yaml.safe_load(self.example) | {name: value for name, value in _needed(self.place).items() if name != self.name}
        for name in reversed(self.place.split(".") if self.place else []):
            inner = {name: inner}
        return str(yaml.safe_dump(inner, sort_keys=False))


def keys() -> Iterator[tuple[str, str, list[Key]]]:
    """Go through the sections: place, what it is about, its keys.

    >>> [place for place, _, _ in keys()]
    ['', 'data', 'data.findings.NAME', 'data.near_duplicates', 'data.overlap']
    """
    models: dict[str, type[BaseModel]] = {**SECTIONS, "data.findings.NAME": Limit}
    for place, model in sorted(models.items()):
        yield place, " ".join((model.__doc__ or "").split()), [_key(place, name, field) for name, field in model.model_fields.items()]


def _key(place: str, name: str, field: FieldInfo) -> Key:
    shown = field.alias or name
    value = field.examples[0] if field.examples else {} if model_of(field.annotation) is None else _sample(place, shown)
    default = field.get_default(call_default_factory=True) if not field.is_required() else "required"
    return Key(
        name=shown,
        kind=_kind(field.annotation),
        default="none" if default in (None, {}, []) else str(default),
        meaning=field.description or "",
        example=_line({shown: value}),
        place=place,
    )


def _line(value: dict[str, Any]) -> str:
    return str(yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1_000)).strip().removeprefix("{").removesuffix("}")


def _sample(place: str, name: str) -> Any:
    """Take the examples of the keys of a section as its own."""
    model = SECTIONS[f"{place}.{name}".strip(".")]
    return {key.alias or k: key.examples[0] for k, key in model.model_fields.items() if key.examples}


def _needed(place: str) -> dict[str, Any]:
    model = SECTIONS.get(place, Limit)
    return {key.alias or name: (key.examples or [None])[0] for name, key in model.model_fields.items() if key.is_required()}


def model_of(annotation: Any) -> type[BaseModel] | None:
    """Find the model that a type names, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for each in get_args(annotation) if (model := model_of(each)) is not None), None)


def _kind(annotation: Any) -> str:
    """Say a type in words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(inner[0])
    if origin is Literal:
        return " | ".join(map(str, inner))
    if origin in (Union, UnionType):
        return " | ".join(_kind(each) for each in inner if each is not type(None))
    if origin is list:
        return f"{_kind(inner[0])}, or a list of them"
    if origin is dict:
        return f"{{name: {_kind(inner[1])}}}"
    return _plain(annotation)


def _plain(annotation: Any) -> str:
    """Say a type without others inside in words."""
    if (model := model_of(annotation)) is not None:
        named = ", ".join(field.alias or name for name, field in model.model_fields.items())
        return f"bound, or keys ({named})" if issubclass(model, Limit) else f"keys ({named})"
    words = {Amount: "bound", str: "text", int: "whole number", float: "number"}
    return words.get(annotation, "keys" if get_origin(annotation) is Mapping else str(annotation))
