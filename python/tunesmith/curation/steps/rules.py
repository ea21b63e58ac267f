"""The rules of the web, as `filter: {rules: ...}` asks them: measures of the core, bounds of a recipe."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from pydantic import Field

from tunesmith.core import RULE_SETS, quality_rules
from tunesmith.core.rule_sets import RuleSetName
from tunesmith.curation.steps.base import Options, decisions
from tunesmith.errors import OptionError, did_you_mean

PREFIX = "rules."


class Rules(Options):
    """Rules that others made for web pages, under their names. They misfire on instructions: look before you drop."""

    set: RuleSetName = Field(description="Whose rules.")
    of: str = Field(default="response", description="prompt, response, or a text column.")
    bounds: dict[str, float] = Field(default_factory=dict, description="Other bounds, by the rule's name.")
    skip: tuple[str, ...] = Field(default=(), strict=False, description="Rules to leave out.")

    def checked(self) -> None:
        """Refuse names of rules that are not in the set.

        Raises:
            OptionError: With the closest known name.
        """
        known = [rule.name for rule in RULE_SETS[self.set].rules]
        for option, names in (("bounds", self.bounds), ("skip", self.skip)):
            for name in names:
                if name not in known:
                    raise OptionError(f'rules.{option}: "{name}": expected a rule of {self.set}; {did_you_mean(name, known)}')

    def measures(self) -> dict[str, pl.DataType]:
        """Name the measures of the set."""
        return {f"{PREFIX}{rule.measure}": pl.Float64() for rule in RULE_SETS[self.set].rules}

    def measure(self, values: pl.Series) -> list[pl.Series]:
        """Measure one text a row."""
        found = quality_rules(values, rules=self.set)
        return [found[name.removeprefix(PREFIX)].alias(name) for name in self.measures()]

    def decide(self, alive: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Drop by every rule that fails, in the order of the set; the rule is the bound's name, as what-if takes it."""
        bounds = RULE_SETS[self.set].bounds({**self.bounds, **dict.fromkeys(self.skip)})
        for rule in RULE_SETS[self.set].rules:
            if rule.name in bounds:
                bound, measure = bounds[rule.name], f"{PREFIX}{rule.measure}"
                lost = alive.filter(rule.fails(bound, prefix=PREFIX))
                name = f"{PREFIX}bounds.{rule.name}"
                yield decisions(lost, rule=name, action="drop", field=self.of, value=pl.col(measure), threshold=float(bound))
