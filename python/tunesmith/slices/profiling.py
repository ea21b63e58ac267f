"""The verb `profile`: what is in a data set, counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tunesmith import core
from tunesmith.core.memory import compact, freeing, give_back
from tunesmith.detection import counts, find
from tunesmith.errors import OptionError
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import fields, read
from tunesmith.rows.pieces import pieces
from tunesmith.slices.clusters import TOPICS, clusters
from tunesmith.slices.parsing import parse
from tunesmith.slices.scripts import scripts
from tunesmith.slices.slicing import LENGTHS, WORD, columns
from tunesmith.slices.verbs import objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tunesmith.rows import Data
    from tunesmith.templates import ModelTokenizer

QUANTILES: Final = {"p1": 0.01, "p10": 0.1, "p50": 0.5, "p90": 0.9, "p99": 0.99}
SHARED: Final = 0.01
"""Text that more than this share of rows have in common is boilerplate."""
_LEAST, _OPENING = 5, 6
SIGNALS: Final = ("mean_word_length", "alphabetic_share", "digit_share", "symbol_share", "distinct_2", "rep_4", "duplicate_line_share")
"""Signals of the responses that a profile shows (`core.signals` defines them)."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What is in a data set.

    Attributes:
        data: The rows that were read.
        slices: One line per row: `slices.columns`, and ``object``, ``script``, ``cluster``.
        findings: Every finding (`rows.schema.FINDING`).
        lengths: ``position, prompt, response`` in words, one line per row, for histograms; with a tokenizer also
            ``prompt_tokens, response_tokens``.
        result: The `--json` fields.
    """

    data: Data
    slices: pl.DataFrame
    findings: pl.DataFrame
    lengths: pl.DataFrame
    result: Mapping[str, Any]


def profile(
    source: Any,
    *,
    format: str | None = None,  # noqa: A002  (named as the option is)
    mapping: Mapping[str, str] | None = None,
    tokenizer: str | None = None,
    parser: str | None = None,
    topics: int = TOPICS,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Profile:
    """Count what is in a data set: lengths, languages, verbs, topics, turns, duplicates, boilerplate, signals, findings.

    Args:
        source: Anything `rows.read` takes.
        format: The format, where it is not to be inferred.
        mapping: Names of the source's fields to the names they are read under.
        tokenizer: A folder with tokenizer.json, or a model's name: lengths in its tokens, too.
        parser: A spaCy pipeline, by name or folder, that finds verb and object (`slices.parsing.parse`); without one
            a light rule does (`slices.verbs`).
        topics: Clusters of prompts at most (`slices.clusters.clusters`).
        seed: Of the clusters.
        progress: Told of the work.
    Returns:
        `Profile`; ``result`` holds ``format, rows, valid, rejected, lengths`` {field: {unit: quantiles}},
        ``languages, scripts, verbs, objects`` (verb and object), ``topics`` (where a column of the rows says it),
        ``clusters, length, turns`` {value: rows}, ``duplicates`` (``exact``: rows whose prompt and
        answer are those of an earlier row; ``near``: rows whose prompt has an earlier near duplicate, exact Jaccard
        of word 5-grams at least .7, shared openings left out; ``largest``: rows of the largest such group),
        ``boilerplate`` (texts that over 1% of rows share), ``signals`` {signal: quantiles} of the responses, and
        ``findings`` {detector: rows}.
    Raises:
        ModelError: If the tokenizer or the parser is not there.
        OptionError: If there are no topics to be.

    >>> made = profile([{"instruction": "List three rivers.", "output": "Rhine, Elbe, Oder"}])
    >>> made.result["objects"], made.result["lengths"]["response"]["words"]["p50"]
    ({'list river': 1}, 3)
    """
    if topics < 1:
        raise OptionError(f"topics: found {topics}, expected 1 or more")
    named = _tokenizer(tokenizer)
    data = read(source, format=format, mapping=mapping, progress=progress).some()
    frame = data.frame
    looked = _looked_at(frame, named, progress)
    prompts = looked.prompts
    slices = looked.slices.with_columns(clusters(prompts, topics=topics, seed=seed).alias("cluster"))
    if parser is not None:
        slices = slices.with_columns(parse(frame["instruction"], parser, progress=progress))
    give_back()
    same = boilerplate(frame)
    result = {
        "format": data.format,
        "rows": data.rows,
        "valid": frame.height,
        "rejected": data.rows - frame.height,
        "lengths": {
            name: {unit: quantiles(looked.spreads[unit, name]) for unit in ("characters", "words", "tokens")[: 2 if named is None else 3]}
            for name in ("prompt", "response")
        },
        "languages": tally(slices["language"]),
        "scripts": tally(slices["script"]),
        "verbs": tally(slices["verb"]),
        "objects": _asked_for(slices),
        **({"topics": tally(slices["topic"])} if "topic" in slices.columns else {}),
        "clusters": tally(slices["cluster"]),
        "length": {label: count for label in LENGTHS if (count := int((slices["length"] == label).sum()))},
        "turns": {str(value): count for value, count in slices["turns"].value_counts().sort("turns").iter_rows()},
        "duplicates": duplicates(without_openings(prompts, same), fields.response(frame)),
        "boilerplate": same,
        "signals": measured(looked.signals),
        "findings": counts(looked.findings),
        "notes": list(data.notes),
    }
    tokens = {f"{name}_tokens": looked.spreads["tokens", name] for name in ("prompt", "response") if named is not None}
    words = {name: looked.spreads["words", name] for name in ("prompt", "response")}
    lengths = frame.select("position").with_columns(**words, **tokens)
    return Profile(data=data, slices=slices, findings=looked.findings, lengths=lengths, result=result)


def _tokenizer(name: str | None) -> ModelTokenizer | None:
    if name is None:
        return None
    from tunesmith.templates import load_tokenizer

    return load_tokenizer(name)


@dataclass(frozen=True, kw_only=True)
class _Looked:
    """What looking at each row by itself gives.

    Attributes:
        prompts: ``String[n]``.
        slices: `slices.columns`, and ``object``, ``script``.
        findings: `rows.schema.FINDING`.
        spreads: Unit (characters, words, tokens) and text (prompt, response) to counts, ``UInt32[n]``.
        signals: `SIGNALS` of the responses that are not empty.
    """

    prompts: pl.Series
    slices: pl.DataFrame
    findings: pl.DataFrame
    spreads: Mapping[tuple[str, str], pl.Series]
    signals: pl.DataFrame


def _looked_at(frame: pl.DataFrame, tokenizer: ModelTokenizer | None, progress: Progress) -> _Looked:
    """Look at rows block by block: on the way to a few counts, texts and their words take many times their room."""
    blocks: list[_Looked] = []
    with progress.task("Counting", frame.height) as done:
        for block in freeing(pieces(frame)):
            blocks.append(_of_block(block, tokenizer))
            done(sum(each.prompts.len() for each in blocks))
    give_back()
    return _Looked(
        prompts=pl.concat([each.prompts for each in blocks]),
        slices=pl.concat([each.slices for each in blocks]),
        findings=pl.concat([each.findings for each in blocks]).sort("position", maintain_order=True),
        spreads={key: pl.concat([each.spreads[key] for each in blocks]) for key in blocks[0].spreads},
        signals=pl.concat([each.signals for each in blocks]),
    )


def _of_block(frame: pl.DataFrame, tokenizer: ModelTokenizer | None) -> _Looked:
    prompts, responses = fields.prompt(frame), fields.response(frame).fill_null("")
    spreads: dict[tuple[str, str], pl.Series] = {}
    for name, text in (("prompt", prompts), ("response", responses)):
        spreads["characters", name] = text.str.len_chars()
        spreads["words", name] = text.str.count_matches(WORD)
        if tokenizer is not None:
            spreads["tokens", name] = tokenizer.core.count(text)
    return _Looked(
        prompts=prompts,
        slices=compact(columns(frame).with_columns(objects(frame["instruction"]).alias("object"), scripts(prompts).alias("script"))),
        findings=compact(find(frame)),
        spreads=spreads,
        signals=core.signals(responses.filter(responses.str.strip_chars() != ""), only=SIGNALS),
    )


def asked() -> pl.Expr:
    """Write verb and object together: what `objects` counts."""
    return pl.concat_str("verb", "object", separator=" ").alias("object")


def _asked_for(slices: pl.DataFrame) -> dict[str, int]:
    counted = slices.filter(pl.col("object").is_not_null()).group_by("verb", "object").agg(count=pl.len())
    named = counted.select(asked(), "count").sort("count", "object", descending=[True, False])
    return dict(named.iter_rows())


def measured(signals: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Give quantiles (nearest rank) of each column; nothing where there are no rows.

    >>> measured(pl.DataFrame({"distinct_2": [1.0, 0.5, 1.0]}))["distinct_2"]["p50"]
    1.0
    """
    if signals.is_empty():
        return {}
    shares = {name: share for name, share in QUANTILES.items() if name in {"p1", "p50", "p99"}}
    return {
        name: {mark: float(signals[name].quantile(share, interpolation="nearest") or 0.0) for mark, share in shares.items()}
        for name in SIGNALS
        if name in signals.columns
    }


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
    # By their ids: the texts of all rows, put together, would take the room of the rows once more.
    texts = (pl.select(pl.concat_str(*two, separator="\n\n", ignore_nulls=True)).to_series() for two in _pairs(prompts, responses))
    exact = core.exact_duplicates(pl.concat([core.row_ids([text]) for text in texts]))
    near = core.near_duplicates(prompts, threshold=0.7)
    return {
        "exact": int((exact["row"] != exact["root"]).sum()),
        "near": int((near["row"] != near["root"]).sum()),
        "largest": 1 + _int(near.filter(pl.col("row") != pl.col("root"))["root"].value_counts()["count"].max()),
    }


def _pairs(prompts: pl.Series, responses: pl.Series) -> Iterator[tuple[pl.Series, pl.Series]]:
    for block in pieces(pl.DataFrame([prompts.alias("prompt"), responses.alias("response")])):
        yield block["prompt"], block["response"]


def without_openings(prompts: pl.Series, shared: list[dict[str, Any]]) -> pl.Series:
    """Cut off the openings that many prompts share: what all have in common says nothing of which are alike.

    >>> shared = [{"field": "instruction", "text": "Answer the following question in English:"}]
    >>> without_openings(pl.Series(["Answer the following question in English: who?"]), shared).to_list()
    [' who?']
    """
    openings = [each["text"] for each in shared if each["field"] == "instruction"]
    cut = pl.col("prompt")
    for opening in sorted(openings, key=len, reverse=True):
        cut = pl.when(cut.str.starts_with(opening)).then(cut.str.slice(len(opening))).otherwise(cut)
    return pl.DataFrame({"prompt": prompts}).select(cut).to_series()


def boilerplate(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Find text that over 1% of rows (and at least 5) share: system prompts, and openings of six words.

    Returns:
        ``{field, text, rows, share}``, the most frequent first; ``field`` is ``system``, ``instruction`` or ``response``.
    """
    if frame.is_empty():
        return []
    shared: list[dict[str, Any]] = []
    for name, text in _SHAREABLE.items():
        if text.meta.root_names()[0] in frame.columns:
            counted = _frequent(frame, text)
            shared += [{"field": name, "text": text, "rows": count, "share": count / frame.height} for text, count in counted.items()]
    return sorted(shared, key=lambda each: (-each["rows"], each["text"]))


_OPEN: Final = rf"^\s*((?:\S+\s+){{{_OPENING - 1}}}\S+)\s"
_SHAREABLE: Final = {
    "system": pl.col("system").str.strip_chars(),
    "instruction": pl.col("instruction").str.extract(_OPEN),
    "response": pl.col("output").str.extract(_OPEN),
}


def _frequent(frame: pl.DataFrame, text: pl.Expr) -> dict[str, int]:
    """Count texts that more than `SHARED` of all rows have. Such a text has this share of a piece, too: the others are not counted."""
    parts = [*pieces(frame.select(text.meta.root_names()))]
    counted = [_counted(part, text).filter(pl.col("count") >= int(SHARED * part.height)) for part in parts]
    likely = pl.concat(counted)["text"].unique().implode()
    if len(parts) > 1 and likely[0].len():
        counted = [_counted(part, text).filter(pl.col("text").is_in(likely)) for part in parts]
    whole = pl.concat(counted).group_by("text").agg(pl.col("count").sum())
    return dict(whole.filter(pl.col("count") > SHARED * frame.height, pl.col("count") >= _LEAST).iter_rows())


def _counted(frame: pl.DataFrame, text: pl.Expr) -> pl.DataFrame:
    return frame.select(text.alias("text")).filter(pl.col("text") != "").group_by("text").agg(count=pl.len())
