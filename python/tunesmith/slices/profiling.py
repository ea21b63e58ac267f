"""The verb `profile`: what is in a data set, counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tunesmith import core
from tunesmith.detection import counts, find
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import fields, read
from tunesmith.slices.slicing import LENGTHS, WORD, columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tunesmith.rows import Data

QUANTILES: Final = {"p1": 0.01, "p10": 0.1, "p50": 0.5, "p90": 0.9, "p99": 0.99}
SHARED: Final = 0.01
"""Text that more than this share of rows have in common is boilerplate."""
_LEAST, _OPENING = 5, 6


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What is in a data set.

    Attributes:
        data: The rows that were read.
        slices: One line per row (`slices.columns`).
        findings: Every finding (`rows.schema.FINDING`).
        lengths: ``position, prompt, response`` in words, one line per row, for histograms.
        result: The `--json` fields.
    """

    data: Data
    slices: pl.DataFrame
    findings: pl.DataFrame
    lengths: pl.DataFrame
    result: Mapping[str, Any]


def profile(source: Any, *, format: str | None = None, progress: Progress = SILENT) -> Profile:  # noqa: A002  (named as the option is)
    """Count what is in a data set: lengths, languages, verbs, topics, turns, duplicates, boilerplate, findings.

    Args:
        source: Anything `rows.read` takes.
        format: The format, where it is not to be inferred.
        progress: Told of the work.
    Returns:
        `Profile`; ``result`` holds ``format, rows, valid, rejected, lengths`` {field: {unit: quantiles}},
        ``languages, verbs, topics, length, turns`` {value: rows}, ``duplicates`` (``exact``: rows whose prompt and
        answer are those of an earlier row; ``near``: rows whose prompt has an earlier near duplicate, exact Jaccard
        of word 5-grams at least .7; ``largest``: rows of the largest such group), ``boilerplate`` (texts that over
        1% of rows share) and ``findings`` {detector: rows}.

    >>> made = profile([{"instruction": "List three rivers.", "output": "Rhine, Elbe, Oder"}])
    >>> made.result["verbs"], made.result["lengths"]["response"]["words"]["p50"]
    ({'list': 1}, 3)
    """
    data = read(source, format=format, progress=progress).some()
    frame = data.frame
    slices = columns(frame)
    findings = find(frame, progress=progress)
    prompts, responses = fields.prompt(frame), fields.response(frame)
    texts = {"prompt": prompts.fill_null(""), "response": responses.fill_null("")}
    words = {name: series.str.count_matches(WORD) for name, series in texts.items()}
    result = {
        "format": data.format,
        "rows": data.rows,
        "valid": frame.height,
        "rejected": data.rows - frame.height,
        "lengths": {
            name: {"characters": quantiles(series.str.len_chars()), "words": quantiles(words[name])} for name, series in texts.items()
        },
        **{plural: tally(slices[name]) for plural, name in (("languages", "language"), ("verbs", "verb"))},
        **({"topics": tally(slices["topic"])} if "topic" in slices.columns else {}),
        "length": {label: count for label in LENGTHS if (count := int((slices["length"] == label).sum()))},
        "turns": {str(value): count for value, count in slices["turns"].value_counts().sort("turns").iter_rows()},
        "duplicates": duplicates(prompts, responses),
        "boilerplate": boilerplate(frame),
        "findings": counts(findings),
        "notes": list(data.notes),
    }
    lengths = frame.select("position").with_columns(**words)
    return Profile(data=data, slices=slices, findings=findings, lengths=lengths, result=result)


def quantiles(values: pl.Series) -> dict[str, int]:
    """Give the least, the most and some quantiles (nearest rank) of counts.

    >>> quantiles(pl.Series([1, 2, 3]))["p50"]
    2
    """
    if values.is_empty():
        return {}
    inner = {name: int(values.quantile(share, interpolation="nearest") or 0) for name, share in QUANTILES.items()}
    return {"min": _int(values.min()), **inner, "max": _int(values.max())}


def _int(value: Any) -> int:
    return int(value or 0)


def tally(values: pl.Series) -> dict[str, int]:
    """Count values, the most frequent first.

    >>> tally(pl.Series("verb", ["write", "list", "write"]))
    {'write': 2, 'list': 1}
    """
    counted = values.value_counts().sort("count", values.name, descending=[True, False])
    return dict(counted.iter_rows())


def duplicates(prompts: pl.Series, responses: pl.Series) -> dict[str, int]:
    """Count exact duplicates of prompt and response, and near duplicates of the prompt."""
    if prompts.is_empty():
        return {"exact": 0, "near": 0, "largest": 0}
    both = pl.select(pl.concat_str(prompts, responses, separator="\n\n", ignore_nulls=True)).to_series()
    exact = core.exact_duplicates(both)
    near = core.near_duplicates(prompts, threshold=0.7)
    return {
        "exact": int((exact["row"] != exact["root"]).sum()),
        "near": int((near["row"] != near["root"]).sum()),
        "largest": _int(near["root"].value_counts()["count"].max()),
    }


def boilerplate(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Find text that over 1% of rows (and at least 5) share: system prompts, and openings of six words.

    Returns:
        ``{field, text, rows, share}``, the most frequent first; ``field`` is ``system``, ``instruction`` or ``response``.
    """
    if frame.is_empty():
        return []
    texts = {"system": frame["system"].str.strip_chars()} if "system" in frame.columns else {}
    opening = rf"^\s*((?:\S+\s+){{{_OPENING - 1}}}\S+)\s"
    for name, column in (("instruction", "instruction"), ("response", "output")):
        texts[name] = frame[column].str.extract(opening)
    shared = []
    for name, series in texts.items():
        counted = series.drop_nulls().alias("text").value_counts()
        many = counted.filter(pl.col("count") > SHARED * frame.height, pl.col("count") >= _LEAST, pl.col("text") != "")
        shared += [{"field": name, "text": text, "rows": count, "share": count / frame.height} for text, count in many.iter_rows()]
    return sorted(shared, key=lambda each: (-each["rows"], each["text"]))
