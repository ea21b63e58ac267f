"""Rows as ids and labels. A sequence is the concatenation of its spans; only the first is encoded from the start of a text.

Supervised spans are answers with their end of turn. The ids before each are those of the template's own rendering of
the messages before it (parity): where a tokenizer would merge an answer of the history with its neighbours, or a
template rewrites history, the row becomes one sequence per answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import polars as pl

from tunesmith.progress import SILENT, Progress
from tunesmith.templates.columns import answers as column_answers
from tunesmith.templates.columns import fits
from tunesmith.templates.columns import prompts as column_prompts
from tunesmith.templates.conversation import COLUMNS
from tunesmith.templates.template import Template
from tunesmith.templates.tokenizer import ModelTokenizer
from tunesmith.templates.turns import Rendered, UnusableRowError, asked, rendered

Turns = Literal["all", "last", "unroll"]
CHUNK = 8192
"""Rows encoded at a time: bounds the memory beside the result."""

SEGMENT = pl.Schema({
    "position": pl.UInt64(), "row_id": pl.String(), "pair": pl.String(), "input_ids": pl.List(pl.UInt32()), "labels": pl.List(pl.Int32()),
})  # fmt: skip
DROPPED = pl.Schema({"position": pl.UInt64(), "row_id": pl.String(), "rule": pl.String(), "evidence": pl.String()})
PROMPT = pl.Schema({
    "position": pl.UInt64(), "row_id": pl.String(), "prompt": pl.String(), "input_ids": pl.List(pl.UInt32()), "problem": pl.String(),
})  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Tokenized rows.

    Attributes:
        frame: One sequence a row, in input order (`SEGMENT`): `labels` holds the id itself where it is supervised,
            -100 elsewhere and at the first place, which nothing predicts; not shifted.
        dropped: Rows that gave no sequence, with rule and evidence (`DROPPED`).
        unrolled: Rows that became one sequence per answer to keep parity.
        added: Text the template added by itself to the number of sequences that begin with it.
    """

    frame: pl.DataFrame
    dropped: pl.DataFrame
    unrolled: int = 0
    added: dict[str, int] = field(default_factory=dict)


def encode(
    frame: pl.DataFrame, *, tokenizer: ModelTokenizer, template: Template, turns: Turns = "all", progress: Progress = SILENT
) -> Encoded:
    """Tokenize rows and mark what is supervised.

    Args:
        frame: Rows (`rows.schema.ROW`). Of a preference row the chosen answer is learnt.
        tokenizer: From `load_tokenizer`.
        template: From `resolve`.
        turns: `all` answers of a row in one sequence, the `last` one only, or one sequence per answer (`unroll`).
        progress: Told the rows done.
    """
    parts = []
    with progress.task("Tokenizing", frame.height) as done:
        for start in range(0, frame.height, CHUNK):
            parts.append(_encode(frame.slice(start, CHUNK), tokenizer, template, turns))
            done(min(start + CHUNK, frame.height))
    added: dict[str, int] = {}
    for part in parts:
        for text, count in part.added.items():
            added[text] = added.get(text, 0) + count
    return Encoded(
        frame=pl.concat([SEGMENT.to_frame(), *(part.frame for part in parts)]),
        dropped=pl.concat([DROPPED.to_frame(), *(part.dropped for part in parts)]),
        unrolled=sum(part.unrolled for part in parts),
        added=added,
    )


def prompts(frame: pl.DataFrame, *, tokenizer: ModelTokenizer, template: Template, progress: Progress = SILENT) -> pl.DataFrame:
    """Render what a model is prompted with: the messages before the last answer, opened for one. Answers are not needed.

    The ids are those that stand before the last supervised span of the same row in `encode`.

    Args:
        frame: Rows (`rows.schema.ROW`).
        tokenizer: From `load_tokenizer`.
        template: From `resolve`.
        progress: Told the rows done.
    Returns:
        A frame in input order (`PROMPT`); where the template refuses a row, `prompt` and `input_ids` are null and
        `problem` says why.
    """
    parts = [PROMPT.to_frame()]
    with progress.task("Rendering prompts", frame.height) as done:
        for start in range(0, frame.height, CHUNK):
            parts.append(_prompts(frame.slice(start, CHUNK), tokenizer, template))
            done(min(start + CHUNK, frame.height))
    return pl.concat(parts)


@dataclass
class _Texts:
    """Texts to encode, gathered so that the tokenizer is called twice and not per text."""

    tokenizer: ModelTokenizer
    template: Template
    _plain: dict[bool, list[str]] = field(default_factory=lambda: {False: [], True: []})
    _where: list[tuple[bool | None, int]] = field(default_factory=list)
    _marked: list[list[int]] = field(default_factory=list)

    def add(self, text: str, *, continuation: bool, masked: bool) -> int:
        """Put a text down and return its number."""
        if masked:
            self._where.append((None, len(self._marked)))
            self._marked.append(self.template.controls.encode_masked(text, continuation=continuation))
        else:
            self._where.append((continuation, len(self._plain[continuation])))
            self._plain[continuation].append(text)
        return len(self._where) - 1

    def encoded(self) -> pl.Series:
        """Encode them all: ``List[UInt32]``, by number."""
        first, later = (ids(self.tokenizer, self._plain[continuation], continuation=continuation) for continuation in (False, True))
        marked = pl.Series(self._marked, dtype=pl.List(pl.UInt32))
        offset = {False: 0, True: len(first), None: len(first) + len(later)}
        order = pl.Series([offset[kind] + k for kind, k in self._where], dtype=pl.UInt32)
        return pl.concat([first, later, marked]).gather(order)


def ids(tokenizer: ModelTokenizer, texts: pl.Series | Sequence[str], *, continuation: bool) -> pl.Series:
    """Encode rendered texts: special tokens parsed, none added."""
    made = pl.Series(values=texts, dtype=pl.String)
    encoded: pl.Series = tokenizer.core.encode(made, parse_special=True, continuation=continuation)
    return encoded.cast(pl.List(pl.UInt32)).alias("ids")


def _encode(frame: pl.DataFrame, tokenizer: ModelTokenizer, template: Template, turns: Turns) -> Encoded:
    frame = frame.with_row_index("row")
    quick = fits(frame, template, answered=True)
    columns, rest = frame.filter(quick), frame.filter(~quick)
    spans, dropped, added, unrolled = _rows(rest, tokenizer, template, turns)
    parts = [spans]
    if columns.height:
        texts = column_prompts(columns, template)
        for name in template.adds:
            added[name] = added.get(name, 0) + int(texts.str.starts_with(template.start + name).sum())
        for order, (text, supervised) in enumerate(((texts, False), (column_answers(columns, template), True))):
            encoded = ids(tokenizer, text, continuation=supervised)
            parts.append(columns.select("row", sequence=pl.lit(0, pl.UInt32), order=pl.lit(order, pl.UInt32),
                                        supervised=pl.lit(supervised), ids=encoded))  # fmt: skip
    whole = _assemble(pl.concat(parts).sort("row", "sequence", "order"))
    made = frame.select("row", "position", "row_id").join(whole, on="row", how="inner", maintain_order="right")
    return Encoded(
        frame=made.with_columns(pair=pl.lit(None, pl.String)).select(SEGMENT.names()),
        dropped=pl.DataFrame(dropped, schema=DROPPED, orient="row"),
        added=added,
        unrolled=unrolled,
    )


_SPAN = pl.Schema(
    {"row": pl.UInt32(), "sequence": pl.UInt32(), "order": pl.UInt32(), "supervised": pl.Boolean(), "ids": pl.List(pl.UInt32())}
)


def _assemble(spans: pl.DataFrame) -> pl.DataFrame:
    """Join the spans of each sequence into `input_ids` and `labels`."""
    keys = ["row", "sequence"]
    flat = spans.filter(pl.col("ids").list.len() > 0).select(*keys, "supervised", "ids").explode("ids")
    first = (pl.struct(keys) != pl.struct(keys).shift(1)).fill_null(value=True)
    label = pl.when(pl.col("supervised") & ~first).then(pl.col("ids").cast(pl.Int32)).otherwise(-100)
    return flat.with_columns(label=label).group_by(keys, maintain_order=True).agg(input_ids="ids", labels="label")


def _rows(
    frame: pl.DataFrame, tokenizer: ModelTokenizer, template: Template, turns: Turns
) -> tuple[pl.DataFrame, list[tuple[int, str | None, str, str]], dict[str, int], int]:
    """Encode row by row what is no plain column: conversations, system messages, texts that spell special tokens."""
    texts = _Texts(tokenizer, template)
    dropped, added, made = [], dict.fromkeys(template.adds, 0), []
    for row in frame.select("row", *COLUMNS).iter_rows(named=True):
        try:
            made.append(_document(row, texts) if row["kind"] == "text" else _conversation(row, texts, template, turns))
        except UnusableRowError as problem:
            dropped.append((row["position"], row["row_id"], problem.rule, problem.evidence))
            continue
        if text := template.added(made[-1].prompt):
            added[text] += 1
    encoded = texts.encoded()
    entries = [(layout.row, *entry) for layout in made for entry in layout.entries(encoded)]
    spans = pl.DataFrame(
        entries,
        schema={"row": pl.UInt32, "sequence": pl.UInt32, "order": pl.UInt32, "supervised": pl.Boolean, "text": pl.UInt32},
        orient="row",
    )
    spans = spans.with_columns(ids=encoded.gather(spans["text"])).select(_SPAN.names())
    return spans, dropped, added, sum(layout.unrolled for layout in made)


@dataclass
class _Layout:
    """Which texts make which sequences of a row: numbers into the encoded texts."""

    row: int
    prompt: str
    asks: list[int]  # the whole prompt of each answer
    answers: list[int]
    middles: list[int]  # from each answer to the next one's prompt; empty: one sequence per answer
    tails: list[int]
    unrolled: bool

    def entries(self, encoded: pl.Series) -> Iterator[tuple[int, int, bool, int]]:
        """Give (sequence, order, supervised, text), after the parity of every later prompt was checked."""
        if self.middles and not self._parity(encoded):
            self.middles, self.unrolled = [], True
        if self.middles:
            texts = [(self.asks[0], False)]
            for k, answer in enumerate(self.answers):
                texts += [(answer, True), (([*self.middles, self.tails[-1]])[k], False)]
            yield from ((0, order, supervised, text) for order, (text, supervised) in enumerate(texts))
            return
        for k, (ask, answer, tail) in enumerate(zip(self.asks, self.answers, self.tails, strict=True)):
            yield from ((k, 0, False, ask), (k, 1, True, answer), (k, 2, False, tail))

    def _parity(self, encoded: pl.Series) -> bool:
        before: list[int] = encoded[self.asks[0]].to_list()
        for ask, answer, middle in zip(self.asks[1:], self.answers, self.middles, strict=False):
            before += encoded[answer].to_list() + encoded[middle].to_list()
            if before != encoded[ask].to_list():
                return False
        return True


def _conversation(row: dict[str, object], texts: _Texts, template: Template, turns: Turns) -> _Layout:
    read: Rendered = rendered(row, template, last=turns == "last")
    answers, masked = read.answers, read.masked
    middles: list[int] = []
    if len(answers) > 1 and turns != "unroll" and read.linear:
        middles = [texts.add(b.prompt[len(a.prompt) + len(a.text) :], continuation=True, masked=masked) for a, b in pairwise(answers)]
    return _Layout(
        row=int(str(row["row"])),
        prompt=answers[0].prompt,
        asks=[texts.add(a.prompt, continuation=False, masked=masked) for a in answers],
        answers=[texts.add(a.text, continuation=bool(a.prompt), masked=masked) for a in answers],
        middles=middles,
        tails=[texts.add(a.tail, continuation=True, masked=masked) for a in answers],
        unrolled=len(answers) > 1 and turns != "unroll" and not read.linear,
    )


def _document(row: dict[str, object], texts: _Texts) -> _Layout:
    """Lay out a plain text: learnt whole, to its end of sequence, without a template."""
    tokenizer, controls = texts.tokenizer, texts.template.controls
    text = str(row["output"] or "")
    if not text:
        raise UnusableRowError("template.unsupervised", "no text to learn")
    start = tokenizer.bos if tokenizer.adds_bos and tokenizer.bos else ""
    masked = controls.spelled(text)
    text = controls.mask(text) if masked else text
    return _Layout(
        row=int(str(row["row"])),
        prompt="",
        asks=[texts.add(start, continuation=False, masked=False)],
        answers=[texts.add(text + (tokenizer.eos or ""), continuation=bool(start), masked=masked)],
        middles=[],
        tails=[texts.add("", continuation=True, masked=False)],
        unrolled=False,
    )


def _prompts(frame: pl.DataFrame, tokenizer: ModelTokenizer, template: Template) -> pl.DataFrame:
    frame = frame.with_row_index("row")
    quick = fits(frame, template, answered=False)
    columns, rest = frame.filter(quick), frame.filter(~quick)
    texts = column_prompts(columns, template)
    parts = [columns.select("row", prompt=texts, input_ids=ids(tokenizer, texts, continuation=False), problem=pl.lit(None, pl.String))]
    made: list[tuple[int, str | None, list[int] | None, str | None]] = []
    numbers, gathered = {}, _Texts(tokenizer, template)
    for row in rest.select("row", *COLUMNS).iter_rows(named=True):
        try:
            text, masked = ("", False) if row["kind"] == "text" else asked(row, template)
        except UnusableRowError as problem:
            made.append((row["row"], None, None, f"{problem.rule}: {problem.evidence}"))
            continue
        numbers[row["row"]] = gathered.add(text, continuation=False, masked=masked)
        made.append((row["row"], template.controls.unmask(text), None, None))
    encoded = gathered.encoded()
    rows = pl.DataFrame(
        made, schema={"row": pl.UInt32, "prompt": pl.String, "input_ids": pl.List(pl.UInt32), "problem": pl.String}, orient="row"
    )
    if numbers:
        found = pl.DataFrame({"row": pl.Series(list(numbers), dtype=pl.UInt32), "input_ids": encoded.gather(list(numbers.values()))})
        rows = rows.drop("input_ids").join(found, on="row", how="left").select(parts[0].columns)
    whole = pl.concat([parts[0], rows]).sort("row")
    return frame.select("row", "position", "row_id").join(whole, on="row", how="inner", maintain_order="left").select(PROMPT.names())
