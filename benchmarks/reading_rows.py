"""Reading files to rows: python benchmarks/reading_rows.py

Against what Polars' own reader takes for the same file, which gives a frame of what it holds. Reading rows does more: it infers
the format, checks every record and turn, names rejects, brings conversations to one shape, and gives ids; read whole, it also
hashes the content. `check` reads in blocks and validates them, without ids. The conversations are Alpaca's rows, two to each, and
the public demonstrations of messages (parts of text) and of tool calls, many times over; rates are by the size of Alpaca's file.
"""

from __future__ import annotations

import atexit
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from harness import Side, main


def load(data: Path) -> Path:
    """The folder."""
    if not (data / "alpaca/alpaca_data.json").is_file():
        sys.exit(f"{data} does not hold the public data: name its folder with --data")
    return data


def alpaca(data: Path) -> list[dict[str, str]]:
    """Its records."""
    found: list[dict[str, str]] = json.loads((data / "alpaca/alpaca_data.json").read_bytes())
    return found


def array(data: Path) -> str:
    """Alpaca as it is."""
    return written((data / "alpaca/alpaca_data.json").read_bytes(), ".json")


def lines(data: Path) -> str:
    """Alpaca, one record a line."""
    return written("\n".join(map(json.dumps, alpaca(data))).encode(), ".jsonl")


def sharegpt(data: Path) -> str:
    """Conversations of two questions and answers."""
    rows = [row for row in alpaca(data) if row["output"].strip()]
    talks = (
        [{"from": who, "value": row[key]} for row in pair for who, key in (("human", "instruction"), ("gpt", "output"))]
        for pair in zip(rows[::2], rows[1::2], strict=False)
    )
    return written("\n".join(json.dumps({"conversations": turns}, ensure_ascii=False) for turns in talks).encode(), ".jsonl")


def messages(data: Path) -> str:
    """OpenAI's messages, their content in parts, some turns not to be learnt."""
    return written(((data / "formats/messages_sft_demo.jsonl").read_bytes().rstrip() + b"\n") * 50, ".jsonl")


def calls(data: Path) -> str:
    """Conversations with tool calls."""
    records = json.loads((data / "formats/sharegpt_toolcall_demo.json").read_bytes())
    return written("\n".join(json.dumps(record, ensure_ascii=False) for record in records * 30).encode(), ".jsonl")


def written(text: bytes, ending: str) -> str:
    """Write a file that goes with the process; everything is imported before the clock starts."""
    import polars as pl  # noqa: F401

    from tunesmith import core, rows
    from tunesmith.rows import streaming  # noqa: F401

    core.read_json, rows.read  # noqa: B018  (loaded)
    with tempfile.NamedTemporaryFile(suffix=ending, delete=False) as file:
        file.write(text)
    atexit.register(Path(file.name).unlink)
    return file.name


def whole(path: str) -> str:
    """Rows, ids and the content's hash."""
    from tunesmith import rows

    read = rows.read(path)
    return f"{read.frame.height:,} rows of {read.format}, {read.rejected.height} rejects"


def blocks(path: str) -> str:
    """As `check` reads: in blocks, of which one is held, every row validated; no ids and no hash are made."""
    from tunesmith.rows.streaming import Stream

    read = [(block.frame.height, block.rejected.height) for block in Stream(source=path, passing=True, ahead=False)]
    return f"{sum(rows for rows, _ in read):,} rows in {len(read)} blocks, {sum(rejects for _, rejects in read)} rejects"


def polars(path: str) -> str:
    """A frame."""
    import polars as pl

    frame = pl.read_ndjson(path) if path.endswith("l") else pl.read_json(path)
    return f"{frame.height:,} x {frame.width}"


def sides() -> list[Side]:
    """Three of each file."""
    made: list[Side] = []
    files: dict[str, Any] = {
        "Alpaca, array": array,
        "Alpaca, lines": lines,
        "ShareGPT": sharegpt,
        "messages": messages,
        "tool calls": calls,
    }
    for name, file in files.items():
        first = f"rows.read, {name}"
        made += [
            Side(name=first, run=whole, prepare=file),
            Side(name=f"as check reads, {name}", run=blocks, prepare=file, against=first),
            Side(name=f"polars, {name}", run=polars, prepare=file, against=first),
        ]
    return made


if __name__ == "__main__":
    main("Files to rows", load=load, amount=lambda data: ((data / "alpaca/alpaca_data.json").stat().st_size / 1e6, "MB"), sides=sides())
