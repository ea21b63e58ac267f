"""Ids of rows and hashes of tables."""

import pickle
import struct

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith import core
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


def test_mistakes_are_named() -> None:
    with pytest.raises(InputError, match="equal length, found 1, 2 rows"):
        core.row_ids([["a"], ["a", "b"]])
    with pytest.raises(InputError, match=r"fields\[1\]: expected a column of String, found Int64"):
        core.row_ids([["a"], [1]])
    with pytest.raises(InputError, match="expected a DataFrame, found list"):
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
