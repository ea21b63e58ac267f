"""The file that a loop follows: the sections of a `tunesmith.yaml` that it uses, checked with the place of every mistake."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

import tunesmith
from tunesmith.errors import InputError, OptionError, did_you_mean, unfit
from tunesmith.training import TrainOptions
from tunesmith.training.options import describe

Accept = Literal["accepted", "proposed"]


class Section(BaseModel):
    """A section: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class LoopSection(Section):
    """Section `loop`: what goes round, and how often."""

    data: str = Field(description="The rows to train on: a file, folder or version.")
    items: str = Field(description="The items to evaluate on; their parts dev, gate and confirm are drawn once.")
    model: str = Field(description="The base model: a folder, or a hub name in the local cache.")
    out: str = Field(description="The folder of the turns.")
    validation: str | None = Field(default=None, description="Rows whose loss is measured after every epoch; it chooses nothing.")
    accept: Accept = Field(
        default="accepted", description="`accepted`: edits that a person accepted; `proposed`: all that are not rejected."
    )
    turns: int = Field(default=1, ge=1, description="Turns at most; a turn that is not accepted is the last.")
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1, description="Seeds of the training runs: every arm is trained with each.")

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds) or min(seeds) < 0:
            raise ValueError("different whole numbers from 0")
        return seeds


class PackSection(Section):
    """Section `pack`: as for the verb; the tokenizer is the model's unless said."""

    tokenizer: str | None = None
    template: str | None = None
    context: int | None = Field(default=None, ge=1)
    overflow: Literal["drop", "left", "answer", "error"] = "drop"
    turns: Literal["all", "last", "unroll"] = "all"


class EvaluateSection(Section):
    """Section `evaluate`: as for the verb; the template is the pack's unless said."""

    template: str | None = None
    max_new_tokens: int | None = Field(default=None, ge=1)
    temperature: float = Field(default=0.0, ge=0)
    stop: tuple[str, ...] = ()
    metrics: tuple[str, ...] | None = Field(default=None, alias="metric")
    embedder: str | None = None
    slices: tuple[str, ...] = Field(default=(), alias="slice")
    limit: int | None = Field(default=None, ge=1)
    format: str | None = None
    cache: str | None = None
    batch_tokens: int = Field(default=16_384, ge=1)
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"


class DiagnoseSection(Section):
    """Section `diagnose`: a loop diagnoses on the dev items alone, for the others prove the patch."""

    part: Literal["dev"] = "dev"


class ArmsSection(Section):
    """Section `arms`."""

    outcome: tuple[str, ...] = Field(default=(), description="The detectors that the verdict counts; the edits' categories unless said.")


class VerdictSection(Section):
    """Section `verdict`."""

    margin: float = Field(default=0.10, gt=0, lt=1)


_SECTIONS: Mapping[str, type[Section]] = {
    "loop": LoopSection, "pack": PackSection, "evaluate": EvaluateSection, "diagnose": DiagnoseSection, "arms": ArmsSection,
    "verdict": VerdictSection,
}  # fmt: skip
SECTIONS = (*_SECTIONS, "train")


class Settings:
    """A loop's settings, every default filled in, paths as the file's folder makes them.

    Attributes:
        file: The file.
        loop: Section `loop`; `data`, `items` and `validation` are places, `out` is a folder, `model` a folder or hub name.
        pack: Section `pack`.
        train: Section `train`, without a seed.
        evaluate: Section `evaluate`.
        arms: Section `arms`.
        verdict: Section `verdict`.
    """

    def __init__(self, file: Path, sections: Mapping[str, Any], train: TrainOptions) -> None:
        self.file, self.train = file, train
        self.loop: LoopSection = sections["loop"]
        self.pack: PackSection = sections["pack"]
        self.evaluate: EvaluateSection = sections["evaluate"]
        self.diagnose: DiagnoseSection = sections["diagnose"]
        self.arms: ArmsSection = sections["arms"]
        self.verdict: VerdictSection = sections["verdict"]

    def as_dict(self) -> dict[str, Any]:
        """Say it in JSON values."""
        said = {name: getattr(self, name).model_dump(mode="json") for name in _SECTIONS}
        train = asdict(self.train)
        del train["seed"]
        return {**said, "train": train}

    def deciding(self) -> dict[str, Any]:
        """Give what decides a turn: not where things lie (their content is among the inputs), nor how many turns there may be."""
        said = self.as_dict()
        for section, names in (
            ("loop", ("data", "items", "model", "out", "validation", "turns")),
            ("pack", ("tokenizer",)),
            ("evaluate", ("cache", "batch_tokens", "device")),
            ("train", ("micro_bins", "device", "checkpoint_steps", "activation_checkpointing")),
        ):
            for name in names:
                said[section].pop(name)
        return said


def read_settings(file: str | Path, *, turns: int | None = None) -> Settings:
    """Read and check a loop's file. Paths in it are relative to its folder.

    Args:
        file: A YAML file with the section `loop`; the sections of verbs that a loop does not use are left alone.
        turns: Turns at most, instead of the file's.
    Raises:
        InputError: If the file or a path in it is not there.
        OptionError: With section and key of every mistake.
    """
    path = Path(file)
    whole = _yaml(path)
    known = {*SECTIONS, *(name.replace("_", "-") for name in tunesmith.__all__)}
    for key in whole:
        if key not in known:
            raise OptionError(f'{path}: unknown section "{key}"; {did_you_mean(str(key), SECTIONS)}')
    if "loop" not in whole:
        raise OptionError(
            f"{path}: expected a section `loop` with data, items, model and out, found {', '.join(map(str, whole)) or 'none'}"
        )
    mistakes: list[str] = []
    sections: dict[str, Any] = {}
    for name, model in _SECTIONS.items():
        given = _options(whole.get(name), f"{path}, section {name}")
        try:
            sections[name] = model.model_validate(given)
        except ValidationError as error:
            mistakes += [_explained(model, detail, f"{path}, {name}") for detail in error.errors()]
    if mistakes:
        raise OptionError("\n".join(dict.fromkeys(mistakes)))
    train = _train(_options(whole.get("train"), f"{path}, section train"), f"{path}, train")
    made = _placed(path.parent, sections)
    if turns is not None:
        if turns < 1:
            raise OptionError(f"turns: expected at least 1, found {turns}")
        made["loop"] = made["loop"].model_copy(update={"turns": turns})
    return Settings(path, made, train)


def _yaml(path: Path) -> Mapping[Any, Any]:
    import yaml

    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: expected a tunesmith.yaml with a section `loop`, found no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: expected a text file, found: {error}") from error
    try:
        whole = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise OptionError(f"{path}{line}: expected YAML, found: {getattr(error, 'problem', None) or error}") from error
    return _mapping(whole, str(path))


def _mapping(value: Any, where: str) -> Mapping[Any, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise OptionError(f"{where}: expected keys and values (`name: value`), found {type(value).__name__}")
    return value


def _options(value: Any, where: str) -> Mapping[str, Any]:
    """Read a section: an option may be written as on the command line, `max-new-tokens`."""
    return {str(key).replace("-", "_"): one for key, one in _mapping(value, where).items()}


def _explained(model: type[Section], detail: Any, where: str) -> str:
    name = str(detail["loc"][0]) if detail["loc"] else ""
    said = {field.alias or key for key, field in model.model_fields.items()}
    if detail["type"] == "extra_forbidden":
        return f'{where}: unknown option "{name}"; {did_you_mean(name, said)}'
    if detail["type"] == "missing":
        return f"{where}: {name} is missing; {model.model_fields[name].description}"
    wrong = unfit(detail)
    return f"{where}.{name}: {wrong if wrong.startswith('expected') else f'expected {wrong}'}"


def _train(given: Mapping[Any, Any], where: str) -> TrainOptions:
    hints = typing.get_type_hints(TrainOptions)
    known = [one.name for one in fields(TrainOptions) if one.name != "seed"]
    chosen: dict[str, Any] = {}
    for key, value in given.items():
        name = str(key).replace("-", "_")
        if name == "seed":
            raise OptionError(f"{where}: seed is `seeds` in the section loop, for every arm is trained with each")
        if name not in known:
            raise OptionError(f'{where}: unknown option "{key}"; {did_you_mean(name, known)}')
        kind, _, _ = describe(hints[name])
        chosen[name] = _number(value) if kind is float else value
    try:
        return TrainOptions(**chosen)
    except OptionError as error:
        raise OptionError(f"{where}, {error}") from error


def _number(value: Any) -> Any:
    """Read what YAML takes for a text: 1e-3, without a point."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _placed(folder: Path, sections: Mapping[str, Any]) -> dict[str, Any]:
    """Resolve paths against the file's folder; what must be there is looked for."""
    made = dict(sections)
    loop: LoopSection = sections["loop"]
    places: dict[str, Any] = {"out": str(folder / loop.out)}
    for name in ("data", "items", "validation"):
        value = getattr(loop, name)
        if value is not None:
            places[name] = _source(folder, value, name)
    places["model"] = str(folder / loop.model) if (folder / loop.model).exists() else loop.model
    made["loop"] = loop.model_copy(update=places)
    for section, names in (("pack", ("tokenizer", "template")), ("evaluate", ("template", "embedder", "cache"))):
        options = sections[section]
        found = {name: getattr(options, name) for name in names}
        said = {name: value for name, value in found.items() if value is not None}
        here = {name: str(folder / value) for name, value in said.items() if name == "cache" or (folder / value).exists()}
        made[section] = options.model_copy(update=here)
    return made


def _source(folder: Path, value: str, name: str) -> str:
    if "://" in value or any(sign in value for sign in "*?["):
        return value if "://" in value else str(folder / value)
    place = folder / value
    if not place.exists():
        near = did_you_mean(place.name, _siblings(place.parent))
        raise InputError(f"loop.{name}: expected rows at {place}, found nothing there; {near}")
    return str(place)


def _siblings(folder: Path) -> Iterable[str]:
    return [path.name for path in folder.iterdir()] if folder.is_dir() else [str(folder)]
