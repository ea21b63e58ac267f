"""A verdict in words: the sentence, the reasons, and what a reader has to know beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

DOING = {"drop": "dropping", "edit": "editing", "weight": "reweighting", "mask": "masking", "add": "adding"}


def action(edits: Mapping[str, int]) -> str:
    """Say what a patch does to how many rows.

    >>> action({"drop": 389, "edit": 1})
    'dropping 389 rows and editing 1 row'
    """
    parts = [f"{DOING[name]} {count:,} row{'s' if count != 1 else ''}" for name, count in edits.items() if count]
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def percent(share: float) -> str:
    """Write a rate: whole percents, one decimal below 1%.

    >>> percent(0.184), percent(0.004), percent(0.0)
    ('18%', '0.4%', '0%')
    """
    return f"{share:.1%}" if 0 < share < 0.01 else f"{share:.0%}"


def points(difference: float) -> str:
    """Write a difference of rates in percentage points, one decimal where it is near 0.

    >>> points(-0.17), points(0.004), points(0.0)
    ('-17', '+0.4', '0')
    """
    value = 100 * difference
    if abs(value) < 0.05:
        return "0"
    return f"{value:+.1f}" if abs(value) < 9.5 and round(value) != round(value, 1) else f"{value:+.0f}"


def interval(found: Mapping[str, Any]) -> str:
    """Write a difference with its interval.

    >>> interval({"difference": -0.17, "low": -0.21, "high": -0.13})
    '-17 points, 95% interval -21 to -13'
    """
    return f"{points(found['difference'])} points, 95% interval {points(found['low'])} to {points(found['high'])}"


def outcome(targets: Sequence[str]) -> str:
    """Name the outcome.

    >>> outcome(["refusal"]), outcome(["refusal", "repetitive"])
    ('refusal', 'any of refusal, repetitive')
    """
    return targets[0] if len(targets) == 1 else f"any of {', '.join(targets)}"


NAMED = 3
"""More categories than these are counted in a sentence, not named: tables name them."""


def _briefly(targets: Sequence[str]) -> str:
    if len(targets) == 1:
        return f"`{targets[0]}`"
    return f"any of {len(targets)} defects" + (f" ({', '.join(targets)})" if len(targets) <= NAMED else "")


def sentence(made: Mapping[str, Any], experiment: Mapping[str, Any], targets: Sequence[str]) -> str:
    """Say the verdict in one sentence, every number of it computed.

    Args:
        made: A verdict, all but its sentence.
        experiment: Its experiment.
        targets: The categories of the outcome.
    """
    done, gate = action(experiment["edits"]), made["gate"]
    if gate is None:
        return f"Not shown: {made['reasons'][0]}."
    rates = {arm: percent(found["rate"]) for arm, found in gate["arms"].items()}
    before = "current" if "current" in rates else "placebo"
    told = [f"patch against placebo: {interval(gate)}", f"placebo {rates['placebo']}", *_largest(gate, targets)]
    if made["verdict"] == "accepted":
        told.append(f"confirmed on {made['confirm']['items']:,} others: {interval(made['confirm'])}")
        lead = (
            f"{done[0].upper()}{done[1:]} cut {_briefly(targets)} from {rates[before]} to {rates['patch']} of {gate['items']:,} gate items"
        )
        return f"{lead} ({'; '.join([*told, *_covers(experiment)])})."
    told.append(f"from {rates[before]} to {rates['patch']}" if before == "current" else f"patch {rates['patch']}")
    if made["detectable"] is not None:
        told.append(f"{points(made['detectable']).lstrip('+')} points or more would have been found with power .8")
    else:
        told.append("answers differ too much, or items are too few, for any effect to be found with power .8")
    lead = f"Not shown: {done} against {_briefly(targets)} on {gate['items']:,} gate items"
    return f"{lead} ({'; '.join([*told, *_covers(experiment)])}). {_capital(made['reasons'][0])}."


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _largest(gate: Mapping[str, Any], targets: Sequence[str]) -> list[str]:
    """Name the target that changed most, where there are several."""
    if len(targets) < 2:
        return []
    name = min(targets, key=lambda each: gate["categories"][each]["difference"])
    arms = gate["categories"][name]["arms"]
    return [f"the largest, `{name}`: {percent(arms['placebo'])} to {percent(arms['patch'])}"]


def _covers(experiment: Mapping[str, Any]) -> list[str]:
    said = []
    if experiment["proposed"]:
        said.append(
            "nobody reviewed the edits" if not experiment["accepted"] else f"nobody reviewed {experiment['proposed']:,} of the edits"
        )
    if experiment["evaluated_seeds"] == 1:
        said.append("one seed: the interval covers items alone")
    return said


def needed(name: str, found: Mapping[str, Any], margin: float, items: int, *, share: bool) -> str:
    """Say that a category or metric cannot be told to be within the margin, and what it would take."""
    scale = f"{points(margin).lstrip('+')} points" if share else f"{margin:g}"
    bound = points(found["high"]) if share else f"{found['low']:+.3f}"
    return (
        f"whether `{name}` stays within {scale} of the placebo cannot be told on {items:,} gate items (bound {bound}); "
        f"it would take about {found['needs']:,} independent ones"
    )
