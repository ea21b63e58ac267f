"""Ids of rows and hashes of tables."""

import json
import pickle
import struct
from datetime import date
from pathlib import Path
from unittest import mock

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith import core
from tunesmith.core import content
from tunesmith.errors import InputError

xxhash = pytest.importorskip("xxhash")

TEXTS = st.lists(st.tuples(st.none() | st.text(max_size=20), st.none() | st.text(max_size=20)), max_size=12)


@given(rows=TEXTS)
@settings(deadline=None)
def test_a_row_s_id_is_xxh3_over_length_prefixed_fields(rows: list[tuple[str | None, str | None]]) -> None:
    def plain(row: tuple[str | None, ...]) -> str:
        raw = [(field or "").encode() for field in row]
        return str(xxhash.xxh3_128(b"".join(struct.pack("<Q", len(field)) + field for field in raw)).hexdigest())

    columns = [pl.Series([row[side] for row in rows], dtype=pl.String) for side in range(2)]
    assert core.row_ids(columns).to_list() == [plain(row) for row in rows]


def test_rows_across_the_pieces_of_work_chunks_and_slices() -> None:
    texts = pl.Series([f"row {k % 40_000}" for k in range(70_000)])
    ids = core.row_ids([texts])
    assert ids.n_unique() == 40_000
    assert ids[:30_000].equals(ids[40_000:])
    assert core.row_ids([pl.concat([texts[:7], texts[7:]], rechunk=False)]).equals(ids)
    assert core.row_ids([texts[123:456]]).equals(ids[123:456])
    assert ids.str.len_bytes().unique().to_list() == [32]


MESSAGE = {"role": pl.String, "content": pl.String, "train": pl.Boolean, "none": pl.Null}
OBJECTS = st.fixed_dictionaries({
    "role": st.sampled_from(["user", "", None]), "content": st.none() | st.text(max_size=20),
    "train": st.none() | st.booleans(), "none": st.none(),
})  # fmt: skip


@given(rows=st.lists(st.none() | st.lists(OBJECTS, max_size=3), max_size=8), cut=st.integers(0, 8))
@settings(deadline=None)
def test_canonical_json_is_python_s(rows: list[list[dict[str, object]] | None], cut: int) -> None:
    def plain(row: list[dict[str, object]] | None) -> str | None:
        said = [{key: each[key] for key in MESSAGE if each[key] is not None and each[key] != ""} for each in row or []]
        return json.dumps(said, ensure_ascii=False, separators=(",", ":")) if said else None

    lists = pl.Series(rows, dtype=pl.List(pl.Struct(MESSAGE)))
    assert core.canonical_json(lists).to_list() == [plain(row) for row in rows]
    assert core.canonical_json(lists[cut:]).to_list() == [plain(row) for row in rows[cut:]]
    assert core.canonical_json(pl.concat([lists[:cut], lists[cut:]], rechunk=False)).to_list() == [plain(row) for row in rows]


def test_canonical_json_takes_lists_of_objects_alone() -> None:
    assert core.canonical_json(pl.Series([None, None])).to_list() == [None, None]
    assert core.canonical_json(pl.Series([[], None], dtype=pl.List(pl.Null))).to_list() == [None, None]
    for wrong in (pl.Series(["a"]), pl.Series([["a"]]), pl.Series([[{"n": 1}]])):
        with pytest.raises(InputError, match="expected lists of objects of text and truth values, found"):
            core.canonical_json(wrong)


def test_the_hash_is_the_one_that_artefacts_state() -> None:
    """Written out: a change would make every version on disk look damaged."""
    table = pl.DataFrame(
        {
            "text": ["a", None, "é" * 9000], "number": [1, None, -3], "real": [0.5, -0.0, float("nan")], "yes": [True, None, False],
            "list": [["x"], [], None], "turns": [[{"role": "user", "train": None}], None, []], "day": [None, date(2026, 1, 2), None],
        },
        schema_overrides={"number": pl.Int16},
    )  # fmt: skip
    whole = core.content_hash(table)
    assert whole == "61bbaa5f5623e90244f393bdd93093a4"
    assert core.content_hash(pl.concat([table[:1], table[1:]], rechunk=False)) == whole
    assert core.content_hash(table.lazy()) == whole


DTYPES = {"text": pl.String, "lists": pl.List(pl.String), "turns": pl.List(pl.Struct({"a": pl.String, "b": pl.Float64})), "none": pl.Null}
ROWS = st.fixed_dictionaries({
    "text": st.none() | st.text(max_size=9), "lists": st.none() | st.lists(st.none() | st.text(max_size=3), max_size=3),
    "turns": st.none() | st.lists(st.none() | st.fixed_dictionaries({"a": st.none() | st.text(max_size=3), "b": st.floats()}), max_size=2),
    "none": st.none(),
})  # fmt: skip


@given(rows=st.lists(ROWS, max_size=9), block=st.integers(1, 10))
@settings(deadline=None)
def test_block_by_block_the_hash_is_the_same(rows: list[dict[str, object]], block: int) -> None:
    table = pl.DataFrame(rows, schema=DTYPES)
    with mock.patch.object(content, "BLOCK", block):
        assert core.content_hash(table.lazy()) == core.content_hash(table)


def test_blocks_of_categories_and_of_files(tmp_path: Path) -> None:
    table = pl.DataFrame({"kind": ["a", "b", None] * 50_000, "day": [date(2026, 1, 2)] * 150_000})
    table = table.with_columns(pl.col("kind").cast(pl.Categorical))
    table.write_parquet(tmp_path / "t.parquet", row_group_size=1000)
    seen: list[int] = []
    assert core.content_hash(pl.scan_parquet(tmp_path / "t.parquet"), progress=seen.append) == core.content_hash(table)
    assert seen[-1] == 300_000
    assert core.content_hash(table.clear().lazy()) == core.content_hash(table.clear())


def test_mistakes_are_named() -> None:
    with pytest.raises(InputError, match="equal length, found 1, 2 rows"):
        core.row_ids([["a"], ["a", "b"]])
    with pytest.raises(InputError, match=r"fields\[1\]: expected a column of String, found Int64"):
        core.row_ids([["a"], [1]])
    with pytest.raises(InputError, match="expected a frame, found list"):
        core.content_hash([1])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="cannot be hashed"):
        core.content_hash(pl.DataFrame({"a": [pickle]}, schema={"a": pl.Object}))


def test_a_table_s_hash_is_of_its_content_alone() -> None:
    table = pl.DataFrame({"a": ["x", None, "z"] * 20_000, "b": [1, 2, None] * 20_000, "c": [[1.0], [], None] * 20_000})
    whole = core.content_hash(table)
    assert core.content_hash(pl.concat([table[:5], table[5:]], rechunk=False)) == whole
    assert core.content_hash(pl.concat([table[:5], table])[5:]) == whole
    others = [
        table[::-1],
        table.rename({"a": "d"}),
        table.select("b", "a", "c"),
        table[:-1],
        table.with_columns(pl.col("b").cast(pl.Int32)),
    ]
    assert len({whole, *map(core.content_hash, others)}) == 6
