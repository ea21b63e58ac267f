"""`what_if`: the outcome under other options, from the measures of a version, without running a step."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.curation.decision import Fate, StepCount, decide
from tunesmith.curation.recipe import Recipe, stored
from tunesmith.curation.steps import Step
from tunesmith.curation.steps.select import ORDER, Select
from tunesmith.errors import ArtefactError, OptionError
from tunesmith.rows import Version


class NeedsRunError(OptionError):
    """A question that the measures of a version cannot answer."""


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """The outcome under other options.

    Attributes:
        kept: Rows that would stay.
        dropped: Rows that would not.
        flagged: Rows that would stay with a flag.
        newly_kept: Rows that were dropped and would stay.
        newly_dropped: Rows that stayed and would be dropped.
        steps: The funnel.
        examples: Some rows whose fate changes: `position, change, step, rule, value, threshold`.
    """

    kept: int
    dropped: int
    flagged: int
    newly_kept: int
    newly_dropped: int
    steps: tuple[StepCount, ...]
    examples: tuple[Mapping[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """The `--json` fields."""
        return {**vars(self), "steps": [vars(step) for step in self.steps], "examples": [dict(example) for example in self.examples]}


def what_if(version: Version | str | Path, *changes: str | Mapping[str, Any]) -> WhatIf:
    """Decide again under other options.

    Args:
        version: A curated version.
        changes: `STEP.OPTION=VALUE`, the value as in a recipe; or mappings of `STEP.OPTION` to values.
    Returns:
        What would be kept, and what changes.
    Raises:
        NeedsRunError: If the measures that are there cannot answer.
        OptionError: If there is no such step or option, or no such value.

    >>> import tempfile
    >>> from tunesmith.curation import curate
    >>> folder = tempfile.mkdtemp() + "/clean"
    >>> made = curate([{"instruction": f"Say {word}", "output": "ok"} for word in ("hi", "hi", "bye")], out=folder)
    >>> what_if(folder, "exact_duplicates.action=flag").newly_kept
    1
    >>> what_if(folder, {"exact_duplicates.action": "flag"}).newly_kept
    1
    """
    opened = version if isinstance(version, Version) else Version.open(version)
    recipe = recipe_of(opened)
    return outcome(opened.values, opened.edges, recipe.steps, changed(recipe, changes).steps)


def recipe_of(version: Version) -> Recipe:
    """Read the resolved recipe that a version was made by.

    Raises:
        ArtefactError: If it was not made by `curate`.
    """
    raw = version.manifest.details.get("recipe")
    if raw is None and "restore" in version.manifest.options:
        raise ArtefactError(
            f"{version.folder}: expected a version made by `curate`, found one with rows that `restore` brought back, about which no "
            f"recipe decides; ask of the version that it was made from, or curate this one"
        )
    if raw is None:
        raise ArtefactError(f"{version.folder}: expected a version made by `curate`, found one without a recipe; curate it first")
    return stored(raw, f"{version.folder}, recipe")


def changed(recipe: Recipe, changes: Sequence[str | Mapping[str, Any]]) -> Recipe:
    """Change options of a resolved recipe.

    Args:
        recipe: Its steps carry their names.
        changes: `STEP.OPTION=VALUE`, or `STEP.OPTION` to values.
    Raises:
        OptionError: If a change cannot be read or honoured.
    """
    import yaml

    raw = recipe.as_dict()
    for change, path, read in _each(changes):
        name, dot, option = path.strip().partition(".")
        if not dot or not option:
            raise OptionError(f"{change}: expected STEP.OPTION=VALUE, for example near_duplicates.threshold=0.8")
        step = recipe.step(name)
        place = next(each[step.type] for each in raw["steps"] if each.get(step.type, {}).get("name") == name)
        *parents, last = option.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise OptionError(f"{change}: {name} has no option {option}")
        try:
            place[last] = read()
        except yaml.YAMLError as error:
            raise OptionError(f"{change}: expected a value as in a recipe, found {change.partition('=')[2]!r}") from error
    return stored(raw, "what-if")


def _each(changes: Sequence[str | Mapping[str, Any]]) -> Iterator[tuple[str, str, Callable[[], Any]]]:
    """Give each change as it is written, its place, and how its value is read."""
    import yaml

    for change in changes:
        if isinstance(change, str):
            path, sign, value = change.partition("=")
            yield change, path if sign else "", functools.partial(yaml.safe_load, value)
        else:
            for path, value in change.items():
                yield f"{path}={value}", path, functools.partial(_given, value)


def _given(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | set | frozenset) else value


def outcome(values: pl.DataFrame, edges: pl.DataFrame, old: Sequence[Step], new: Sequence[Step]) -> WhatIf:
    """Decide under old and new steps and compare.

    Raises:
        NeedsRunError: If the measures, made under the old steps, cannot answer for the new ones.
    """
    for before, after in zip(old, new, strict=True):
        _answered(before, after, values)
    _same_entrance(values, edges, old, new)
    was, would = decide(values, edges, old), decide(values, edges, new)
    back = would.kept.filter(~would.kept.is_in(was.kept.implode()))
    gone = would.dropped.filter(would.dropped.is_in(was.kept.implode()))
    return WhatIf(
        kept=would.kept.len(), dropped=would.dropped.len(), flagged=would.flagged, newly_kept=back.len(), newly_dropped=gone.len(),
        steps=would.steps, examples=(*_examples(was, back, "kept"), *_examples(would, gone, "dropped")),
    )  # fmt: skip


def _answered(before: Step, after: Step, values: pl.DataFrame) -> None:
    if before == after:
        return
    after.checked()
    old, new = (_measuring(step.model_dump(mode="json"), step.deciding) for step in (before, after))
    options = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    if options:
        raise NeedsRunError(f"needs a run: {before.label}.{options[0]} changes what is measured; curate again with it")
    prefix = f"{before.label}."
    measured = frozenset(name.removeprefix(prefix) for name in values.columns if name.startswith(prefix))
    reason = after.unanswered(measured)
    if reason:
        raise NeedsRunError(f"needs a run: {before.label}: {reason}; curate again with it")


def _measuring(options: Mapping[str, Any], deciding: frozenset[str], prefix: str = "") -> dict[str, Any]:
    """Flatten options to dotted names, without those that only decide."""
    flat: dict[str, Any] = {}
    for name, value in options.items():
        if prefix + name in deciding or value is None:
            continue
        if isinstance(value, dict):
            flat.update(_measuring(value, deciding, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat


def _same_entrance(values: pl.DataFrame, edges: pl.DataFrame, old: Sequence[Step], new: Sequence[Step]) -> None:
    """A ranked step's order holds for the rows that it ordered, and for no larger budget."""
    for k, (before, after) in enumerate(zip(old, new, strict=True)):
        if not isinstance(after, Select) or not isinstance(before, Select):
            continue
        was, would = (decide(values, edges, steps[:k]).kept for steps in (old, new))
        if not was.equals(would):
            raise NeedsRunError(f"needs a run: other rows would reach {after.label}, and its order depends on them")
        ordered = values[f"{after.label}.{ORDER}"].drop_nulls().len()
        if after.budget(would.len()) > ordered:
            raise NeedsRunError(f"needs a run: {after.label} ordered {ordered} rows, and {after.budget(would.len())} are asked for")


def _examples(fate: Fate, positions: pl.Series, change: str) -> list[dict[str, Any]]:
    """Say of three rows which rule dropped them: under the old options for rows that come back, else under the new."""
    rules = fate.decisions.filter(pl.col("action") == "drop", pl.col("position").is_in(positions.implode()))
    rules = rules.unique("position", keep="first", maintain_order=True).head(3)
    return [{"change": change, **row} for row in rules.select("position", "step", "rule", "value", "threshold").iter_rows(named=True)]
