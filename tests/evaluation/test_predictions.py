"""Predictions made elsewhere: formats, and whose they are."""

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tunesmith import rows
from tunesmith.errors import InputError, OptionError
from tunesmith.evaluation.formats import read_predictions
from tunesmith.evaluation.items import Items, make_items
from tunesmith.evaluation.matching import Matched, match

ROWS = [
    {"instruction": "Name a bird.", "output": "owl"},
    {"instruction": "Translate.", "input": "chat", "output": "cat"},
    {"instruction": "Name a bird.", "output": "kite"},
    {"instruction": "Name a bird.", "output": "owl"},
]


def items(records: list[dict[str, Any]] = ROWS, **options: Any) -> Items:
    return make_items(rows.read(records), **options)


def matched(predictions: Any, asked: Items | None = None, **options: Any) -> Matched:
    return match(asked or items(), read_predictions(predictions, **options), name="elsewhere")


def outputs(found: Matched) -> dict[int, str]:
    return dict(found.frame.select("item", "output").iter_rows())


def test_line_by_line() -> None:
    found = matched([{"output": text} for text in "abcd"])
    assert found.by == "line"
    assert outputs(found) == {0: "a", 1: "b", 2: "c", 3: "d"}
    assert found.frame["model"].unique().to_list() == ["elsewhere"]
    with pytest.raises(InputError, match="found 3 predictions without any of these and 4 items"):
        matched([{"output": "a"}] * 3)


def test_lines_count_rejected_records_and_those_beyond_the_limit() -> None:
    broken = [ROWS[0], {"instruction": "", "output": "nothing asked"}, ROWS[1]]
    assert outputs(matched([{"output": text} for text in "abc"], items(broken))) == {0: "a", 1: "c"}
    assert outputs(matched([{"output": text} for text in "ab"], items(broken))) == {0: "a", 1: "b"}
    limited = matched([{"output": text} for text in "abcd"], items(limit=2))
    assert outputs(limited) == {0: "a", 1: "b"}
    assert limited.foreign == 2


def test_by_position_and_foreign_ones() -> None:
    found = matched([{"position": 1, "output": "x"}, {"position": 9, "output": "y"}, {"position": 1, "output": "z"}])
    assert (found.by, outputs(found), found.unmatched, found.foreign, found.duplicates) == ("position", {1: "x"}, 3, 1, 1)
    assert found.first_unmatched == 0


def test_by_row_id_copies_get_theirs_in_order() -> None:
    ids = items().table["row_id"].to_list()
    assert ids[0] == ids[3]
    found = matched([{"row_id": ids[0], "output": "first"}, {"row_id": ids[0], "output": "second"}, {"row_id": ids[0], "output": "third"}])
    assert outputs(found) == {0: "first", 3: "second"}
    assert found.duplicates == 1
    assert outputs(matched([{"row_id": ids[0], "output": "only"}])) == {0: "only", 3: "only"}


def test_by_a_prompt_that_one_item_has() -> None:
    found = matched([{"prompt": "Translate.\nchat ", "output": "cat"}, {"instruction": "Name a bird.", "output": "owl"}])
    assert (found.by, outputs(found), found.shared, found.foreign, found.unmatched) == ("prompt", {1: "cat"}, 3, 1, 3)


def test_several_seeds() -> None:
    found = matched([{"position": k, "seed": seed, "output": f"{k}{seed}"} for k in range(4) for seed in (1, 2)])
    assert found.frame.select("item", "seed", "output").rows() == [(k, seed, f"{k}{seed}") for k in range(4) for seed in (1, 2)]


def test_one_model_at_a_time() -> None:
    with pytest.raises(InputError, match="one model, found a, b"):
        matched([{"position": 0, "output": "x", "model": "a"}, {"position": 1, "output": "x", "model": "b"}])


BODY = {
    "model": "m",
    "choices": [{"message": {"role": "assistant", "content": "cat"}, "finish_reason": "length"}],
    "usage": {"completion_tokens": 3},
}
SAID = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Translate.\nchat"},
    {"role": "assistant", "content": "cat"},
]


@pytest.mark.parametrize(
    ("record", "by"),
    [
        ({"custom_id": None, "response": {"status_code": 200, "body": BODY}, "error": None}, "row_id"),
        ({"messages": SAID}, "prompt"),
        ({"instruction": "Translate.\nchat", "output": "cat", "generator": "m"}, "prompt"),
        ({"doc_id": 1, "resps": [["cat"]], "filtered_resps": ["cat"]}, "position"),
        ({"item": 0, "position": 1, "output": "cat", "finish": "stop", "output_tokens": 2}, "position"),
    ],
)
def test_formats_are_told_by_their_fields(record: dict[str, Any], by: str) -> None:
    if "custom_id" in record:
        record = {**record, "custom_id": items().table["row_id"][1]}
    found = matched([record])
    assert (found.by, outputs(found)) == (by, {1: "cat"})
    if "custom_id" in record:
        assert found.frame.select("model", "finish", "output_tokens").row(0) == ("m", "length", 3)


def test_a_failed_request_is_named() -> None:
    with pytest.raises(InputError, match=r"list, record 0: expected a prediction, found: the request failed"):
        matched([{"custom_id": "a", "response": None, "error": {"code": "rate_limit"}}], format="openai-batch")


def test_files(tmp_path: Path) -> None:
    lines = [{"position": 0, "output": "a\u2028b"}, {"position": 1, "output": None}]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n"
    (tmp_path / "p.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "p.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "p.json").write_text(json.dumps(lines), encoding="utf-8")
    pl.DataFrame(lines).write_parquet(tmp_path / "p.parquet")
    pl.DataFrame(lines).write_csv(tmp_path / "p.csv")
    for file in sorted(tmp_path.iterdir()):
        assert [(each.position, each.output) for each in read_predictions(file)] == [(0, "a\u2028b"), (1, "")]


def test_mistakes_name_the_place(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"output": "a"}\n{"output": 3}\n')
    with pytest.raises(InputError, match=r'p.jsonl, record 1: expected a prediction, found: "output" is int, expected text'):
        read_predictions(tmp_path / "p.jsonl")
    (tmp_path / "p.jsonl").write_text('{"output": "a"}\n{"out\n')
    with pytest.raises(InputError, match=r"p.jsonl, line 2: expected a JSON object"):
        read_predictions(tmp_path / "p.jsonl")
    with pytest.raises(InputError, match="No such file"):
        read_predictions(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match='expected the field "output"'):
        read_predictions([{"answer": "a"}])
    with pytest.raises(InputError, match="found none"):
        read_predictions([])
    with pytest.raises(OptionError, match="openai-batch"):
        read_predictions([{"output": "a"}], format="openai_batch")
