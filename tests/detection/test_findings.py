"""Running detectors: names, spans, turns, limits, finish reasons, fixes."""

import polars as pl
import pytest

from detection.chats import chat, message
from detection.planting import PLANTED, planted
from tunesmith.detection import DETECTORS, Limits, find, fit, fix, view
from tunesmith.detection.findings import examine
from tunesmith.errors import OptionError
from tunesmith.rows import schema


@pytest.mark.parametrize("name", DETECTORS)
def test_every_page_shows_what_it_says(name: str) -> None:
    page = DETECTORS[name].page
    limits = Limits(characters_max=200, references=100)
    for example, count in ((page.bad, 1), (page.good, 0)):
        frame = pl.DataFrame({"instruction": [example.instruction], "input": [example.input], "output": [example.response]})
        made = view(frame, response=frame["output"], finish=pl.Series([example.finish], dtype=pl.String))
        assert find(made, only=[name], limits=limits).height == count


@pytest.mark.parametrize("name", PLANTED)
def test_spans_lie_in_the_text(name: str) -> None:
    rows = planted(name, 40)
    for position, field, start, end in find(pl.DataFrame(rows), only=[name]).select("position", "field", "start", "end").iter_rows():
        text = rows[position]["output" if field == "response" else field]
        assert (start is None) == (end is None)
        assert start is None or 0 <= start < end <= len(text)


def test_the_frame_is_the_contract_and_sorted() -> None:
    rows = [*planted("merged_rows", 5), *planted("output_empty", 5)]
    found = find(pl.DataFrame(rows))
    assert found.schema == schema.FINDING
    assert found["position"].is_sorted()
    assert find(pl.DataFrame(rows).clear()).schema == schema.FINDING


def test_lines_are_judged_alike_in_pieces_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = [message("user", "What is 3 + 2?"), message("assistant", "6"), message("user", "c"), message("assistant", "&lt;d &lt;d")]
    plain = pl.DataFrame([*planted("merged_rows", 5), *planted("output_empty", 5), *planted("html_entity", 5)])
    for rows in (plain, chat(talk, talk, talk)):
        whole = examine(rows)
        assert whole.findings.height
        for size in (2, 7):
            monkeypatch.setattr("tunesmith.rows.pieces.SIZE", size)
            cut = examine(rows)
            assert cut.findings.equals(whole.findings)
            assert cut.coverage.equals(whole.coverage)
        monkeypatch.undo()


def test_an_unknown_name_says_the_nearest() -> None:
    with pytest.raises(OptionError, match='did you mean "repetitive"'):
        find(pl.DataFrame({"instruction": ["a"], "output": ["b"]}), only=["repetetive"])
    with pytest.raises(OptionError, match="unknown detector"):
        find(pl.DataFrame({"instruction": ["a"], "output": ["b"]}), skip=["nothing"])
    with pytest.raises(OptionError, match='"refusal" has no safe fix'):
        fix(pl.DataFrame({"instruction": ["a"], "output": ["b"]}), only=["refusal"])


def test_findings_in_conversations_name_their_turn() -> None:
    rows = chat([message("user", "a &quot;b&quot;"), message("assistant", "fine"), message("user", "c"), message("assistant", "&lt;d")])
    found = find(rows, only=["html_entity"])
    assert set(found.select("field", "turn").rows()) == {("instruction", 0), ("response", 3)}


def test_limits_are_the_99th_percentile_of_characters() -> None:
    limits = fit(pl.Series(["x" * n for n in range(1, 101)] + [None, ""]))
    assert (limits.characters_max, limits.references) == (100, 100)
    frame = pl.DataFrame({"instruction": ["a", "b"], "output": ["x" * 100, "x " * 51]})
    assert find(frame, only=["too_long"], limits=limits)["position"].to_list() == [1]
    assert find(frame, only=["too_long"]).is_empty()
    assert fit(pl.Series([None], dtype=pl.String)).characters_max is None


def test_finish_reasons_tell_cut_from_endless() -> None:
    frame = pl.DataFrame({"instruction": ["Tell me."] * 3, "output": [""] * 3})
    cut, loop, done = "It was a long day in the", "and on and on " * 20, "It was."
    made = view(frame, response=pl.Series([cut, loop, done]), finish=pl.Series(["length", "length", "stop"]))
    found = find(made, only=["truncated", "no_stop"])
    assert found.select("position", "detector").rows() == [(0, "truncated"), (1, "no_stop")]


def slow_rep4(text: str) -> float:
    words = text.split()
    grams = [tuple(words[k : k + 4]) for k in range(len(words) - 3)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def test_repetitive_is_rep_4_of_words() -> None:
    import random

    rng = random.Random(4)
    texts = [" ".join(rng.choice(["a", "b", "c", "d", "e"]) for _ in range(rng.randint(0, 60))) for _ in range(200)]
    found = find(pl.DataFrame({"instruction": ["Go."] * 200, "output": texts}), only=["repetitive"])
    assert set(found["position"]) == {k for k, text in enumerate(texts) if slow_rep4(text) > 0.2}


def test_fixes_compose_and_the_last_line_is_the_text() -> None:
    frame = pl.DataFrame({"instruction": ["Sing."], "input": ["&lt;noinput&gt;"], "output": ["<noinput>\nThe cafÃ© &amp; the bar"]})
    edits = fix(frame)
    last = dict(edits.group_by("field", maintain_order=True).last().select("field", "text").iter_rows())
    assert last == {"input": "", "response": "The café & the bar"}
    assert edits["detector"].to_list() == ["mojibake", "html_entity", "html_entity", "input_placeholder", "placeholder_token"]


def test_a_token_inside_a_sentence_is_a_gap_and_stays() -> None:
    frame = pl.DataFrame({"instruction": ["Fill it."], "input": ["The boy <noinput> the ball"], "output": ["threw"]})
    assert find(frame)["detector"].to_list() == ["placeholder_token"]
    assert fix(frame).is_empty()


def test_clean_rows_are_not_fixed() -> None:
    from detection.planting import clean

    assert fix(pl.DataFrame(clean(200, seed=8))).is_empty()


@pytest.mark.parametrize(
    ("name", "text", "mended"),
    [
        ("mojibake", "It is Ã¢â‚¬Å“oldÃ¢â‚¬\x9d, by the cafÃ© at 32Â°F.", "It is “old”, by the café at 32°F."),
        ("template_leak", "It is old.<|im_end|>\n</s>", "It is old."),
        ("template_leak", "It is old.</s>\n[INST] And? [/INST] Yes.<|endoftext|>", "It is old.</s>\n[INST] And? [/INST] Yes."),
        ("template_leak", "It is old.\n##", "It is old."),
        ("template_leak", "It is old.\n\n### Response:\n", "It is old."),
        ("template_leak", "It is old.\nInput:\n\n**Output:**", "It is old."),
        ("template_leak", "x = 1\nprint(x)\n```\n", "x = 1\nprint(x)"),
        ("junk_chars", "It is old. \u0326\u0326\u0326\u0326", "It is old. "),
        ("label_prefix", "Output: It is old.", "It is old."),
    ],
)
def test_safe_fixes_leave_the_answer(name: str, text: str, mended: str) -> None:
    edits = fix(pl.DataFrame({"instruction": ["Tell me."], "output": [text]}), only=[name])
    assert edits["text"].to_list() == [mended]


@pytest.mark.parametrize(
    "text",
    [
        "<|im_end|>", "Use <|im_end|> at the end.", "### Response:\nIt is old.", "Sincerely,\n____", "\nInput:\nOutput:", "```\nx\n```",
        "It is old.\n1.", "It is <|im_end|> old.\nAnswer:",
    ],
)  # fmt: skip
def test_no_fix_where_none_is_safe(text: str) -> None:
    assert fix(pl.DataFrame({"instruction": ["Tell me."], "output": [text]}), only=["template_leak"]).is_empty()
