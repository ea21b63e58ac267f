"""A user's columns of any type in every file that rows are converted to: never a traceback, never invalid JSON."""

from __future__ import annotations

import csv
import json
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_series_equal
from polars.testing.parametric import series

from tunesmith.curation import curate, restore
from tunesmith.errors import InputError
from tunesmith.packing import export
from tunesmith.rows import Version, convert, read, split
from tunesmith.rows.formats.writing import TARGETS
from tunesmith.rows.versions import verify

NOW = datetime(2026, 1, 2, 3, 4, 5, 6)
NOT_A_NUMBER = [math.nan, math.inf, -math.inf]
MINE = series(
    name="mine",
    min_size=1,
    max_size=4,
    excluded_dtypes=[pl.Object, pl.Unknown],
    allow_null=True,
)


def invalid(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def strict(text: str) -> Any:
    return json.loads(text, parse_constant=invalid)


def frame(mine: pl.Series) -> pl.DataFrame:
    turns = [[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]] * mine.len()
    pair = [[{"role": "assistant", "content": "c"}]] * mine.len()
    return pl.DataFrame({"messages": turns, "chosen": pair, "rejected": pair}).with_columns(mine)


def odd(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(odd, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float) and not math.isfinite(value)


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(mine=MINE, to=st.sampled_from(sorted(TARGETS)), kind=st.sampled_from([".json", ".jsonl", ".csv", ".parquet"]))
def test_columns_of_any_type(mine: pl.Series, to: Any, kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("any") / f"rows{kind}"
    done = convert(frame(mine), file, to=to)
    assert done.rows_out == mine.len()
    held = {".json": lambda: strict(file.read_text()), ".jsonl": lambda: list(map(strict, file.read_text().splitlines())),
            ".csv": lambda: list(csv.DictReader(file.open())), ".parquet": lambda: pl.read_parquet(file).rows()}[kind]()  # fmt: skip
    assert len(held) == mine.len()
    if to == "openai":
        assert done.lost.get("mine", 0) == mine.len() - mine.null_count()
    elif kind != ".parquet":
        assert done.lost.get("mine", 0) == sum(map(odd, mine.to_list()))


@pytest.mark.parametrize(
    ("values", "dtype", "written"),
    [
        ([1.5, *NOT_A_NUMBER, None], pl.Float32, [1.5, None, None, None, None]),
        ([[1.0, math.nan], []], None, [[1.0, None], []]),
        ([{"a": math.nan, "b": 1}, None], None, [{"b": 1}, None]),
        ([[{"a": [math.inf]}], None], None, [[{"a": [None]}], None]),
        ([[1.0, math.nan], None], pl.Array(pl.Float64, 2), [[1.0, None], None]),
        ([date(2026, 1, 2), None], None, ["2026-01-02", None]),
        ([NOW, None], None, ["2026-01-02T03:04:05.000006", None]),
        ([NOW.replace(tzinfo=UTC)], None, ["2026-01-02T03:04:05.000006+00:00"]),
        ([[time(3, 4)], None], None, [["03:04:00"], None]),
        ([timedelta(days=1, seconds=2)], None, ["P1DT2S"]),
        ([b"\xff", None], None, ["/w==", None]),
        ([{"bytes": b"hi", "path": "a"}], None, [{"bytes": "aGk=", "path": "a"}]),
        ([Decimal("1.10"), None], None, ["1.10", None]),
        (["a", None], pl.Categorical, ["a", None]),
        ([["b"]], pl.List(pl.Enum(["a", "b"])), [["b"]]),
        ([2**100], pl.Int128, [2**100]),
        ([{}, None], pl.Struct([]), [{}, None]),
    ],
)
def test_how_values_are_written(tmp_path: Path, values: list[Any], dtype: Any, written: list[Any]) -> None:
    mine = pl.Series("mine", values, dtype=dtype)
    rows = pl.DataFrame({"instruction": ["a"] * mine.len(), "output": ["b"] * mine.len()}).with_columns(mine)
    done = convert(rows, tmp_path / "rows.jsonl", to="alpaca")
    assert [strict(line).get("mine") for line in (tmp_path / "rows.jsonl").read_text().splitlines()] == written
    assert done.lost == ({"mine": count} if (count := sum(map(odd, values))) else {})
    convert(rows, tmp_path / "rows.parquet", to="alpaca")
    if dtype != pl.Struct([]):
        kept = mine.cast(pl.String) if dtype == pl.Categorical else mine
        assert_series_equal(pl.read_parquet(tmp_path / "rows.parquet")["mine"], kept)
    convert(rows, tmp_path / "rows.csv", to="alpaca")
    texts = [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in written]
    told = [row["mine"] for row in csv.DictReader((tmp_path / "rows.csv").open())]
    assert told == ["" if value is None else text for value, text in zip(written, texts, strict=True)]


def test_numbers_in_tools_that_json_has_no_form_for_are_counted(tmp_path: Path) -> None:
    talk = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    (tmp_path / "in.jsonl").write_text(json.dumps({"messages": talk, "tools": [{"name": "f", "least": math.nan}], "score": [math.nan, 1]}))
    assert read(tmp_path / "in.jsonl").frame.schema["score"] == pl.List(pl.Float64)
    done = convert(tmp_path / "in.jsonl", tmp_path / "out.jsonl", to="messages")
    assert strict((tmp_path / "out.jsonl").read_text())["tools"] == [{"name": "f", "least": None}]
    assert done.lost == {"score": 1, "tools": 1}


def test_python_objects_are_refused_by_name(tmp_path: Path) -> None:
    rows = pl.DataFrame({"instruction": ["a"], "output": ["b"], "mine": pl.Series([object()], dtype=pl.Object)})
    with pytest.raises(InputError, match='column "mine": Python objects cannot be hashed'):
        convert(rows, tmp_path / "rows.json", to="alpaca")


@pytest.mark.parametrize("meta", [[{}, {}], [{"a": {}}, {"a": {}}], [[{}], []]])
def test_objects_without_fields_go_through_versions_splits_and_exports(tmp_path: Path, meta: list[Any]) -> None:
    rows = [{"instruction": f"Name {k} of {k * 7}", "output": "x", "meta": meta[k % 2]} for k in range(9)]
    curate([*rows, rows[0]], {"steps": ["exact_duplicates"]}, out=tmp_path / "v")
    opened = Version.open(tmp_path / "v")
    opened.verify()
    assert [json.loads(text) for text in opened.frame["meta"].to_list()] == [row["meta"] for row in rows]
    assert restore(tmp_path / "v", step="exact_duplicates").frame["meta"].to_list()[-1] == json.dumps(meta[0])
    split(rows, tmp_path / "s", test=2, validation=2)
    verify(tmp_path / "s")
    export(rows, tmp_path / "h", trainer="hub")
    convert(rows, tmp_path / "c.jsonl", to="alpaca")
    assert [json.loads(line)["meta"] for line in (tmp_path / "c.jsonl").read_text().splitlines()] == [row["meta"] for row in rows]


def test_sources_whose_columns_differ_in_shape_are_joined_as_text(tmp_path: Path) -> None:
    for k, meta in enumerate([{"a": 1}, 5, "x", [1], None, {"b": [2]}]):
        (tmp_path / f"{k}.jsonl").write_text(json.dumps({"instruction": f"Name {k} of {k * 7}", "output": "y", "meta": meta}))
    files = sorted(tmp_path.glob("*.jsonl"))
    for joined in (read(files).frame, curate(files, {"steps": []}).frame):
        assert joined["meta"].to_list() == ['{"a": 1}', "5", "x", "[1]", None, '{"b": [2]}']
    assert read([files[0], files[5]]).frame["meta"].to_list() == [{"a": 1, "b": None}, {"a": None, "b": [2]}]


def test_a_table_that_polars_cannot_take_is_told() -> None:
    frame = pytest.importorskip("pandas").DataFrame({"instruction": ["a", "b"], "m": [{"a": 1}, [1, 2]]})
    with pytest.raises(InputError, match=r"DataFrame: expected columns of one type each, found: .*to_dict\('records'\)"):
        read(frame)
