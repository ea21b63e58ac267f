"""One row as the model gets it: every token with its mask, and the assertions that a mask must hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from tunesmith.errors import InputError, OptionError
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import Data, read
from tunesmith.templates.encoding import Turns, encode, prompts
from tunesmith.templates.template import Template, resolve
from tunesmith.templates.tokenizer import ModelTokenizer, load_tokenizer


@dataclass(frozen=True, kw_only=True)
class Check:
    """One assertion about a row.

    Attributes:
        name: What is asserted.
        holds: Whether it does.
        found: What was seen.
    """

    name: str
    holds: bool
    found: str


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A row's tokens.

    Attributes:
        position: The row, and `row_id`.
        template: Name of the template.
        sequences: One a segment that packing would make: (`input_ids`, `labels`), equally long; -100 is masked.
        pieces: The tokens of the last sequence in words: `id`, `token` (as the vocabulary spells it), `supervised`.
        runs: The last sequence's text, cut where supervision begins or ends: (text, supervised).
        checks: Assertions.
        added: Text that the template added to this row by itself, "" if none.
    """

    position: int
    row_id: str
    template: str
    sequences: tuple[tuple[list[int], list[int]], ...]
    pieces: tuple[dict[str, Any], ...]
    runs: tuple[tuple[str, bool], ...]
    checks: tuple[Check, ...]
    added: str

    @property
    def input_ids(self) -> list[int]:
        """The ids of the last sequence (the only one, unless the row is unrolled)."""
        return self.sequences[-1][0]

    @property
    def labels(self) -> list[int]:
        """The labels of the last sequence."""
        return self.sequences[-1][1]

    def data(self) -> dict[str, Any]:
        """Give the `--json` object."""
        return {
            "position": self.position,
            "row_id": self.row_id,
            "template": self.template,
            "input_ids": self.input_ids,
            "labels": self.labels,
            "pieces": list(self.pieces),
            "sequences": [{"input_ids": ids, "labels": labels} for ids, labels in self.sequences],
            "checks": [vars(check) for check in self.checks],
            "added": self.added,
        }


def preview(
    source: Any,
    *,
    tokenizer: str | ModelTokenizer,
    template: str | None = None,
    row: str | int | None = None,
    turns: Turns = "all",
    format: str | None = None,  # noqa: A002  (the option's name on the surface)
    mapping: Mapping[str, str] | None = None,
    progress: Progress = SILENT,
) -> Preview:
    """Show a row as the model gets it.

    Args:
        source: Anything that `rows.read` reads.
        tokenizer: A model's folder or hub name in the local cache (or one already loaded).
        template: A name, a Jinja file, or None for the tokenizer's own.
        row: A position, or the first 8 or more digits of a row id; the first row unless said.
        turns: As in `pack`.
        format: The source's format where it should not be inferred.
        mapping: Names of the source's fields to the names they are read under.
        progress: Told what is going on.
    Raises:
        OptionError: If no row, or more than one, is named so.
        InputError: If the row gives nothing to learn: its rule and evidence.
    """
    model = tokenizer if isinstance(tokenizer, ModelTokenizer) else load_tokenizer(tokenizer)
    bound = resolve(template, model)
    frame = _row(read(source, format=format, mapping=mapping, progress=progress).some(), row)
    position, row_id = frame["position"][0], frame["row_id"][0]
    encoded = encode(frame, tokenizer=model, template=bound, turns=turns)
    if encoded.frame.is_empty():
        rule, evidence = encoded.dropped.row(0)[2:]
        raise InputError(f"row {position} (id {row_id}) gives nothing to learn, packing would drop it: {rule}, {evidence}")
    asked = prompts(frame, tokenizer=model, template=bound)
    made = tuple(zip(encoded.frame["input_ids"].to_list(), encoded.frame["labels"].to_list(), strict=True))
    ids, labels = made[-1]
    pieces = tuple({"id": i, "token": model.core.id_to_token(i), "supervised": label != -100} for i, label in zip(ids, labels, strict=True))
    added = bound.added(asked["prompt"][0] or "")
    return Preview(
        position=position,
        row_id=row_id,
        template=bound.name,
        sequences=made,
        pieces=pieces,
        runs=tuple(_runs(ids, labels, model)),
        checks=tuple(_checks(made, asked["input_ids"][0].to_list(), frame["kind"][0], bound, model)),
        added=added,
    )


def _row(data: Data, row: str | int | None) -> pl.DataFrame:
    """Find a row by position (all digits, at most 20) or by the beginning of its id."""
    frame = data.frame
    if frame.is_empty():
        raise InputError("expected a row to preview, found none")
    if row is None:
        return frame.head(1)
    name = str(row)
    number = int(name) if name.isdecimal() and len(name) <= 20 and int(name) < 2**64 else None
    if name.isdecimal() and len(name) <= 20:
        found = frame.filter(pl.col("position") == number) if number is not None else frame.clear()
    elif len(name) >= 8:
        found = frame.filter(pl.col("row_id").str.starts_with(name.lower()))
    else:
        raise OptionError(f'row "{name}": expected a position, or at least 8 digits of a row id')
    if found.is_empty():
        known = frame["position"].to_list()
        if number is not None and not (rejected := data.rejected.filter(pl.col("position") == number)).is_empty():
            raise OptionError(f'row "{name}" was rejected: expected {rejected["expected"][0]}, found {rejected["found"][0]}; name another')
        raise OptionError(f'row "{name}": no such row; positions go from {known[0]} to {known[-1]}')
    if found["row_id"].n_unique() > 1:
        raise OptionError(f'row "{name}": {found.height} rows have ids that begin so; give more digits, or a position')
    return found.head(1)  # copies of one content look alike


def _runs(ids: list[int], labels: list[int], model: ModelTokenizer) -> Iterator[tuple[str, bool]]:
    start = 0
    for k in range(1, len(ids) + 1):
        if k == len(ids) or (labels[k] == -100) != (labels[start] == -100):
            yield model.core.decode([ids[start:k]], skip_special_tokens=False)[0], labels[start] != -100
            start = k


def _checks(
    sequences: tuple[tuple[list[int], list[int]], ...], prompt: list[int], kind: str, template: Template, model: ModelTokenizer
) -> Iterator[Check]:
    bos = model.bos_id
    doubled = any(ids[:2] == [bos, bos] for ids, _ in sequences)
    first = sequences[-1][0][0] == bos
    found = "two at the start" if doubled else f"{model.bos} first" if first else "none: the template writes none"
    yield Check(name="at most one beginning of sequence", holds=not doubled, found=found)
    if kind == "text":
        return
    ends = [_last_learnt(ids, labels) for ids, labels in sequences]
    learnt = [end is not None and end in model.special_ids.values() for end in ends]
    shown = template.end_of_turn if all(learnt) else "an answer without it"
    yield Check(name="the end of turn is learnt", holds=all(learnt), found=shown)
    ids, labels = sequences[-1]
    last = _last_start(labels)
    same = ids[:last] == prompt
    yield Check(
        name="what precedes the last answer is what the model is prompted with",
        holds=same,
        found=f"{len(prompt):,} tokens" if same else f"{last:,} tokens against {len(prompt):,}",
    )


def _last_learnt(ids: list[int], labels: list[int]) -> int | None:
    return next((ids[k] for k in range(len(ids) - 1, -1, -1) if labels[k] != -100), None)


def _last_start(labels: list[int]) -> int:
    """Find where the last supervised run begins."""
    end = max(k for k, label in enumerate(labels) if label != -100)
    while end > 0 and labels[end - 1] != -100:
        end -= 1
    return end
