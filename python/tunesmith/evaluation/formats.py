"""Predictions made elsewhere: each format says how one of its records is read."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.errors import InputError, OptionError, at, did_you_mean

Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """One prediction; whichever of `row_id`, `position` and `prompt` is there names its item."""

    output: str
    row_id: str | None = None
    position: int | None = None
    prompt: str | None = None
    model: str | None = None
    seed: int | None = None
    finish: str | None = None
    tokens: int | None = None


@dataclass(frozen=True, kw_only=True)
class PredictionFormat:
    """One way in.

    Attributes:
        known_by: Fields that tell it.
        read: Reads one record; raises KeyError, TypeError, ValueError or IndexError where it is not of the format.
    """

    known_by: frozenset[str]
    read: Callable[[Record], Predicted]


def _own(record: Record) -> Predicted:
    prompt = record.get("prompt")
    if prompt is None and "instruction" in record:
        prompt = "\n".join(part for part in (record["instruction"], record.get("input")) if part)
    tokens = record.get("tokens", record.get("output_tokens"))
    return Predicted(
        output=_text(record["output"], "output"),
        row_id=_name(record, "row_id"),
        position=_number(record, "position"),
        prompt=prompt,
        model=_name(record, "model"),
        seed=_number(record, "seed"),
        finish=_name(record, "finish"),
        tokens=None if tokens is None else int(tokens),
    )


def _messages(record: Record) -> Predicted:
    *before, last = record["messages"]
    if last["role"] != "assistant":
        raise ValueError(f'the last message is of "{last["role"]}", expected the assistant\'s answer')
    said = [turn["content"] for turn in before if turn["role"] in ("user", "assistant") and turn["content"]]
    named = {key: record[key] for key in ("row_id", "position", "model", "seed", "finish", "tokens") if key in record}
    return _own({"prompt": "\n".join(said), "output": last["content"], **named})


def _openai_batch(record: Record) -> Predicted:
    if record.get("error"):
        raise ValueError(f"the request failed: {record['error']}")
    body = record["response"]["body"]
    if "choices" not in body:
        raise ValueError(f"the request failed: {json.dumps(body)[:120]}")
    choice = body["choices"][0]
    return Predicted(
        output=_text(choice["message"]["content"], "content"),
        row_id=str(record["custom_id"]),
        model=body.get("model"),
        finish=choice.get("finish_reason"),
        tokens=(body.get("usage") or {}).get("completion_tokens"),
    )


def _alpaca_eval(record: Record) -> Predicted:
    return Predicted(
        output=_text(record["output"], "output"), prompt=_text(record["instruction"], "instruction"), model=record.get("generator")
    )


def _lm_eval(record: Record) -> Predicted:
    answers = record.get("filtered_resps") or record["resps"]
    first = answers[0]
    return Predicted(output=_text(first[0] if isinstance(first, list) else first, "resps"), position=int(record["doc_id"]))


FORMATS: Mapping[str, PredictionFormat] = {
    "openai-batch": PredictionFormat(known_by=frozenset({"custom_id", "response"}), read=_openai_batch),
    "lm-eval": PredictionFormat(known_by=frozenset({"doc_id", "resps"}), read=_lm_eval),
    "messages": PredictionFormat(known_by=frozenset({"messages"}), read=_messages),
    "alpaca-eval": PredictionFormat(known_by=frozenset({"instruction", "output", "generator"}), read=_alpaca_eval),
    "own": PredictionFormat(known_by=frozenset({"output"}), read=_own),
}
"""In the order in which they are tried; the first whose fields are all there is taken."""


def read_predictions(source: Any, *, format: str | None = None) -> list[Predicted]:  # noqa: A002  (named as the option is)
    """Read predictions.

    Args:
        source: A JSON, JSONL, Parquet or CSV file (`.gz` too), a DataFrame, or a list of dicts.
        format: One of `FORMATS`; chosen by the first record's fields unless given.
    Raises:
        InputError: If a record is not of the format; names it.
        OptionError: If there is no such format.
    """
    if format is not None and format not in FORMATS:
        raise OptionError(f'unknown predictions format "{format}"; {did_you_mean(format, FORMATS)}')
    name, records = _records(source)
    if not records:
        raise InputError(f"{name}: expected predictions, found none")
    if not isinstance(records[0], dict):
        raise InputError(f"{at(name, record=0)}: expected an object, found {type(records[0]).__name__}")
    chosen = FORMATS[format] if format else _inferred(name, records[0])
    read = []
    for k, record in enumerate(records):
        try:
            read.append(chosen.read(record))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            why = f"no field {error}" if isinstance(error, KeyError) else str(error)
            raise InputError(f"{at(name, record=k)}: expected a prediction, found: {why}") from error
    return read


def _inferred(name: str, record: Record) -> PredictionFormat:
    found = next((form for form in FORMATS.values() if form.known_by <= record.keys()), None)
    if found is None:
        raise InputError(
            f'{at(name, record=0)}: expected the field "output" (and row_id, position or prompt, unless line by line), '
            f"found {', '.join(sorted(record)) or 'nothing'}; --predictions-format: {', '.join(FORMATS)}"
        )
    return found


def _records(source: Any) -> tuple[str, Sequence[Record]]:
    if isinstance(source, pl.DataFrame):
        return "DataFrame", source.to_dicts()
    if not isinstance(source, str | Path):
        return "list", list(source)
    path = Path(source)
    try:
        if path.suffix == ".parquet":
            return path.name, pl.read_parquet(path, glob=False).to_dicts()
        if path.suffix == ".csv":
            return path.name, pl.read_csv(path, infer_schema_length=None).to_dicts()
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte {error.object[error.start]:#04x} at {error.start}"
        raise InputError(f"{path}: expected UTF-8, found {found}; save it as UTF-8, or name a JSON, JSONL, Parquet or CSV file") from error
    except (EOFError, zlib.error) as error:
        raise InputError(f"{path}: expected a whole gzip file, found: {error}; fetch or pack it again") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; expected a JSON, JSONL, Parquet or CSV file of predictions") from error
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{path}: expected a table, found: {str(error).splitlines()[0]}") from error
    return path.name, _json(path.name, text)


def _json(name: str, text: str) -> list[Record]:
    if text.lstrip().startswith("["):
        try:
            whole = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{name}: expected a JSON list, found: {error}") from error
        return list(whole)
    records = []
    for number, line in enumerate(text.split("\n"), start=1):  # not splitlines: answers may hold U+2028
        if line.strip():
            try:
                records.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise InputError(f"{at(name, line=number)}: expected a JSON object, found: {error}") from error
    return records


def _text(value: Any, field: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f'"{field}" is {type(value).__name__}, expected text')
    return value


def _name(record: Record, key: str) -> str | None:
    value = record.get(key)
    return None if value is None else str(value)


def _number(record: Record, key: str) -> int | None:
    value = record.get(key)
    return None if value is None else int(value)
