"""Reading Alpaca's 52,002 records: python benchmarks/json_records.py

Against Polars (`read_json`, `read_ndjson`), which gives up at the first damaged byte, and Python's `json`.
(Not called `json`: a script's folder comes first on the path.)
Long and short lines are made of the same text; rates are by the size of the file itself.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

from harness import Side, main

FIELDS = ["instruction", "input", "output"]


def load(data: Path) -> bytes:
    """The file's bytes."""
    source = data / "alpaca/alpaca_data.json"
    if not source.is_file():
        sys.exit(f"{source} is not there: name the folder of the public data with --data")
    return source.read_bytes()


def as_lines(data: bytes) -> bytes:
    """The same records, one a line."""
    import polars as pl  # noqa: F401  (imported before the clock starts)

    from tunesmith import core

    core.read_json  # noqa: B018  (loaded)

    return "\n".join(map(json.dumps, json.loads(data))).encode()


def as_long_lines(data: bytes) -> bytes:
    """Forty answers a field, one record a line: long texts."""
    outputs = [record["output"] for record in json.loads(as_array(data))]
    joined = [" ".join(outputs[start : start + 40]) for start in range(0, len(outputs), 40)]
    return "\n".join(json.dumps({"instruction": text[:100], "output": text}) for text in joined).encode()


def as_short_lines(data: bytes) -> bytes:
    """Ten fields of a word or four: many short texts."""
    words = " ".join(record["output"] for record in json.loads(as_array(data))).split()
    names = ["id", "language", "topic", "verb", "instruction", "input", "output", "source", "split", "grade"]
    rows = range(0, len(words) - 40, 16)
    return "\n".join(
        json.dumps({name: " ".join(words[row + k : row + k + 1 + k % 4]) for k, name in enumerate(names)}) for row in rows
    ).encode()


def as_array(data: bytes) -> bytes:
    """As the file is."""
    import polars as pl  # noqa: F401

    from tunesmith import core

    core.read_json  # noqa: B018  (loaded)

    return data


def tunesmith(data: bytes) -> str:
    """Records, rejects and three columns of text."""
    from tunesmith import core

    records = core.read_json(data)
    return shape(records.texts(FIELDS)) + f", {records.rejects.height} rejects"


def tunesmith_all(data: bytes) -> str:
    """Records, rejects and every column in its type."""
    from tunesmith import core

    records = core.read_json(data)
    return shape(records.values(list(dict.fromkeys(records.keys["key"])))) + f", {records.rejects.height} rejects"


def polars_array(data: bytes) -> str:
    """A frame."""
    import polars as pl

    return shape(pl.read_json(io.BytesIO(data)))


def polars_lines(data: bytes) -> str:
    """A frame."""
    import polars as pl

    return shape(pl.read_ndjson(io.BytesIO(data)))


def python_array(data: bytes) -> str:
    """A list of dicts."""
    return f"{len(json.loads(data)):,} dicts"


def python_lines(data: bytes) -> str:
    """A list of dicts."""
    return f"{len([json.loads(line) for line in data.splitlines()]):,} dicts"


def shape(frame: Any) -> str:
    """Rows and columns."""
    return f"{frame.height:,} x {frame.width}"


if __name__ == "__main__":
    main(
        "JSON records, as an array and as lines",
        load=load,
        amount=lambda data: (len(data) / 1e6, "MB"),
        sides=[
            Side(name="tunesmith, array", run=tunesmith, prepare=as_array),
            Side(name="polars.read_json", run=polars_array, prepare=as_array),
            Side(name="json.loads", run=python_array, prepare=as_array),
            Side(name="tunesmith, lines", run=tunesmith, prepare=as_lines),
            Side(name="polars.read_ndjson", run=polars_lines, prepare=as_lines, against="tunesmith, lines"),
            Side(name="tunesmith, long lines", run=tunesmith_all, prepare=as_long_lines),
            Side(name="polars.read_ndjson, long lines", run=polars_lines, prepare=as_long_lines, against="tunesmith, long lines"),
            Side(name="tunesmith, short lines", run=tunesmith_all, prepare=as_short_lines),
            Side(name="polars.read_ndjson, short lines", run=polars_lines, prepare=as_short_lines, against="tunesmith, short lines"),
            Side(name="json.loads, lines", run=python_lines, prepare=as_lines, against="tunesmith, lines"),
        ],
    )
