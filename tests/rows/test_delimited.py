"""CSV and TSV: whatever is wrong with a line costs that line alone."""

import csv
import io

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import InputError
from tunesmith.rows import read
from tunesmith.rows.delimited import read_delimited

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=12)


def tables(data, *, tabs=False, chunk=7):
    return list(read_delimited(iter([data[k : k + chunk] for k in range(0, len(data), chunk)]), "rows.csv", tabs=tabs))


def rejects(data, **options):
    return [row for table in tables(data, **options) for row in table.damaged.select("record", "line", "code", "found").rows()]


@given(st.lists(st.lists(TEXT, min_size=3, max_size=3), max_size=8), st.sampled_from([",", ";", "\t"]), st.booleans(), st.integers(1, 50))
def test_what_is_written_is_read(rows, separator, bom, chunk):
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator, lineterminator="\n")
    writer.writerows([["a", "b", "c"], *rows])
    (table,) = tables(file.getvalue().encode("utf-8-sig" if bom else "utf-8"), tabs=separator == "\t", chunk=chunk)
    assert table.damaged.is_empty()
    assert [[value or "" for value in row] for row in table.frame.rows()] == rows
    assert table.record.to_list() == list(range(len(rows)))


def test_each_damage_costs_its_line():
    data = b'instruction,output\na,b\nc,d,e\n"f,g\nh,i\nj\n\xe9,k\n"l" m,n\n"o\np",q\n\nr,s\n'
    (table,) = tables(data)
    assert table.frame.rows() == [("a", "b"), ("h", "i"), ("o\np", "q"), ("r", "s")]
    assert table.record.to_list() == [0, 3, 7, 8]
    assert table.line.to_list() == [2, 5, 9, 12]
    assert rejects(data) == [
        (1, 3, "wrong_width", "3 fields"),
        (2, 4, "bad_csv", "text behind a closing quotation mark"),
        (4, 6, "wrong_width", "1 fields"),
        (5, 7, "bad_utf8", f"byte 0xE9 at byte {data.index(0xE9)}"),
        (6, 8, "bad_csv", "text behind a closing quotation mark"),
    ]


def test_a_mark_that_is_never_closed():
    data = b'instruction,output\na,b\nc,"d\n' + b"e,f\n" * 5
    (table,) = tables(data)
    assert table.frame.height == 6
    assert rejects(data) == [(1, 3, "bad_csv", "a quotation mark that is not closed")]


def test_marks_of_a_tsv_may_be_characters():
    data = b'instruction\toutput\r\n"Stay," he said.\tyes\r\nHe said "no"\t"really"\r\n'
    (table,) = tables(data, tabs=True)
    assert table.frame.rows() == [('"Stay," he said.', "yes"), ('He said "no"', '"really"')]
    quoted = b'instruction\toutput\n"a\tb"\t"c ""d"""\n"e" f\tg\n'
    (table,) = tables(quoted, tabs=True)
    assert table.frame.rows() == [("a\tb", 'c "d"')]
    assert table.damaged["code"].to_list() == ["bad_csv"]


def test_long_fields(tmp_path):
    pl.DataFrame({"instruction": ["a" * 500_000], "output": ["b"]}).write_csv(tmp_path / "rows.csv")
    assert read(tmp_path / "rows.csv").frame["instruction"].str.len_chars().to_list() == [500_000]


def test_rejected_lines_are_kept_as_they_stood(tmp_path):
    (tmp_path / "rows.csv").write_text("instruction,output\na,b\nc,d,e\n,f\n")
    data = read(tmp_path / "rows.csv")
    assert data.rejected.select("position", "line", "code", "raw").rows() == [
        (1, 3, "wrong_width", "c,d,e"),
        (2, 4, "empty_prompt", '{"output": "f"}'),
    ]


@pytest.mark.parametrize(
    ("data", "message"), [(b"a,a\n1,2\n", '"a" twice'), (b"\xff,b\n", "found byte 0xFF at byte 0"), (b'"a\n', "not closed")]
)
def test_first_lines_that_name_nothing(data, message):
    with pytest.raises(InputError, match=message):
        tables(data)


def test_no_rows():
    (table,) = tables(b"instruction,output\n")
    assert (table.height, table.keys) == (0, ["instruction", "output"])
