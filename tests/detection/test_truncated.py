"""Answers that stop short: what a reader waits for, what is whole without its full stop, and what references say of full stops."""

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detection.planting import clean
from detection.planting_cuts import BUDGETS, at_budget
from tunesmith.detection import Limits, find, fit
from tunesmith.detection.rules import ending
from tunesmith.detection.rules.ending import stopped
from tunesmith.detection.rules.unfinished import in_prose, waits
from tunesmith.detection.supervised import prepare, view

WHOLE = "The mill was built by the harbour board of bricks. It is old."
LONG = " ".join([WHOLE, "Nobody has counted the ships that have passed it since then, and the keeper does not try."] * 4)
CUT = [
    "The mill was built by the harbour board, and it belongs to the",
    "The mill was built by the harbour board, and the keepers always",
    "The mill was built by the harbour board to protect",
    "The keeper lights the lamp at dusk, watches the ships and keeps describing",
    "The mill was built in 1802 and is one of the largest",
    "The keeper has a small house by the mill with a quiet",
    "The mill is old. By counting the bricks of its walls, you",
    "The keeper says that he can also help",
    "The sum of all the bricks of the mill is equal to",
    "The mill was built by the harbour board (which has paid for its bricks",
    "The mill was built by the old harbour board, and every ship that passes it can see its lightho",
    "The mill was built by the harbour board of bricks. The",
    "The mill was built by the harbour board of bricks. The keeper",
    "The mill was sold by the harbour board to the city for $",
    "The mill was standing empty from 1950 to 20",
    "The mill was rebuilt after the great flood of June 3rd, 19",
    "1. Open the gate of the mill.\n2. Light the lamp of the mill.\n3. Close the",
    "1. Open the gate of the mill.\n2. Light the lamp of the mill.\n3.",
    "1. Open the gate of the mill\n2. Light the lamp of the mill\n3",
    "The mill was built by the harbour board, and its keeper is a well-",
    "The keeper of the mill will be glad to hear from you. Write to [Your",
    "The mill was built by the harbour board of bricks. Additionally, Bell",
    "The keeper laughs, cries or sings when he has lit his lamp -",
    "- Open the gate of the mill\n- Light the lamp of the mill and the\n-",
    f"{LONG} When he had lit the lamp he saw another ship",
]
NOT_CUT = [
    WHOLE,
    "The mill was built by the harbour board of bricks. It opened to ships",  # a full stop is missing, and nothing else
    "The harbour board, the keeper and the ships that he watches",
    "The word that is used the most often in the story is: the",
    "- Somebody to trust with\n- A lamp to light the ships with\n- A harbour to look out for",
    "Down by the river, where the old mill stands,\nI wait for the boats that will never come in",
    "Dear keeper of the mill,",
    "The ships passed the mill and the keeper did not light his lamp :(",
    "1. Count the ships\n2. Add them up and write the sum below:\n17",
    "Thank you for the lamp that you have sent to the mill. It shines.\n\nYours sincerely,",
    "the, mill, of, keeper, and, ship, with, a",
    "Miller & Sons: The Mill That We All Look Up To",
    "I. The mill\nII. The keeper\nA. His lamp\nB. His house\nIII. Conclusion of the",
    "Thank you for the lamp that you have sent to the mill.\n\nYours sincerely,\nThe keeper",
    "The mill was built by the harbour board of bricks. Thank you",
    "Which of the keepers lit the lamp of the mill? The first",
    f"{LONG} it opened to ships that do not come",  # one who does not care for capitals may not care for full stops
    f"1. {LONG}\n2. It opened to ships that do not come",
    "Der Keller der alten Mühle liegt am Fluss und ist so kalt wie die",
]


def cut(text: str, instruction: str = "Tell me about the mill.", limits: Limits | None = None) -> bool:
    frame = pl.DataFrame({"instruction": [instruction], "output": [text]})
    return find(frame, only=["truncated"], limits=limits).height == 1


@pytest.mark.parametrize("text", CUT)
def test_a_reader_waits_for_more(text: str) -> None:
    assert cut(text)
    assert not cut(f"{text} end.")


@pytest.mark.parametrize("text", NOT_CUT)
def test_what_may_be_whole_is_left_alone(text: str) -> None:
    assert not cut(text)


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("Complete the sentence about the mill.", False),
        ("Fill in the blank.", False),
        ("Explain the complete history of the mill.", True),
        ("Generate a sentence about the article.", True),
    ],
)
def test_tasks_that_end_in_the_middle_are_left_alone(instruction: str, *, expected: bool) -> None:
    assert cut("The mill was built by the harbour board, and it belongs to the", instruction) is expected


def test_lines_of_poems_may_end_with_a_comma() -> None:
    assert not cut("The mill stands in the light of the morning and of the moon,", "Write the first line of a poem.")


def test_the_span_is_the_last_word() -> None:
    text = "The mill was built by the harbour board, and it belongs to the"
    start, end, evidence = find(pl.DataFrame({"instruction": ["Tell."], "output": [text + " \n"]}), only=["truncated"]).select(
        "start", "end", "evidence"
    ).row(0)  # fmt: skip
    assert text[start:end] == "the"
    assert evidence == "… bour board, and it belongs to the"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The mill was built by the harbour board of bricks. It opened to ships", True),
        ("The harbour board has built the mill of red bricks", True),
        ("1. Open the gate of the mill.\n2. Light its lamp", True),
        ("The Old Mill And Its Last Keeper", False),
        ("Come and see the mill. It is open! #mill #harbour", False),
        ("Nothing is as old as the mill. It never moves. - Anna Miller", False),
        ("- Open the gate\n- Light the lamp\n- Close the gate", False),
    ],
)
def test_where_references_end_with_full_stops_all_prose_does(text: str, *, expected: bool) -> None:
    usual = Limits(stopped=0.99)
    assert cut(text, limits=usual) is expected
    assert not cut(text)
    assert not cut(text, limits=Limits(stopped=0.95))
    assert not cut(f"{text}.", limits=usual)


def test_references_say_whether_they_end_with_full_stops() -> None:
    references = pl.Series([f"The mill of {name} was built by the harbour board of bricks." for name in map(str, range(60))])
    assert fit(references).stopped == 1.0
    assert fit(references.str.strip_suffix(".")).stopped == 0.0
    assert fit(references.head(49)).stopped is None  # too few to say
    assert stopped(prepare(view(pl.DataFrame({"instruction": ["Name it."] * 60, "output": ["The Mill"] * 60})))) is None


def characters(text: str) -> list[int]:
    return [ord(letter) for letter in text]


def test_a_budget_cuts_what_exceeds_it() -> None:
    rows = [row for row in clean(200, seed=3) if len(row["output"]) > BUDGETS[0]]
    made = at_budget(rows, characters, lambda ids: "".join(map(chr, ids)), count=100)
    assert len(made) == 100
    assert {len(row["output"]) for row in made} <= set(BUDGETS)
    assert any(row["output"][-1].isalpha() for row in made)


WORDS = [
    "The",
    "mill",
    "of",
    "the",
    "it",
    "and",
    "keeper.",
    "$",
    "20",
    "in",
    "\n",
    "2.",
    "-",
    "(",
    ",",
    "It",
    "board",
    "lightho",
    "I",
    "its",
    "ship’s",
]


@given(st.lists(st.sampled_from(WORDS), min_size=6, max_size=24).map(" ".join))
@example("The mill of the old harbour board and\n3.")
@settings(deadline=None, max_examples=300)
def test_the_cheap_look_loses_nothing(text: str) -> None:
    whole = text.rstrip()
    if ending._stops_at(whole, loose=False) is not None:
        assert pl.Series([whole]).str.contains(ending._MAYBE)[0]


def test_prose_is_told_from_lines() -> None:
    assert in_prose("The mill was built by the harbour board of bricks. It opened")
    assert not in_prose("Mill\nKeeper\nA ship that passes by")
    assert not waits("")
    assert not waits("42")


@pytest.mark.parametrize("blank", [" \n", "\t", " "])
def test_long_blanks_cost_no_time(blank: str) -> None:
    assert not cut(f"1. Open the gate of the mill.{blank * 200_000}2 ships")
