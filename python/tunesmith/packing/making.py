"""Packing: rows tokenized, fitted to the context, laid into bins by one global plan, every token accounted for."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.artefact import Manifest, finished, writing
from tunesmith.core import content_hash
from tunesmith.core import pack as best_fit
from tunesmith.errors import InputError, OptionError, TunesmithWarning
from tunesmith.packing.fitting import Overflow, fit
from tunesmith.packing.ledger import balance, dropped_rows, token_ledger
from tunesmith.packing.reader import PLAN, SEGMENTS, TOKENIZER
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import read
from tunesmith.stores import as_place
from tunesmith.templates.encoding import Encoded, Turns, encode
from tunesmith.templates.saving import save_tokenizer
from tunesmith.templates.template import Template, resolve
from tunesmith.templates.tokenizer import ModelTokenizer, load_tokenizer

CONTEXT = 4096
"""The longest context taken without being asked for."""
LEDGER = "tokens.parquet"


@dataclass(frozen=True, kw_only=True)
class Pack:
    """What `pack` made.

    Attributes:
        folder: The artefact; `packing.read_pack` opens it.
        result: `rows` (that gave at least one segment), `rejected` records, `segments`, `bins`, `fill` (tokens over bins x context),
            `context`, `tokens` {supervised, masked, truncated, dropped}, `dropped` {rule: rows}, `overflow` (sequences dropped as too
            long), `unrolled` rows,
            `added` (text the template added by itself: `sequences` and `tokens`), `warnings`.
        reused: Whether it was there already, made from the same inputs and options.
    """

    folder: str | Path
    result: Mapping[str, Any]
    reused: bool = False


def pack(
    source: Any,
    out: str | Path,
    *,
    tokenizer: str | Path | ModelTokenizer,
    template: str | None = None,
    context: int | None = None,
    overflow: Overflow = "drop",
    turns: Turns = "all",
    format: str | None = None,  # noqa: A002  (the option's name on the surface)
    mapping: Mapping[str, str] | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Pack:
    """Tokenize, mask and pack rows for training.

    Args:
        source: Rows: a path, frame, list of dicts, `datasets.Dataset` or version.
        out: Folder to write, or an address (s3://bucket/packed).
        tokenizer: A model's folder or hub name in the local cache (or one already loaded).
        template: A name, a Jinja file, or None for the tokenizer's own.
        context: Tokens a bin, and at most a sequence; the model's limit, at most 4,096, unless said.
        overflow: What happens to a sequence longer than the context: `drop` it; cut the prompt from the `left` (its
            first token stays where it is the beginning of sequence; dropped where the answers alone are too long); cut
            the `answer` at the end (its end of turn is then not learnt); `error`.
        turns: Which answers of a row are learnt: `all`, the `last`, or `unroll` (one sequence per answer).
        format: The source's format where it should not be inferred.
        mapping: Names of the source's fields to the names they are read under.
        force: Replace an output made from something else.
        progress: Told what is going on.
    Raises:
        InputError: With `overflow="error"`, naming the first row that is too long; or if no row can be learnt from.
        OptionError: If the context is longer than the model's positions, or the template is unknown.
    """
    model = tokenizer if isinstance(tokenizer, ModelTokenizer) else load_tokenizer(tokenizer)
    bound = resolve(template, model)
    size = _context(context, model, progress)
    data = read(source, format=format, mapping=mapping, progress=progress).some()
    inputs = {**data.inputs, "tokenizer": model.hash, "template": bound.hash}
    options = {"template": bound.name, "context": size, "overflow": overflow, "turns": turns}
    done = finished(out, kind="pack", inputs=inputs, options=options, sources=(source, tokenizer), force=force, progress=progress)
    if done is not None:
        return Pack(folder=as_place(out), result=done.result, reused=True)
    encoded = encode(data.frame, tokenizer=model, template=bound, turns=turns, progress=progress)
    fitted = fit(encoded.frame, capacity=size, overflow=overflow, bos_id=model.bos_id)
    segments = fitted.segments.join(data.frame.select("position", "weight"), on="position", how="left", maintain_order="left")
    ledger = token_ledger(data.frame, fitted, encoded.dropped)
    if segments.is_empty():
        reasons = ", ".join(f"{rule} {count:,}" for rule, count in dropped_rows(ledger).items())
        advice = "; raise --context, or choose --overflow left or answer" if fitted.account.filter(rule="overflow").height else ""
        raise InputError(f"none of {data.frame.height:,} rows gives a sequence to learn ({reasons or 'there are no rows'}){advice}")
    plan = _plan(segments, size)
    tokens = balance(ledger, segments=segments, produced=int(encoded.frame["input_ids"].list.len().sum()))
    bins = plan["bin"].n_unique()
    too_long = fitted.account.filter(rule="overflow").height
    result: dict[str, Any] = {
        "rows": segments["position"].n_unique(),
        "rejected": data.rows - data.frame.height,
        "segments": segments.height,
        "bins": bins,
        "fill": (tokens["supervised"] + tokens["masked"]) / (bins * size),
        "context": size,
        "template": bound.name,
        "tokens": tokens,
        "dropped": dropped_rows(ledger),
        "overflow": too_long,
        "unrolled": encoded.unrolled,
        "added": _added(encoded, model),
        "warnings": _warnings(too_long, encoded.frame.height, size),
    }
    for message in result["warnings"]:
        warnings.warn(message, TunesmithWarning, stacklevel=2)
    with writing(out, progress) as work:
        _write(segments, work.folder / SEGMENTS)
        _write(plan, work.folder / PLAN)
        ledger.write_parquet(work.folder / LEDGER)
        shutil.rmtree(work.folder / TOKENIZER, ignore_errors=True)
        save_tokenizer(model, bound, work.folder / TOKENIZER)
        digest = content_hash(pl.DataFrame({"table": [content_hash(table) for table in (segments, plan, ledger)]}))
        work.finish(Manifest(kind="pack", inputs=inputs, options=options, hash=digest, result=result, details=_details(bound, model, size)))
    return Pack(folder=as_place(out), result=result)


def _context(asked: int | None, model: ModelTokenizer, progress: Progress) -> int:
    if asked is not None:
        if asked < 2:
            raise OptionError(f"context {asked}: expected at least 2 tokens")
        if model.position_limit is not None and asked > model.position_limit:
            raise OptionError(
                f"context {asked:,} is longer than the {model.position_limit:,} positions of {model.name}; "
                "take a shorter one, or raise max_position_embeddings in its config.json if the model was extended"
            )
        return asked
    size = min(model.context_limit or CONTEXT, CONTEXT)
    why = f"the model's limit is {model.context_limit:,}" if model.context_limit else "no file says the model's limit"
    progress.say(f"context: {size:,} tokens ({why}; at most {CONTEXT:,} unless --context says more)")
    return size


def _plan(segments: pl.DataFrame, capacity: int) -> pl.DataFrame:
    """Lay segments into bins by global best-fit decreasing: `bin`, `segment`, `offset`, all UInt32, by bin."""
    lengths = segments["input_ids"].list.len()
    bins = best_fit(lengths, capacity=capacity)
    frame = pl.DataFrame({"bin": bins, "length": lengths}).with_row_index("segment").sort("bin", "segment")
    offset = (pl.col("length").cum_sum() - pl.col("length")).over("bin")
    return frame.select(pl.col("bin").cast(pl.UInt32), pl.col("segment").cast(pl.UInt32), offset=offset.cast(pl.UInt32))


def _write(frame: pl.DataFrame, path: Path) -> None:
    """Write Arrow that any reader memory-maps: one batch, uncompressed, no string views."""
    frame.rechunk().write_ipc(path, compression="uncompressed", compat_level=pl.CompatLevel.oldest())


def _added(encoded: Encoded, model: ModelTokenizer) -> dict[str, int]:
    """Count the text that the template added by itself."""
    lengths = {text: len(model.core.encode([text], parse_special=True)[0]) for text in encoded.added}
    return {
        "sequences": sum(encoded.added.values()),
        "tokens": sum(lengths[text] * count for text, count in encoded.added.items()),
    }


def _warnings(too_long: int, sequences: int, size: int) -> list[str]:
    if too_long <= 0.01 * sequences:
        return []
    share = f"{too_long:,} of {sequences:,} sequences ({too_long / sequences:.1%})"
    return [
        f"{share} are longer than the context of {size:,} tokens and were dropped; raise --context, or choose --overflow left or answer"
    ]


def _details(template: Template, model: ModelTokenizer, size: int) -> dict[str, Any]:
    return {
        "template": {
            "name": template.name,
            "hash": template.hash,
            "source": template.source,
            "end_of_turn": template.end_of_turn,
            "adds": list(template.adds),
        },
        "end_of_turn_id": template.end_of_turn_id,
        "bos_id": model.bos_id,
        "eos_id": model.eos_id,
        "pad_id": model.pad_id,
        "context": size,
        "tokenizer": {"name": model.name, "hash": model.hash},
    }
