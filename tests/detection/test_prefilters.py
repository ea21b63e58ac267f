"""Detectors look for something cheap first: whatever the whole rule finds must pass, whatever the text."""

import re
import unicodedata

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.detection import find, view
from tunesmith.detection.language import SCRIPTS
from tunesmith.detection.rules import echo, foreign, refusal, repetition, task_form
from tunesmith.detection.supervised import prepare, replaced

FRAGMENTS = (  # noqa: SIM905
    "as|an|AI|language|model,|I|I'm|sorry|but|Sorry,|cannot|can't|can’t|cant|help|provide|unable|to|not|able|be|answered|do|does|have|"
    "access|beyond|don't|am.|,|\n|unfortunately|won't|said|the|capable|possible"
).split("|")


def mixed(words: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(words), max_size=14).map(" ".join)


@given(mixed(FRAGMENTS))
@settings(deadline=None, max_examples=300)
def test_refusals_hold_what_is_looked_for(text: str) -> None:
    if re.search(refusal._REFUSAL, text[:400]):
        assert any(needed in text[:400].lower() for needed in refusal._NEEDED)


@given(
    st.lists(
        mixed(["List", "please", "give me", "a list of", "three", "10", "to", "the top", "rivers", "Name", "names", "2", "-"]), max_size=6
    )
)
@settings(deadline=None, max_examples=100)
def test_lists_that_are_asked_for_are_looked_at(prompts: list[str]) -> None:
    asked = pl.Series(prompts, dtype=pl.String).str.contains(rf"(?i){task_form._ASK}(?:\d{{1,2}}|{'|'.join(task_form._NUMBERS)})\s")
    for prompt, seen in zip(prompts, asked, strict=True):
        assert seen or not task_form._LIST.match(prompt)


def slow_opening(prompt: str, answer: str) -> bool:
    """The words of the prompt open the answer but for one in five: same first word, longest common subsequence by the textbook.

    A sentence that is to be gone on with is none, nor is a statement of which the answer is one with other words.
    """
    asked = re.findall(r"\w+", prompt.lower())[:60]
    given = re.findall(r"\w+", answer.lower())[: len(asked)]
    table = [[0] * (len(given) + 1) for _ in range(len(asked) + 1)]
    for i, a in enumerate(asked):
        for j, b in enumerate(given):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    unfinished = "__" in prompt or (
        unicodedata.category(prompt[-1:] or " ") == "Ll" and all(unicodedata.category(c) != "Lu" for c in prompt)
    )
    put_otherwise = prompt.endswith(".") and len(re.findall(r"\w+", answer.lower())) - len(given) <= 2
    if unfinished or put_otherwise:
        return False
    return len(asked) >= 8 and asked[:1] == given[:1] and table[-1][-1] >= 0.8 * len(asked)


@given(
    st.lists(
        st.tuples(
            *[
                mixed(
                    [
                        "Tell me",
                        "tell  me",
                        "about rivers",
                        "İstanbul",
                        "*",
                        "'",
                        "\t",
                        "\n",
                        "ΣΟΦΟΣ",
                        "and why.",
                        "of the",
                        "old mill",
                        "__",
                    ]
                )
            ]
            * 2
        ),
        max_size=6,
    )
)
@settings(deadline=None, max_examples=200)
def test_echoes_are_those_of_the_texts_folded_whole(pairs: list[tuple[str, str]]) -> None:
    frame = pl.DataFrame(pairs, schema={"instruction": pl.String, "output": pl.String}, orient="row")
    folded = frame.select(echo._folded(pl.col("instruction")).str.strip_chars_end(" .:?!").alias("asked"), echo._folded(pl.col("output")))
    again = [
        len(instruction) > 25 and len(asked) > 25 and answer.startswith(asked) and answer[len(asked) : len(asked) + 1] in ("", *".?!:\n")
        for (instruction, _), (asked, answer) in zip(pairs, folded.iter_rows(), strict=True)
    ]
    expected = [k for k, pair in enumerate(pairs) if again[k] or slow_opening(*pair)]
    assert find(frame, only=["prompt_echo"])["position"].to_list() == expected


@given(st.lists(st.lists(st.sampled_from(["so", "la", "la", "do", "re", "mi"]), max_size=40).map(" ".join), max_size=6))
@settings(deadline=None, max_examples=100)
def test_loops_are_those_of_the_pattern(answers: list[str]) -> None:
    frame = pl.DataFrame(
        {"instruction": ["Tell."] * len(answers), "output": answers}, schema={"instruction": pl.String, "output": pl.String}
    )
    looping = [
        k for k, text in enumerate(answers) if any(len(match.group()) >= repetition._LEAST for match in repetition._REPEATED.finditer(text))
    ]
    assert find(frame, only=["repetition_loop"])["position"].to_list() == looping


@given(st.lists(st.text(st.sampled_from("aZéΩжשب你の한ไ1 ,。“"), max_size=30), min_size=1, max_size=5))
@settings(deadline=None, max_examples=100)
def test_letters_of_scripts_are_counted(texts: list[str]) -> None:
    counted = pl.DataFrame({"text": texts}).select(foreign._letters("text")).to_series().to_list()
    assert counted == [[len(pattern.findall(text)) for pattern in SCRIPTS.values()] for text in texts]


def test_replaced_texts_are_prepared_like_new_ones() -> None:
    rows = pl.DataFrame({"instruction": ["a", "b", "c"], "input": ["x", None, ""], "output": ["plain", "`code` here", "old"]})
    new = ["has `code` now", '{"a": 1}']
    made = replaced(prepare(view(rows)), "response", [0, 2], new)
    anew = prepare(view(rows.with_columns(output=pl.Series([new[0], "`code` here", new[1]]))))
    assert made.equals(anew)
    made = replaced(prepare(view(rows)), "input", [1], ["y"])
    assert made.equals(prepare(view(rows.with_columns(input=pl.Series(["x", "y", ""])))))
