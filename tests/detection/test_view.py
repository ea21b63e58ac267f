"""The view: one line per supervised turn, masks that keep spans."""

import polars as pl

from detection.chats import chat, message
from tunesmith.detection import find, view
from tunesmith.detection.supervised import MASK, mask, prepare
from tunesmith.rows import schema


def test_instruct_rows_are_one_line() -> None:
    made = view(pl.DataFrame({"instruction": ["a", "b"], "input": ["x", None], "output": ["1", None]}))
    assert made.select("position", "turn", "instruction", "input", "response").rows() == [
        (0, None, "a", "x", "1"),
        (1, None, "b", None, None),
    ]


def test_every_supervised_turn_is_a_line() -> None:
    made = view(
        chat([
            message("system", "be brief"), message("user", "one?"), message("assistant", "1"), message("user", "two?"),
            message("assistant", "skip", train=False), message("assistant", "2"),
        ])
    )  # fmt: skip
    assert made.select("turn", "asked", "instruction", "response").rows() == [(2, 1, "one?", "1"), (5, 3, "two?", "2")]


def test_a_turn_that_only_calls_tools_is_not_judged() -> None:
    made = view(
        chat(
            [
                message("user", "weather?"),
                message("assistant", None, tool_calls="[{}]"),
                message("tool", "rain"),
                message("assistant", "Rain."),
            ]
        )
    )
    assert made.select("turn", "response").rows() == [(3, "Rain.")]


def test_a_conversation_without_an_answer_is_an_empty_answer() -> None:
    found = find(chat([message("user", "hello?")], [message("user", "hi"), message("assistant", "hi")]))
    assert found.select("position", "detector").rows() == [(0, "output_empty")]


def test_chat_and_instruct_rows_mix_in_order() -> None:
    rows = pl.concat([chat([message("user", "a"), message("assistant", "b")]), chat([message("user", "c"), message("assistant", "d")])])
    rows = rows.with_columns(position=pl.Series([0, 2], dtype=pl.UInt64))
    plain = chat([]).with_columns(position=pl.lit(1, pl.UInt64), messages=pl.lit(None, schema.MESSAGES))
    assert view(pl.concat([rows, plain]))["response"].to_list() == ["b", "mirror", "d"]


def test_responses_given_are_one_line_a_row() -> None:
    rows = chat([message("user", "a"), message("assistant", "b")])
    made = view(rows, response=pl.Series(["from a model"]), reference=pl.Series(["b"]), finish=pl.Series(["length"]))
    assert made.select("instruction", "response", "reference", "finish").row(0) == ("mirror", "from a model", "b", "length")


def test_masks_keep_length_and_lines() -> None:
    for text in ["a ```py\nx = 1\n``` b", "see `x` now", '{"a": [1, 2]}', "<tool_call>{}</tool_call> ok", "```\nnever closed", "no code"]:
        masked = mask(text)
        assert len(masked) == len(text)
        assert masked.count("\n") == text.count("\n")
    assert mask("a `b` c") == f"a {MASK * 3} c"
    assert mask("no code") == "no code"


def test_prepared_text_is_never_null() -> None:
    made = prepare(
        view(
            pl.DataFrame(
                {"instruction": [None], "input": [None], "output": [None]},
                schema=dict.fromkeys(["instruction", "input", "output"], pl.String),
            )
        )
    )
    assert made.select("instruction", "input", "response", "prose").row(0) == ("", "", "", "")
