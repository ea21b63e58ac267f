"""The rule sets of other systems: their bounds, in their order, under their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import polars as pl

from tunesmith.errors import OptionError, did_you_mean

RuleSetName = Literal["gopher:datatrove", "gopher:dolma", "c4", "fineweb"]
NAMES: tuple[RuleSetName, ...] = get_args(RuleSetName)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One bound on one measure.

    Attributes:
        name: What the system calls it: the reason that datatrove gives, the attribute that dolma writes.
        measure: What is compared.
        side: Whether the bound is the least or the most that is kept.
        bound: The system's own.
    """

    name: str
    measure: str
    side: Literal["least", "most"]
    bound: float

    def fails(self, bound: float, *, prefix: str = "") -> pl.Expr:
        """Whether the measure, in a column of that name behind `prefix`, lies outside the bound."""
        measured = pl.col(prefix + self.measure)
        return measured < bound if self.side == "least" else measured > bound


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """The rules of a system, in the order in which it asks them.

    Attributes:
        name: As users write it.
        rules: The first that fails is the reason.
        by_line: Rules whose measures are line numbers: of those that fail, the one of the earlier line counts.
    """

    name: RuleSetName
    rules: tuple[Rule, ...]
    by_line: tuple[str, ...] = ()

    def bounds(self, changed: Mapping[str, float | None] | None = None) -> dict[str, float]:
        """Give the bound of each rule that is asked, in order.

        Args:
            changed: Other bounds by rule; None leaves the rule out.
        Raises:
            OptionError: If there is no such rule.

        >>> RULE_SETS["c4"].bounds({"too_few_sentences": 2, "curly_bracket": None})
        {'lorem_ipsum': 0, 'too_few_sentences': 2}
        """
        known = {rule.name: rule.bound for rule in self.rules}
        for name in changed or {}:
            if name not in known:
                raise OptionError(f'bounds: "{name}": expected a rule of {self.name}; {did_you_mean(name, list(known))}')
        merged: dict[str, float | None] = {**known, **(changed or {})}
        return {name: bound for name, bound in merged.items() if bound is not None}

    def judge(self, measures: pl.DataFrame, changed: Mapping[str, float | None] | None = None) -> pl.DataFrame:
        """Put `kept` and `rule` before the measures; null where these are."""
        bounds = self.bounds(changed)
        failing = [(rule, rule.fails(bounds[rule.name])) for rule in self.rules if rule.name in bounds]
        reasons = [pl.when(fails).then(pl.lit(rule.name)) for rule, fails in self._earlier(failing)]
        first = pl.coalesce(*reasons, pl.lit(None, dtype=pl.String)).alias("rule")
        # Beside a column: a literal alone would be one row, however many texts there are.
        known = measures.select(pl.first().is_not_null().alias("known"), first)
        kept = pl.when("known").then(pl.col("rule").is_null()).alias("kept")
        return pl.concat([known.select(kept, "rule"), measures], how="horizontal")

    def _earlier(self, failing: list[tuple[Rule, pl.Expr]]) -> list[tuple[Rule, pl.Expr]]:
        """Let a rule by line give way to one that fails at an earlier line."""
        lines = [(rule, fails) for rule, fails in failing if rule.name in self.by_line]
        made = []
        for rule, fails in failing:
            others = [other_fails & (pl.col(other.measure) < pl.col(rule.measure)) for other, other_fails in lines if other is not rule]
            made.append((rule, fails & ~pl.any_horizontal(others) if rule.name in self.by_line and others else fails))
        return made


def _least(name: str, measure: str, bound: float) -> Rule:
    return Rule(name=name, measure=measure, side="least", bound=bound)


def _most(name: str, measure: str, bound: float) -> Rule:
    return Rule(name=name, measure=measure, side="most", bound=bound)


_DUPLICATE = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
_TOP = {2: 0.20, 3: 0.18, 4: 0.16}

_GOPHER_DATATROVE = (
    _least("empty", "characters", 1),
    _most("dup_para_frac", "duplicate_paragraph_share", 0.3),
    _most("dup_para_char_frac", "duplicate_paragraph_characters", 0.2),
    _most("dup_line_frac", "duplicate_line_share", 0.3),
    _most("dup_line_char_frac", "duplicate_line_characters", 0.2),
    *(_most(f"top_{n}_gram", f"top_{n}_gram", bound) for n, bound in _TOP.items()),
    *(_most(f"duplicated_{n}_n_grams", f"duplicate_{n}_gram", bound) for n, bound in _DUPLICATE.items()),
    _least("gopher_short_doc", "words", 50),
    _most("gopher_long_doc", "words", 100_000),
    _least("gopher_below_avg_threshold", "mean_word_length", 3),
    _most("gopher_above_avg_threshold", "mean_word_length", 10),
    _most("gopher_too_many_hashes", "hash_ratio", 0.1),
    _most("gopher_too_many_ellipsis", "ellipsis_ratio", 0.1),
    _most("gopher_too_many_bullets", "bullet_line_share", 0.9),
    _most("gopher_too_many_end_ellipsis", "ellipsis_line_share", 0.3),
    _least("gopher_below_alpha_threshold", "alphabetic_word_share", 0.8),
    _least("gopher_enough_stop_words", "stop_words", 2),
)

_GOPHER_DOLMA = (
    _least("word_count_min", "word_count", 50),
    _most("word_count_max", "word_count", 100_000),
    _least("median_word_length_min", "median_word_length", 3),
    _most("median_word_length_max", "median_word_length", 10),
    _most("symbol_to_word_ratio", "symbol_to_word_ratio", 0.1),
    _least("fraction_of_words_with_alpha_character", "fraction_of_words_with_alpha_character", 0.8),
    _least("required_word_count", "required_word_count", 2),
    *(
        _most(f"fraction_of_{what}", f"fraction_of_{what}", bound)
        for what, bound in {
            "lines_starting_with_bullet_point": 0.9,
            "lines_ending_with_ellipsis": 0.3,
            "duplicate_lines": 0.3,
            "characters_in_duplicate_lines": 0.3,
            **{f"characters_in_most_common_{n}grams": bound for n, bound in _TOP.items()},
            **{f"characters_in_duplicate_{n}grams": bound for n, bound in _DUPLICATE.items()},
        }.items()
    ),
)

_C4 = (
    _most("lorem_ipsum", "lorem_ipsum_line", 0),
    _most("curly_bracket", "curly_bracket_line", 0),
    _least("too_few_sentences", "sentences", 5),
)

_FINEWEB = (
    _least("empty", "lines", 1),
    _least("line_punct_ratio", "punctuated_line_share", 0.12),
    _most("short_line_ratio", "short_line_share", 0.67),
    _most("char_dup_ratio", "duplicate_line_characters", 0.01),
    _most("list_ratio", "newline_ratio", 0.3),
)

RULE_SETS: dict[RuleSetName, RuleSet] = {
    "gopher:datatrove": RuleSet(name="gopher:datatrove", rules=_GOPHER_DATATROVE),
    "gopher:dolma": RuleSet(name="gopher:dolma", rules=_GOPHER_DOLMA),
    "c4": RuleSet(name="c4", rules=_C4, by_line=("lorem_ipsum", "curly_bracket")),
    "fineweb": RuleSet(name="fineweb", rules=_FINEWEB),
}


def rule_set(name: str) -> RuleSet:
    """Find a rule set.

    Raises:
        OptionError: Naming the known ones.

    >>> len(rule_set("gopher:dolma").rules)
    20
    """
    for known, found in RULE_SETS.items():
        if name == known:
            return found
    raise OptionError(f'rules: "{name}": expected one of {", ".join(NAMES)}; {did_you_mean(name, list(NAMES))}')
